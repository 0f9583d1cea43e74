import AllocationCounter
import Bytes
import Platform
import Protocol
import Synchronization

@testable import Aggregation

/// One table in the hand of one thread.
final class Worker: @unchecked Sendable {  // used by one thread at a time
  let memory: TableMemory
  private var table: WorkerTable
  private var now: Int64 = 0
  /// Allocations made within batches, from their begin to their end.
  private(set) var allocations: UInt64 = 0

  fileprivate init(memory: TableMemory, hasher: SpellingHash, reader: LineReader, budget: SeriesBudget) {
    self.memory = memory
    // Only the machine's end of address space could make it fail.
    table = try! WorkerTable(memory: memory, hasher: hasher, reader: reader, keyLabels: KeyLabels(), budget: budget)
  }

  /// Counts the lines of `text` as one batch.
  /// - Parameter monotonic: nanoseconds; later than those of the last batch if left out.
  @discardableResult
  func count(_ text: some Collection<UInt8>, monotonic: Int64? = nil, wall: Int64 = 1_700_000_000) -> LineTally {
    PaddedText(text).read { count($0, monotonic: monotonic, wall: wall) }
  }

  @discardableResult
  func count(_ text: String, monotonic: Int64? = nil) -> LineTally { count(text.utf8, monotonic: monotonic) }

  /// The same in the name of a sender.
  @discardableResult
  func count(_ text: String, from sender: SenderAddress) -> LineTally { count([(Array(text.utf8), sender)]) }

  /// Several datagrams of several senders in one batch.
  @discardableResult
  func count(_ datagrams: [([UInt8], SenderAddress)]) -> LineTally {
    now += 1_000
    // All must stay where they are until the batch ends.
    let texts = datagrams.map { PaddedText($0.0) }
    table.beginBatch(monotonic: now, wall: 1_700_000_000)
    table.tally = LineTally()
    countNext(texts, datagrams.map(\.1), 0)
    return table.tally
  }

  private func countNext(_ texts: [PaddedText], _ senders: [SenderAddress], _ index: Int) {
    if index == texts.count { return table.endBatch() }
    texts[index].read {
      table.count($0, from: senders[index])
      countNext(texts, senders, index + 1)
    }
  }

  @discardableResult
  func count(_ bytes: PaddedBytes, monotonic: Int64? = nil, wall: Int64 = 1_700_000_000) -> LineTally {
    now = monotonic ?? now + 1_000
    let before = footfall_test_allocations()
    table.beginBatch(monotonic: now, wall: wall)
    table.tally = LineTally()
    table.count(bytes)
    table.endBatch()
    allocations += footfall_test_allocations() - before
    return table.tally
  }

  /// Lends the table, outside a batch.
  func withTable(_ body: (inout WorkerTable) -> Void) { body(&table) }

  /// An empty batch: the worker's chance to look at what the reader wants gone.
  func pass() { count("") }
}

/// Some tables and the view of them, as the program has them.
final class World: @unchecked Sendable {  // the view is used by one thread at a time
  let workers: [Worker]
  let budget: SeriesBudget
  var view: MergedView

  init(
    tables: Int = 1, capacity: Int = 100_000, limit: Int = 50_000, limitPerMetric: Int? = nil,
    settings: MergedView.Settings = .init(seriesTTL: nil, counterTTL: nil, quantileWindow: 60),
    bounds: [Double] = [], reader: LineReader = LineReader(), seed: UInt64 = 1
  ) {
    let hasher = SpellingHash(seed: seed)
    let budget = SeriesBudget(limit: limit, limitPerMetric: limitPerMetric ?? limit)
    self.budget = budget
    workers = (0..<tables).map { _ in
      let memory = try! TableMemory(
        capacity: capacity, timerBounds: TimerBounds(bounds), histogramBounds: TimerBounds(bounds))
      return Worker(memory: memory, hasher: hasher, reader: reader, budget: budget)
    }
    view = try! MergedView(
      tables: workers.map(\.memory), hasher: hasher, keyLabels: KeyLabels(), budget: budget, settings: settings)
  }

  /// Gathers to the end.
  /// - Parameter wall: the time of day; by default it goes with the reader's clock.
  func gather(second: Int64 = 0, wall: Int64? = nil) {
    while !view.gather(second: second, wall: wall ?? 1_700_000_000 + second) {}
  }

  /// Gathers at most `limit` entries; true at the end.
  func gatherSlice(second: Int64 = 0, limit: Int = .max) -> Bool {
    view.gather(second: second, wall: 1_700_000_000 + second, limit: limit)
  }

  func cardinality(_ series: Series) -> UInt64 { view.cardinality(series) }

  /// Whether records of the first table are condemned.
  var hasCondemned: Bool { view.hasCondemned(0) }

  /// `counter visit{env=prod,page=page1}`: kind, name and labels, sorted.
  func name(of id: SeriesID) -> String {
    let kind = view.series(id).kind
    return view.withSpelling(of: id) { spelling in
      let labels = SeriesLabels(of: spelling)
      func plain(_ text: Span<UInt8>) -> String {
        String(decoding: text.indices.map { SeriesLabels.plain(text[$0]) }, as: UTF8.self)
      }
      var pairs: [String] = []
      labels.forEach(in: spelling, keyLabels: view.keyLabels) { pairs.append("\(plain($0))=\(plain($1))") }
      let name = plain(spelling.extracting(labels.name))
      return "\(kind.label) \(name)\(pairs.isEmpty ? "" : "{\(pairs.joined(separator: ","))}")"
    }
  }

  /// Every live series by its name. Walks the families, so what their lists miss or hold twice is missed or met twice.
  var series: [String: SeriesID] {
    var found: [String: SeriesID] = [:]
    var families = 0
    var family = view.firstFamily
    while let id = family {
      families += 1
      var one = view.firstSeries(of: id)
      var count: UInt32 = 0
      while let each = one {
        precondition(view.series(each).family == id && found.updateValue(each, forKey: name(of: each)) == nil)
        count += 1
        one = view.series(after: each)
      }
      precondition(count == view.family(id).seriesCount && view.family(id).isLive && count > 0)
      family = view.family(after: id)
    }
    precondition(families == view.familyCount && found.count == view.seriesCount)
    return found
  }

  /// The live series with this name (see `name(of:)`).
  subscript(name: String) -> Series? { series[name].map { view.series($0) } }

  func family(_ name: String, _ kind: SampleKind) -> Family? {
    view.family(named: Array(name.utf8), kind: kind).map { view.family($0) }
  }
}

extension SampleKind {
  static let timers: [SampleKind] = [.timer, .histogram, .distribution]
}

extension LineTally {
  var refusedInAll: UInt64 { (0..<Self.refusals).reduce(0) { $0 + refused[$1] } }
}
