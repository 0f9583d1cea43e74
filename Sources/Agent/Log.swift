import Bytes
import Platform
import Synchronization

/// Lines for the operator on standard error, one write(2) each, never with colour.
///
///     2026-11-21T03:42:00.123Z info listening udp=127.0.0.1:8125
///     {"time":"2026-11-21T03:42:00.123Z","level":"info","message":"listening","udp":"127.0.0.1:8125"}
///
/// Anybody may hold a copy and log from any thread; the kernel keeps lines of up to PIPE_BUF (4096) bytes whole.
struct Log: Sendable {
  /// From what needs a human to what only a developer wants.
  enum Level: String, CaseIterable, Sendable, Comparable {
    case error, warning, info, debug

    /// syslog(3): LOG_ERR, LOG_WARNING, LOG_INFO, LOG_DEBUG.
    var priority: Int {
      switch self {
      case .error: 3
      case .warning: 4
      case .info: 6
      case .debug: 7
      }
    }

    /// Less is more urgent.
    static func < (left: Self, right: Self) -> Bool { left.priority < right.priority }
  }

  enum Format: String, CaseIterable, Sendable {
    case text, json
  }

  /// What stands behind a `key=`. Bytes and texts may come from anybody: they are escaped.
  enum Field: Equatable, Sendable {
    case text(String)
    case bytes([UInt8])
    case integer(Int64)
    case number(Double)
    case flag(Bool)

    /// Anything that describes itself.
    static func text(_ value: some CustomStringConvertible) -> Self { .text(value.description) }
    static func integer(_ value: some BinaryInteger) -> Self { .integer(Int64(clamping: value)) }
  }

  /// What may change while the program runs, for all copies at once.
  private let look: Look
  /// Least urgent level that is written; of all copies of this log. So for the format.
  var level: Level {
    get { Level.allCases[look.level.load(ordering: .relaxed)] }
    nonmutating set { look.level.store(Level.allCases.firstIndex(of: newValue) ?? 0, ordering: .relaxed) }
  }
  var format: Format {
    get { Format.allCases[look.format.load(ordering: .relaxed)] }
    nonmutating set { look.format.store(Format.allCases.firstIndex(of: newValue) ?? 0, ordering: .relaxed) }
  }
  /// `<6>` before each line, as sd-daemon(3) has it, for a journal that reads standard error.
  var marksPriority: Bool
  /// Nanoseconds since 1970.
  var now: @Sendable () -> Int64 = Clock.wall
  /// Takes a whole line with its LF.
  var write: @Sendable ([UInt8]) -> Void = StandardError.write

  /// Places among all levels and formats. Relaxed: a line looks one way or the other.
  private final class Look: Sendable {
    let level = Atomic<Int>(0)
    let format = Atomic<Int>(0)
  }

  /// - Parameter journalStream: the value of `JOURNAL_STREAM`.
  init(level: Level, format: Format, journalStream: String?) {
    look = Look()
    marksPriority = journalStream.map(StandardError.isStream) ?? false
    self.level = level
    self.format = format
  }

  func error(_ message: String, _ fields: KeyValuePairs<String, Field> = [:]) { log(.error, message, fields) }
  func warning(_ message: String, _ fields: KeyValuePairs<String, Field> = [:]) { log(.warning, message, fields) }
  func info(_ message: String, _ fields: KeyValuePairs<String, Field> = [:]) { log(.info, message, fields) }
  /// - Parameter fields: made only if debug lines are written.
  func debug(_ message: String, _ fields: @autoclosure () -> KeyValuePairs<String, Field> = [:]) {
    if level >= .debug { log(.debug, message, fields()) }
  }

  /// The same with fields that are put together at run time.
  func info(_ message: String, fields: [(name: String, value: Field)]) { log(.info, message, fields) }

  private func log(_ level: Level, _ message: String, _ fields: KeyValuePairs<String, Field>) {
    log(level, message, fields.map { (name: $0.key, value: $0.value) })
  }

  private func log(_ level: Level, _ message: String, _ fields: [(name: String, value: Field)]) {
    guard level <= self.level else { return }
    var line = ByteWriter(capacity: 256)
    if marksPriority { line.append("<\(level.priority)>") }
    let time = WallClock.iso8601(now())
    switch format {
    case .text: Self.appendText(time, level, message, fields, to: &line)
    case .json: Self.appendJSON(time, level, message, fields, to: &line)
    }
    line.append(UInt8(ascii: "\n"))
    write(line.bytes)
  }

  private static func appendText(
    _ time: String, _ level: Level, _ message: String, _ fields: [(name: String, value: Field)],
    to line: inout ByteWriter
  ) {
    line.append("\(time) \(level.rawValue) ")
    line.appendEscaped(message.utf8)
    for (key, field) in fields {
      line.append(" \(key)=")
      switch field {
      case .text(let text): line.appendValue(Array(text.utf8))
      case .bytes(let bytes): line.appendValue(bytes)
      case .integer(let number): line.append(number)
      case .number(let number): line.append(number)
      case .flag(let flag): line.append(flag ? "true" : "false")
      }
    }
  }

  private static func appendJSON(
    _ time: String, _ level: Level, _ message: String, _ fields: [(name: String, value: Field)],
    to line: inout ByteWriter
  ) {
    line.append("{\"time\":\"\(time)\",\"level\":\"\(level.rawValue)\",\"message\":")
    line.appendJSON(message)
    for (key, field) in fields {
      line.append(UInt8(ascii: ","))
      line.appendJSON(key)
      line.append(UInt8(ascii: ":"))
      switch field {
      case .text(let text): line.appendJSON(text)
      case .bytes(let bytes): line.appendJSON(bytes)
      case .integer(let number): line.append(number)
      case .number(let number): line.appendJSON(number)
      case .flag(let flag): line.append(flag ? "true" : "false")
      }
    }
    line.append(UInt8(ascii: "}"))
  }
}
