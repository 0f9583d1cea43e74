import Aggregation
import Bytes
import Platform
import Protocol

/// `/stats`: totals, and the busiest metrics with their busiest series.
///
/// One pass over the families picks those to show. Of a large one the busiest series are known (`MergedView.busiest`) but for the first
/// time, when they are looked for in slices; the series of a small one are looked through.
final class StatsWork {
  /// Series of a metric that are shown.
  private static let topSeries = 10
  /// Families or series in one turn of the loop: about a millisecond.
  private static let slice = 50_000

  private let state: QueryState
  private let reading: ConsistentRead
  private let question: StatsAnswer.Question
  private var next: FamilyID?
  private var picked: TopList<FamilyID>
  private var shown: [(family: FamilyID, top: [SeriesID])] = []
  /// Metrics whose busiest series have been found, of those shown.
  private var found = 0
  private var scan: BusiestScan?
  private var hasPicked = false

  static func answer(_ state: QueryState, _ call: Route.Call) -> Route.Answer {
    var parameters = QueryParameters(call.request)
    let limit = parameters.integer("limit", default: 100, in: 1...1_000)
    let window = StatsWindow(&parameters, wall: state.view.wall)
    if let refusal = parameters.refusal { return .ready(refusal) }
    let question = StatsAnswer.Question(limit: limit, window: window)
    if let known = state.stats.response(to: question, state) { return .ready(known) }
    let work = StatsWork(state, question)
    // Most are done at once.
    if let response = work.step() { return .ready(response) }
    return .work { work.step().map { .ready($0) } }
  }

  private init(_ state: QueryState, _ question: StatsAnswer.Question) {
    self.state = state
    reading = ConsistentRead(state)
    self.question = question
    next = state.view.firstFamily
    picked = TopList(limit: question.limit)
  }

  private func step() -> Response? {
    var budget = Self.slice
    if !hasPicked && !pick(&state.view, &budget) { return nil }
    while found < shown.count {
      var scan = scan.take() ?? BusiestScan(shown[found].family, in: state.view, count: Self.topSeries)
      guard let top = scan.step(&state.view, budget: &budget) else {
        self.scan = scan
        return nil
      }
      shown[found].top = top
      found += 1
    }
    state.stats.keep(question, state, shown: shown)
    return state.stats.response(to: question, state)
  }

  /// - Returns: true when the metrics to show are known.
  private func pick(_ view: inout MergedView, _ budget: inout Int) -> Bool {
    while let id = next {
      if budget <= 0 { return false }
      budget -= 1
      picked.offer(id, rank: view.countSinceReset(family: id).value)
      next = view.family(after: id)
    }
    shown = picked.elements.map { ($0, []) }
    hasPicked = true
    return true
  }
}
