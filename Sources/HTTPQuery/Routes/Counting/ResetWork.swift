import Aggregation
import Protocol

/// `DELETE /series?metric=&match=`: counters begin anew at 0, all other series leave.
///
/// Counters stay in `/metrics`, where one that fell would be a restart. The others' records are their tables' owners' to give up, so they
/// leave with the next flushes; one that is written meanwhile stays.
final class ResetWork {
  static let route = Route(.delete, "/series", "Reset counters, remove other series", readsCounts: true) {
    state, call in
    answer(state, call)
  }

  /// Series looked at in one turn of the loop: about a millisecond.
  private static let slice = 20_000

  private let state: QueryState
  private let pin: ViewPin
  private let metric: Glob
  private let filter: SeriesFilter
  private var family: FamilyID?
  private var next: SeriesID?
  private var leaving: Set<SeriesID> = []
  private var removed = 0

  private static func answer(_ state: QueryState, _ call: Route.Call) -> Route.Answer {
    var parameters = QueryParameters(call.request)
    let metric = parameters.glob("metric")
    let filter = SeriesFilter(matches: parameters.labelMatches())
    if parameters.text("metric") == nil { parameters.miss("metric") }
    if let refusal = parameters.refusal { return .ready(refusal) }
    guard let metric else { return .ready(.fault(.notFound)) }
    let work = ResetWork(state, metric, filter)
    return .work { work.step().map { .ready($0) } }
  }

  private init(_ state: QueryState, _ metric: Glob, _ filter: SeriesFilter) {
    self.state = state
    pin = ViewPin(state)
    self.metric = metric
    self.filter = filter
    enter(state.view.firstFamily)
  }

  private func enter(_ family: FamilyID?) {
    self.family = family
    next = family.flatMap { metric.matches(state.view.name(of: $0).span) ? state.view.firstSeries(of: $0) : nil }
  }

  private func step() -> Response? {
    var budget = Self.slice
    while let family {
      if budget <= 0 { return nil }
      budget -= 1
      guard let id = next else {
        enter(state.view.family(after: family))
        continue
      }
      if filter.includes(id, state.view) { take(id) }
      next = state.view.series(after: id)
    }
    state.view.dismiss(leaving)
    return .json(JSONWriter.object { $0.member("removed", removed) })
  }

  private func take(_ id: SeriesID) {
    removed += 1
    switch state.view.series(id).kind {
    case .counter, .event: state.view.reset(id)
    case .gauge, .timer, .histogram, .distribution, .set, .serviceCheck: leaving.insert(id)
    }
  }
}
