import Aggregation
import Protocol

/// One walk over the series of a family, cut into slices: the greatest ones, and sums over those that a filter includes.
///
/// Nothing may be gathered from the first step to the last (`ConsistentRead`).
struct FamilyScan {
  let family: FamilyID
  let kind: SampleKind
  private let filter: SeriesFilter
  private let window: StatsWindow?
  private let ranksByRecent: Bool
  private var next: SeriesID?
  private(set) var top: TopList<SeriesID>

  /// Over the series included: how many, and where a filter chooses them their total, and of timers the sum of all values.
  private(set) var seriesCount = 0
  private(set) var total: (whole: Int64?, value: Double) = (0, 0)
  private(set) var sum = 0.0
  /// Those of them that have a history, and what it holds of the window.
  private(set) var withHistory = 0
  private(set) var recent = HistoryAmount()
  private(set) var plot: HistoryPlot?
  private(set) var sketches: HistoryBlobPlot<Sketch>?
  private(set) var members: HistoryBlobPlot<HyperLogLog.Ranks>?

  /// What a series costs whose history is read, whose sketches or registers are merged, in plain series.
  private static let historyCost = 20
  private static let sketchCost = 400
  private static let setCost = 1_000

  /// - Parameters:
  ///   - window: adds up what the series included have counted within it; nil: only totals.
  ///   - ranksByRecent: the top are those that counted most within the window.
  init(
    _ family: FamilyID, in view: borrowing MergedView, top: Int, filter: SeriesFilter = .init(),
    window: StatsWindow? = nil, ranksByRecent: Bool = false
  ) {
    self.family = family
    kind = view.family(family).kind
    self.filter = filter
    self.window = window
    self.ranksByRecent = ranksByRecent
    next = view.firstSeries(of: family)
    self.top = TopList(limit: top)
    takeKnown(view, top)
    guard let window, kind.hasHistory else { return }
    if kind != .set { plot = window.plot }
    if kind == .set { members = .init(from: window.sketchStart, to: window.wall) }
    if kind.isTimer { sketches = .init(from: window.sketchStart, to: window.wall) }
    // The family's own history holds what left, too, and what of its series gave way.
    if filter.matches.isEmpty { takeFamily(view, window) }
  }

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

  /// Spares the walk where its end is known.
  private mutating func takeKnown(_ view: borrowing MergedView, _ count: Int) {
    if !filter.matches.isEmpty || ranksByRecent || !kind.isSummed { return }
    guard let known = view.busiest(of: family, count: count) else { return }
    for (place, id) in known.enumerated() { top.offer(id, rank: -Double(place)) }
    seriesCount = Int(view.family(family).seriesCount)
    next = nil
  }

  private mutating func takeFamily(_ view: borrowing MergedView, _ window: StatsWindow) {
    recent = view.recent(ofFamily: family, from: window.countStart) ?? HistoryAmount()
    if var plot = plot.take() {
      view.add(family: family, to: &plot)
      self.plot = plot
    }
    if var sketches = sketches.take() {
      view.add(family: family, to: &sketches)
      self.sketches = sketches
    }
    if var members = members.take() {
      view.add(family: family, to: &members)
      self.members = members
    }
  }

  private mutating func take(_ id: SeriesID, _ view: inout MergedView, _ budget: inout Int) {
    let series = view.series(id)
    seriesCount += 1
    let recent = takeHistory(id, view, &budget)
    switch kind {
    case .counter, .event:
      let count = view.countSinceReset(id)
      add(count)
      top.offer(id, rank: ranksByRecent ? recent : count.value)
    case .gauge, .serviceCheck:
      top.offer(id, rank: series.gauge)
    case .set:
      budget -= Self.setCost
      top.offer(id, rank: Double(view.cardinality(series)))
    case .timer, .histogram, .distribution:
      let timer = view.timer(series)
      add((Int64(exactly: timer.count), timer.count))
      sum += timer.sum
      top.offer(id, rank: ranksByRecent ? recent : timer.count)
    }
  }

  /// - Returns: the series' count within the window, 0 if it is not wanted.
  private mutating func takeHistory(_ id: SeriesID, _ view: borrowing MergedView, _ budget: inout Int) -> Double {
    guard let window, kind.hasHistory, let amount = view.recent(of: id, from: window.countStart) else { return 0 }
    budget -= Self.historyCost
    withHistory += 1
    if filter.matches.isEmpty { return amount.count.value }
    recent.add(amount)
    if var plot = plot.take() {
      view.add(id, to: &plot)
      self.plot = plot
    }
    if var sketches = sketches.take() {
      budget -= Self.sketchCost
      view.add(id, to: &sketches)
      self.sketches = sketches
    }
    if var members = members.take() {
      budget -= Self.setCost
      view.add(id, to: &members)
      self.members = members
    }
    return amount.count.value
  }

  private mutating func add(_ more: (whole: Int64?, value: Double)) {
    let whole = total.whole.flatMap { mine in more.whole.map { mine.addingReportingOverflow($0) } }
    total = (whole.flatMap { $0.overflow ? nil : $0.partialValue }, total.value + more.value)
  }
}

extension SampleKind {
  /// Whether a total over all series says something: a sum of counts, or a number of samples.
  var isSummed: Bool {
    switch self {
    case .counter, .event, .timer, .histogram, .distribution: true
    case .gauge, .set, .serviceCheck: false
    }
  }

  /// Whether what it counted within some time is kept.
  var hasHistory: Bool { isSummed || self == .set }
}
