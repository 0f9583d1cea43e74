import Protocol
import Synchronization

/// A counter's sum: whole, and what is no whole number.
struct Total: BitwiseCopyable, Equatable {
  var whole: Int64 = 0
  var fraction = 0.0

  mutating func add(_ more: Total) {
    (whole, fraction) = MergedView.add((whole, fraction), more.whole, more.fraction)
  }

  /// What came on top of `base`, as `Series.total` gives it.
  func since(_ base: Total) -> (whole: Int64?, value: Double) {
    let difference = whole.subtractingReportingOverflow(base.whole)
    let rest = fraction - base.fraction
    if rest == 0 && !difference.overflow { return (difference.partialValue, Double(difference.partialValue)) }
    return (nil, Double(whole) - Double(base.whole) + rest)
  }
}

/// Counts that people reset.
///
/// `/metrics` goes on counting, since a counter that falls is a restart to Prometheus; the answers of the query API are what has been
/// counted since the last reset. So a reset changes no total: it notes it as the base.
extension MergedView {
  /// A counter's total since its last reset.
  package func countSinceReset(_ id: SeriesID) -> (whole: Int64?, value: Double) {
    let series = series[Int(id)]
    return Total(whole: series.whole, fraction: series.fraction).since(seriesBases[id] ?? Total())
  }

  /// What all counters of a family, those that left too, have counted since their resets.
  package func countSinceReset(family id: FamilyID) -> (whole: Int64?, value: Double) {
    let family = families[Int(id)]
    if familyBases.isEmpty { return family.total }
    return Total(whole: family.whole, fraction: family.fraction).since(familyBases[id] ?? Total())
  }

  /// Lets the series' answers begin anew at 0. For counters and events; other kinds are left alone.
  package mutating func reset(_ id: SeriesID) {
    let series = series[Int(id)]
    guard series.kind.isCounted else { return }
    setBase(id, Total(whole: series.whole, fraction: series.fraction))
  }

  /// The same as of a moment ago, when it had counted `total`: what has come since stays.
  package mutating func reset(_ id: SeriesID, at total: SharedNumber) {
    if series[Int(id)].kind.isCounted { setBase(id, Total(total)) }
  }

  /// Sets what a counter's answers begin with; its metric's move by as much.
  mutating func setBase(_ id: SeriesID, _ base: Total) {
    let family = series[Int(id)].family
    generation &+= 1
    if changes.isOn { changes.mark(Int(id)) }
    noteShared(Int(id), Int(family))
    forgetBusiest(of: family)
    let before = seriesBases[id] ?? Total()
    seriesBases[id] = base
    var all = familyBases[family] ?? Total()
    all.whole &+= base.whole &- before.whole
    all.fraction += base.fraction - before.fraction
    familyBases[family] = all
  }

  /// Lets series leave that nobody writes to from now on: their records are condemned with the next gathers.
  /// - Complexity: O(records of all tables).
  package mutating func dismiss(_ ids: Set<SeriesID>) {
    if ids.isEmpty { return }
    for source in sources {
      let epoch = source.memory.gate.current - 1
      for number in 0..<source.memory.recordsInUse.load(ordering: .relaxed) {
        if let id = Self.id(source.seriesOf[number] & ~TableSource.paid), ids.contains(id) {
          source.dismissed.append((UInt32(number), epoch))
        }
      }
    }
  }

  /// Condemns as many as a table's owner looks at in one go, all of one epoch, up to one that has to stay for now.
  /// - Returns: whether there are any.
  func condemnDismissed(_ source: TableSource) -> Bool {
    guard let epoch = source.dismissed.last?.epoch else { return false }
    var some: [UInt32] = []
    for one in source.dismissed.reversed() {
      if one.epoch != epoch || some.count == TableMemory.condemnedLimit || isUnshared(one.record, source) { break }
      some.append(one.record)
    }
    if some.isEmpty { return false }
    if source.memory.condemn(some, since: epoch) { source.dismissed.removeLast(some.count) }
    return true
  }

  private func isUnshared(_ record: UInt32, _ source: TableSource) -> Bool {
    Self.id(source.seriesOf[Int(record)] & ~TableSource.paid).map { isUnshared(Int($0)) } ?? false
  }
}
