import Bytes
import Protocol

@testable import Aggregation

/// Payloads of a journal, whatever their records say, are taken back without harm, and what was taken back can be told anew: a second start
/// has the series and totals of the first.
///
/// An input is the records of one payload: the head, with the check, is made here.
func checkJournal(_ records: [UInt8]) throws(Broken) {
  for isSnapshot in [false, true] {
    let head = [1, isSnapshot ? 1 : 0, 0, 0, 0, 0] + [0, 0xF1, 0x53, 0x65, 0, 0, 0, 0] + [1, 0, 0, 0] as [UInt8]
    var first = KeptView()
    first.restore(JournalRecordWriter.checked(head + records))
    first.view.keepChanges()
    first.view.beginSnapshot()
    var second = KeptView()
    while first.view.isInSnapshot {
      while let payload = first.view.encodeChanges() { second.restore(payload.bytes) }
      repeat {
        if let payload = first.view.encodeSnapshot() { second.restore(payload.bytes) }
      } while first.view.isWithinSlice
    }
    let tally = second.view.restoreTally
    try hold(tally.skipped == 0, "what was told anew is not taken back: \(tally)")
    try hold(
      first.view.seriesCount == second.view.seriesCount && first.view.familyCount == second.view.familyCount,
      "\(first.view.seriesCount) series became \(second.view.seriesCount)")
    let (firsts, seconds) = (first.totals, second.totals)
    try hold(firsts == seconds, "\(firsts) became \(seconds)")
  }
}

/// A view with one table, which may be restored.
private struct KeptView: ~Copyable {
  static let wall: Int64 = 1_700_000_000
  var table: WorkerTable
  var view: MergedView

  init() {
    let hasher = SpellingHash(seed: 1)
    let budget = SeriesBudget(limit: 1_000, limitPerMetric: 500)
    // Only the machine's end of address space could make them fail.
    let memory = try! TableMemory(capacity: 10_000)
    table = try! WorkerTable(
      memory: memory, hasher: hasher, reader: LineReader(), keyLabels: KeyLabels(), budget: budget)
    view = try! MergedView(
      tables: [memory], hasher: hasher, keyLabels: KeyLabels(), budget: budget,
      settings: .init(seriesTTL: nil, counterTTL: nil, quantileWindow: 60, historyBytes: 4 << 20))
  }

  mutating func restore(_ payload: [UInt8]) { view.restore(payload, into: &table, second: 1 << 22, wall: Self.wall) }

  /// Of counters and gauges the bits, of timers their number.
  var totals: [[UInt8]: [UInt64]] {
    var totals: [[UInt8]: [UInt64]] = [:]
    var family = view.firstFamily
    while let each = family {
      var one = view.firstSeries(of: each)
      while let id = one {
        let series = view.series(id)
        let name = view.withSpelling(of: id) { text in [series.kind.rawValue] + text.indices.map { text[$0] } }
        switch series.kind {
        case .counter, .event, .gauge, .serviceCheck:
          totals[name] = [series.total.value.bitPattern, view.countSinceReset(id).value.bitPattern]
        case .timer, .histogram, .distribution: totals[name] = [view.timer(series).count.bitPattern]
        case .set: totals[name] = []
        }
        one = view.series(after: id)
      }
      family = view.family(after: each)
    }
    return totals
  }
}
