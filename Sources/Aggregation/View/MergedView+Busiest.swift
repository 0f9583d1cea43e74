/// The series of a family with the greatest totals, known without a look at the others.
///
/// - Invariant: no series outside has a total above `floor`, and none within one below it.
struct BusiestSeries {
  /// Kept, so that some may fall without those that follow being unknown.
  static let kept = 32

  private(set) var entries: [(id: SeriesID, total: Double)] = []
  private var floor: Double

  /// - Parameter entries: the `kept` greatest of all series, or all.
  init(_ entries: [(id: SeriesID, total: Double)], isAll: Bool) {
    self.entries = entries
    floor = isAll ? -.infinity : entries.map(\.total).min() ?? -.infinity
  }

  /// Takes note of a series' new total.
  /// - Complexity: O(1) for all but the greatest, O(kept) for those.
  @inline(__always)
  mutating func note(_ id: SeriesID, _ total: Double, hasGrown: Bool) {
    if total <= floor && hasGrown { return }
    change(id, total)
  }

  private mutating func change(_ id: SeriesID, _ total: Double) {
    let place = entries.firstIndex { $0.id == id }
    if total < floor || total.isNaN {
      if let place { entries.remove(at: place) }
      return
    }
    if let place {
      entries[place].total = total
    } else if total > floor || floor == -.infinity {
      entries.append((id, total))
      if entries.count > Self.kept, let least = entries.indices.min(by: { entries[$0].total < entries[$1].total }) {
        floor = entries.remove(at: least).total
      }
    }
  }

  mutating func remove(_ id: SeriesID) { entries.removeAll { $0.id == id } }
}

extension MergedView {
  /// Families whose busiest series are kept; one more, and all are found anew when they are next asked for.
  private static let busiestLimit = 1_024

  /// Series whose totals make it worth while: fewer are looked through.
  package static let busiestFrom = 64
  /// So many `keepBusiest` wants.
  package static var busiestKept: Int { BusiestSeries.kept }

  /// The `count` series of a family with the greatest totals, in descending order, those with the lower number first of equals; nil if
  /// they must be looked for.
  package func busiest(of id: FamilyID, count: Int) -> [SeriesID]? {
    let family = families[Int(id)]
    if family.busiest == 0 { return nil }
    let list = busiestSeries[Int(family.busiest) - 1]
    if list.entries.count < min(count, Int(family.seriesCount)) { return nil }
    return list.entries.sorted { ($1.total, $0.id) < ($0.total, $1.id) }.prefix(count).map(\.id)
  }

  /// Takes over what a look through all series of a family has found: the `busiestKept` greatest, or all if there are fewer.
  package mutating func keepBusiest(_ found: [(id: SeriesID, total: Double)], of id: FamilyID) {
    let list = BusiestSeries(found, isAll: found.count == Int(families[Int(id)].seriesCount))
    if families[Int(id)].busiest != 0 {
      busiestSeries[Int(families[Int(id)].busiest) - 1] = list
      return
    }
    if busiestSeries.count == Self.busiestLimit {
      for index in 0..<familiesMade { families[index].busiest = 0 }
      busiestSeries.removeAll()
    }
    busiestSeries.append(list)
    families[Int(id)].busiest = UInt32(busiestSeries.count)
  }

  /// Forgets which series are a family's busiest.
  mutating func forgetBusiest(of id: FamilyID) {
    // The place is used again when all are forgotten.
    families[Int(id)].busiest = 0
  }

  @inline(__always)
  mutating func noteTotal(_ id: Int, _ total: Double, hasGrown: Bool) {
    let place = Int(families[Int(series[id].family)].busiest)
    if place != 0 { busiestSeries[place - 1].note(SeriesID(id), total, hasGrown: hasGrown) }
  }

  /// The same of a counter, whose answers begin with its last reset.
  @inline(__always)
  mutating func noteCount(_ id: Int, hasGrown: Bool) {
    if families[Int(series[id].family)].busiest == 0 { return }
    let total = seriesBases.isEmpty ? series[id].total.value : countSinceReset(SeriesID(id)).value
    noteTotal(id, total, hasGrown: hasGrown)
  }
}
