import Aggregation
import Protocol

/// One walk over the series of a family, cut into slices: the greatest ones, and sums over those that a filter includes.
///
/// The view must be pinned from the first step to the last.
struct FamilyScan {
  let family: FamilyID
  let kind: SampleKind
  private let filter: SeriesFilter
  private let merges: Bool
  private var next: SeriesID?
  private(set) var top: TopList<SeriesID>

  /// Over the series included: how many, their total, and of timers the sum of all values and the window's samples.
  private(set) var seriesCount = 0
  private(set) var total: (whole: Int64?, value: Double) = (0, 0)
  private(set) var sum = 0.0
  private(set) var sketch = Sketch()
  /// Of sets the union of their members.
  private var members: HyperLogLog.Ranks?

  /// What a series costs whose sketch or registers are merged, in plain series.
  private static let sketchCost = 200
  private static let setCost = 1_000

  init(
    _ family: FamilyID, in view: borrowing MergedView, top: Int, filter: SeriesFilter = .init(),
    merges: Bool = false
  ) {
    self.family = family
    kind = view.family(family).kind
    self.filter = filter
    self.merges = merges
    next = view.firstSeries(of: family)
    self.top = TopList(limit: top)
  }

  /// Distinct members of all sets included.
  var distinct: UInt64 { members?.cardinality ?? 0 }

  /// Goes on for up to about `budget` series, and takes what it used off it.
  /// - Returns: true at the end.
  mutating func step(_ view: inout MergedView, budget: inout Int) -> Bool {
    while let id = next {
      if budget <= 0 { return false }
      budget -= 1
      if filter.includes(id, view) { take(id, &view, &budget) }
      next = view.series(after: id)
    }
    return true
  }

  private mutating func take(_ id: SeriesID, _ view: inout MergedView, _ budget: inout Int) {
    let series = view.series(id)
    seriesCount += 1
    switch kind {
    case .counter, .event:
      let count = view.countSinceReset(id)
      add(count)
      top.offer(id, rank: count.value)
    case .gauge, .serviceCheck:
      top.offer(id, rank: series.gauge)
    case .set:
      budget -= Self.setCost
      top.offer(id, rank: Double(view.cardinality(series)))
      if merges {
        var union = members.take() ?? .init()
        view.addMembers(of: series, to: &union)
        members = union
      }
    case .timer, .histogram, .distribution:
      let timer = view.timer(series)
      add((Int64(exactly: timer.count), timer.count))
      sum += timer.sum
      top.offer(id, rank: timer.count)
      if merges {
        budget -= Self.sketchCost
        sketch.merge(view.recentSketch(series))
      }
    }
  }

  private mutating func add(_ more: (whole: Int64?, value: Double)) {
    let whole = total.whole.flatMap { mine in more.whole.map { mine.addingReportingOverflow($0) } }
    total = (whole.flatMap { $0.overflow ? nil : $0.partialValue }, total.value + more.value)
  }
}
