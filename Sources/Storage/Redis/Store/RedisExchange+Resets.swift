import Aggregation
import Platform
import Protocol

/// How far this agent has read in the stream of resets.
struct RedisResets {
  /// The last entry that was read; nil: not even the newest at the start is known.
  var last: StreamID?
  /// When to read on; never while that is under way.
  var nextTime: Int64 = 0

  /// The name of a stream's entry: `1700000000000-0`.
  struct StreamID: Equatable, CustomStringConvertible {
    var milliseconds: UInt64
    var number: UInt64

    /// Before every entry.
    static let zero = StreamID(milliseconds: 0, number: 0)

    init(milliseconds: UInt64, number: UInt64) {
      self.milliseconds = milliseconds
      self.number = number
    }

    init?(_ text: String?) {
      let parts = text?.split(separator: "-", omittingEmptySubsequences: false).map { UInt64($0) } ?? []
      guard parts.count == 2, let milliseconds = parts[0], let number = parts[1] else { return nil }
      self.init(milliseconds: milliseconds, number: number)
    }

    /// The first that may come after it.
    var next: StreamID {
      number == .max
        ? StreamID(milliseconds: milliseconds &+ 1, number: 0)
        : StreamID(milliseconds: milliseconds, number: number + 1)
    }

    var description: String { "\(milliseconds)-\(number)" }
  }

  /// Reads an entry of the stream: `[id, [field, value, …]]`.
  static func entry(_ value: RESPValue) -> (id: StreamID, agent: [UInt8]?, key: SharedKey?)? {
    guard let parts = value.elements, parts.count == 2, let id = StreamID(parts[0].string) else { return nil }
    let label = parts[1].value(of: "kind")?.string
    let kind = SampleKind.allCases.first { "\($0.label)" == label }
    let tag = parts[1].value(of: "tag")?.text
    return (id, parts[1].value(of: "agent")?.text, kind.flatMap { kind in tag.map { SharedKey(kind, tag: $0) } })
  }
}

/// Agents tell each other of resets in a stream, `PREFIXresets`. It is a short cut: who misses an entry reads the base back with its next
/// write.
extension RedisExchange {
  /// How often the stream is read, and how often while a server refuses that.
  private static let pause: Int64 = 1_000_000_000
  private static let longPause: Int64 = 60_000_000_000
  /// Entries that the stream holds, about, and entries that are read at once.
  private static let kept = 10_000
  private static let atOnce = 1_000

  /// Adds an entry. Whether that succeeds nobody waits for.
  func tellOthers(ofReset key: SharedKey) {
    let stream = RedisKey.resets(prefix: prefix)
    let entry = ["agent", "kind", "tag"].map { Array($0.utf8) }
    let command = RESPCommand(
      ["XADD", "", "MAXLEN", "~", "\(Self.kept)", "*"].map { $0.isEmpty ? stream : Array($0.utf8) }
        + [entry[0], store.agent, entry[1], Array("\(key.kind.label)".utf8), entry[2], key.tag])
    client.send(RedisRequest(command, at: KeyPlace(of: stream)) { [unowned self] result, _ in noteFailure(result) })
  }

  /// Reads on in the stream if it is time: at first only how far it goes.
  func readResets(_ now: Int64) {
    if now < resets.nextTime || !hasRoomForNews { return }
    resets.nextTime = .max
    let stream = RedisKey.resets(prefix: prefix)
    let words =
      if let last = resets.last {
        ["XRANGE", "", "\(last.next)", "+", "COUNT", "\(Self.atOnce)"]
      } else {
        ["XREVRANGE", "", "+", "-", "COUNT", "1"]
      }
    let command = RESPCommand(words.map { $0.isEmpty ? stream : Array($0.utf8) })
    client.send(
      RedisRequest(command, at: KeyPlace(of: stream)) { [unowned self] result, _ in
        resets.nextTime = Clock.monotonic() + take(result)
      })
  }

  /// - Returns: how long to wait before the next time.
  private func take(_ result: Result<RESPValue, RedisFailure>) -> Int64 {
    guard case .success(let reply) = result, let elements = reply.elements else {
      noteFailure(result)
      if case .failure(.refused) = result { return Self.longPause }
      return Self.pause
    }
    let isFirst = resets.last == nil
    let entries = elements.compactMap(RedisResets.entry)
    resets.last = entries.last?.id ?? resets.last ?? .zero
    if isFirst { return Self.pause }
    for (_, agent, key) in entries where agent != store.agent {
      guard let key else { continue }
      store.shared.withLock { $0.cache.remove(key) }
      tell(.resetElsewhere(key))
    }
    return elements.count < Self.atOnce ? Self.pause : 0
  }

  private func noteFailure(_ result: Result<RESPValue, RedisFailure>) {
    if case .failure(let failure) = result { note(failure) }
  }
}
