import Glibc
import Platform

/// The built product as a process of its own, on ports of the kernel's choice.
final class AgentProcess {
  private let child: Child
  private let folder: TemporaryFolder
  let udpPort: UInt16
  let tcpPort: UInt16
  let http: HTTPClient
  var pid: pid_t { child.pid }
  var reading: ProcessReading { ProcessReading(pid: child.pid) }
  var unixDatagram: Target { .unixDatagram(path: folder.path + "/datagram") }
  var unixStream: Target { .unixStream(path: folder.path + "/stream") }

  /// The program that is measured: $FOOTFALL, or the one beside this one.
  static var program: String {
    if let named = Environment.all()["FOOTFALL"] { return named }
    let own = (try? File.link("/proc/self/exe")) ?? ""
    return own.split(separator: "/").dropLast().map { "/" + $0 }.joined() + "/footfall"
  }

  /// Starts it and waits until it is ready.
  /// - Parameters:
  ///   - processor: where it may run; nil: everywhere.
  ///   - keepsCounts: with a journal, in a folder of its own, with the default of `--journal-sync`.
  init(workers: Int = 1, processor: Int? = nil, keepsCounts: Bool = false, options: [String] = []) throws(SystemError) {
    folder = try TemporaryFolder()
    let words =
      [
        Self.program, "serve", "--udp", "127.0.0.1:0", "--tcp", "127.0.0.1:0", "--http", "127.0.0.1:0",
        "--unix-datagram", folder.path + "/datagram", "--unix-stream", folder.path + "/stream", "--workers",
        "\(workers)", "--max-series", "2000000",
      ] + (keepsCounts ? ["--state-dir", folder.path + "/state"] : ["--state-dir", "none"]) + options
    child = try Child(words, reading: .error, processor: processor)
    let log = try child.readLines { $0.contains("listening") }
    udpPort = try Self.port("udp", in: log)
    tcpPort = try Self.port("tcp", in: log)
    http = HTTPClient(port: try Self.port("http", in: log))
    while (try? http.get("/ready"))?.status != 200 { Clock.sleep(nanoseconds: 1_000_000) }
  }

  deinit { child.end() }

  private static func port(_ kind: String, in log: String) throws(SystemError) -> UInt16 {
    for word in log.split(whereSeparator: { $0 == " " || $0 == "\n" }) where word.hasPrefix("\(kind)=") {
      if let port = word.split(separator: ":").last.flatMap({ UInt16($0.filter(\.isNumber)) }) { return port }
    }
    throw SystemError("read", "the log's first line: \(log)", number: EPROTO)
  }

  // MARK: Books

  struct Books {
    var datagrams = 0
    var dropped = 0
    var lines = 0
    var accepted = 0
  }

  /// What has been received, over all listeners.
  func books() throws(SystemError) -> Books {
    let samples = try metrics("footfall_*")
    func sum(_ name: String) -> Int { samples.filter { $0.name == name }.reduce(0) { $0 + Int($1.value) } }
    return Books(
      datagrams: sum("footfall_datagrams_received_total"), dropped: sum("footfall_datagrams_dropped_total"),
      lines: sum("footfall_lines_read_total"), accepted: sum("footfall_lines_accepted_total"))
  }

  struct MetricSample {
    var name: Substring
    var labels: Substring
    var value: Double
  }

  /// Samples of the families that the glob takes.
  func metrics(_ glob: String) throws(SystemError) -> [MetricSample] {
    try http.text("/metrics?metric=\(glob)").split(separator: "\n").compactMap { line in
      guard !line.hasPrefix("#"), let space = line.lastIndex(of: " "), let value = Double(line[space...].dropFirst())
      else { return nil }
      let series = line[..<space]
      let brace = series.firstIndex(of: "{") ?? series.endIndex
      return MetricSample(name: series[..<brace], labels: series[brace...], value: value)
    }
  }

  /// Live series of all kinds.
  func seriesCount() throws(SystemError) -> Int {
    try metrics("footfall_series").filter { $0.name == "footfall_series" }.reduce(0) { $0 + Int($1.value) }
  }

  /// Bytes by part, as the program's own books have them.
  func memoryParts() throws(SystemError) -> [(part: String, bytes: Double)] {
    try metrics("footfall_memory_bytes").map { sample in
      (String(sample.labels.split(separator: "\"").dropFirst().first ?? ""), sample.value)
    }
  }

  /// Waits until `lines` lines have been read since the start, at most ten seconds.
  func waitForLines(_ lines: Int) throws(SystemError) {
    let end = Clock.monotonic() + 10_000_000_000
    while try books().lines < lines {
      if Clock.monotonic() > end { throw SystemError("wait", "for \(lines) lines", number: ETIMEDOUT) }
      Clock.sleep(nanoseconds: 2_000_000)
    }
  }
}
