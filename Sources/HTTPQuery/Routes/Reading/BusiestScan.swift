import Aggregation

/// The busiest series of one family: known (`MergedView.busiest`) but for the first time, when they are looked for in slices.
struct BusiestScan {
  private let family: FamilyID
  private let count: Int
  private let isKept: Bool
  private var scan: FamilyScan?

  /// - Parameter count: how many are wanted, `MergedView.busiestKept` at most.
  init(_ family: FamilyID, in view: borrowing MergedView, count: Int) {
    self.family = family
    self.count = count
    isKept = view.family(family).kind.isSummed && view.family(family).seriesCount >= MergedView.busiestFrom
  }

  /// Goes on for up to about `budget` series, and takes what it used off it.
  /// - Returns: nil if it takes another slice.
  mutating func step(_ view: inout MergedView, budget: inout Int) -> [SeriesID]? {
    if isKept && scan == nil, let known = view.busiest(of: family, count: count) { return known }
    var scan = scan.take() ?? FamilyScan(family, in: view, top: isKept ? MergedView.busiestKept : count)
    if !scan.step(&view, budget: &budget) {
      self.scan = scan
      return nil
    }
    if isKept { view.keepBusiest(scan.top.ranked.map { (id: $0.element, total: $0.rank) }, of: family) }
    return Array(scan.top.elements.prefix(count))
  }
}
