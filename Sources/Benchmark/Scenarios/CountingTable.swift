import Aggregation
import Bytes
import Platform
import Protocol

/// One worker's table and the view of it, in process: batches of 64 datagrams of 1432 bytes, as the receiving thread counts them.
struct CountingTable: ~Copyable {
  private static let batch = 64

  private let memory: TableMemory
  private var table: WorkerTable
  private var view: MergedView
  private var second: Int64 = 0

  init() throws {
    // All that can fail comes before the first member is set.
    let memory = try TableMemory(capacity: 4_000_000)
    let budget = SeriesBudget(limit: 2_000_000, limitPerMetric: 2_000_000)
    let hasher = SpellingHash(seed: .random(in: .min ... .max))
    let table = try WorkerTable(
      memory: memory, hasher: hasher, reader: LineReader(), keyLabels: KeyLabels(), budget: budget)
    let view = try MergedView(
      tables: [memory], hasher: hasher, keyLabels: KeyLabels(), budget: budget,
      settings: .init(seriesTTL: nil, counterTTL: nil, quantileWindow: 60))
    self.memory = memory
    self.table = table
    self.view = view
  }

  var seriesCount: Int { view.seriesCount }
  var memoryParts: [(part: StaticString, bytes: Int)] { view.memory }

  /// Counts all of it.
  /// - Returns: CPU time of this thread in nanoseconds.
  mutating func count(_ traffic: Traffic) -> Int64 {
    table.tally = LineTally()
    let begin = Clock.threadCPU()
    unsafe traffic.text.withUnsafeBytes { text in
      var next = 0
      while next < traffic.messages.count {
        table.beginBatch(monotonic: Clock.monotonic(), wall: Clock.wall() / 1_000_000_000)
        for message in traffic.messages[next..<min(next + Self.batch, traffic.messages.count)] {
          // Safe: an LF stands behind each message, and the slack behind the last one.
          unsafe table.count(PaddedBytes(unsafeBase: text.baseAddress! + message.start, count: message.length))
        }
        table.endBatch()
        next += Self.batch
      }
    }
    let cpu = Clock.threadCPU() - begin
    precondition(table.tally.accepted == UInt64(traffic.lineCount), "a line of the benchmark was refused")
    return cpu
  }

  /// Brings the view up to date.
  /// - Returns: CPU time of this thread in nanoseconds.
  mutating func gather() -> Int64 {
    second += 1
    let begin = Clock.threadCPU()
    _ = view.gather(second: second, wall: 1_700_000_000 + second)
    return Clock.threadCPU() - begin
  }

  // MARK: The journal

  mutating func keepChanges() { view.keepChanges() }

  /// Tells what has changed.
  /// - Returns: bytes, and CPU time of this thread in nanoseconds.
  mutating func encodeChanges() -> (bytes: Int, cpu: Int64) {
    let begin = Clock.threadCPU()
    var bytes = 0
    while let payload = view.encodeChanges() { bytes += payload.bytes.count }
    return (bytes, Clock.threadCPU() - begin)
  }

  /// Tells everything.
  /// - Returns: the payloads, CPU time of this thread in nanoseconds, and that of the slice that took longest.
  mutating func encodeSnapshot() -> (payloads: [[UInt8]], cpu: Int64, longest: Int64) {
    let begin = Clock.threadCPU()
    var (payloads, longest): ([[UInt8]], Int64) = ([], 0)
    view.beginSnapshot()
    while view.isInSnapshot {
      let begin = Clock.threadCPU()
      if let payload = view.encodeSnapshot() { payloads.append(payload.bytes) }
      longest = max(longest, Clock.threadCPU() - begin)
    }
    return (payloads, Clock.threadCPU() - begin, longest)
  }

  /// Takes payloads back.
  /// - Returns: CPU time of this thread in nanoseconds.
  mutating func restore(_ payloads: [[UInt8]]) -> Int64 {
    let begin = Clock.threadCPU()
    for payload in payloads { view.restore(payload, into: &table, second: 1 << 22, wall: 1_700_000_000) }
    return Clock.threadCPU() - begin
  }
}
