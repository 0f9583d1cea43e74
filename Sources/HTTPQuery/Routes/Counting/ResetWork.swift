import Aggregation
import Protocol

/// `DELETE /series?metric=&match=`: counters begin anew at 0, all other series leave.
///
/// Counters stay in `/metrics`, where one that fell would be a restart. The others' records are their tables' owners' to give up, so they
/// leave with the next flushes; one that is written meanwhile stays.
///
/// What agents share is reset in the store as well, so many at a time, each as `PageCount.reset` does it.
final class ResetWork {
  static let route = Route(.delete, "/series", "Reset counters, remove other series", readsCounts: true) {
    state, call in
    answer(state, call)
  }

  /// Series looked at in one turn of the loop: about a millisecond.
  private static let slice = 20_000
  /// Counters that are reset in the store at a time.
  private static let sharedAtOnce = 512

  private let state: QueryState
  private let pin: ViewPin
  private let metric: Glob
  private let filter: SeriesFilter
  private var family: FamilyID?
  private var next: SeriesID?
  private var leaving: Set<SeriesID> = []
  private var removed = 0
  /// To be reset in the store next.
  private var shared: [SharedKey] = []
  private var isRefused = false
  /// Counters of which the store did not say whether they were reset.
  private var unknown = 0

  private static func answer(_ state: QueryState, _ call: Route.Call) -> Route.Answer {
    var parameters = QueryParameters(call.request)
    let metric = parameters.glob("metric")
    let filter = SeriesFilter(matches: parameters.labelMatches())
    if parameters.text("metric") == nil { parameters.miss("metric") }
    if let refusal = parameters.refusal { return .ready(refusal) }
    guard let metric else { return .ready(.fault(.notFound)) }
    let work = ResetWork(state, metric, filter)
    return .work { work.step() }
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

  private func step() -> Route.Answer? {
    var budget = Self.slice
    while let family {
      if shared.count == Self.sharedAtOnce { return resetShared() }
      if budget <= 0 { return nil }
      budget -= 1
      guard let id = next else {
        enter(state.view.family(after: family))
        continue
      }
      if filter.includes(id, state.view) { take(id) }
      next = state.view.series(after: id)
    }
    return shared.isEmpty ? .ready(finish()) : resetShared()
  }

  private func take(_ id: SeriesID) {
    switch state.view.series(id).kind {
    case .counter, .event:
      if state.sharing != nil, let key = state.view.sharedKey(of: id) { return shared.append(key) }
      state.view.reset(id)
    case .gauge, .timer, .histogram, .distribution, .set, .serviceCheck: leaving.insert(id)
    }
    removed += 1
  }

  private func finish() -> Response {
    state.view.dismiss(leaving)
    if isRefused { return .cannotResetMore(removed, unknown: unknown) }
    return .json(JSONWriter.object { $0.member("removed", removed) })
  }

  // MARK: In the store

  /// What this agent has counted is written first, then reset as far as it was.
  private func resetShared() -> Route.Answer {
    let keys = shared
    shared = []
    return .shared(keys.map { .write($0) }) { written in
      var totals: [SharedKey: SharedNumber] = [:]
      for key in keys {
        if case .written(let total) = written[key] { totals[key] = total }
      }
      return .shared(totals.map { .reset($0.key, own: $0.value) }) { replies in
        self.take(replies, of: totals, asked: keys.count)
        return .work { self.step() }
      }
    }
  }

  private func take(_ replies: SharedReplies, of totals: [SharedKey: SharedNumber], asked: Int) {
    var done = 0
    for (key, total) in totals {
      if case .unanswered = replies[key] {
        unknown += 1
        state.view.share(key)
      }
      guard case .reset = replies[key] else { continue }
      done += 1
      if let id = state.view.series(sharedAs: key) { state.view.reset(id, at: total) }
    }
    removed += done
    if done < asked { isRefused = true }
    // Where none could be, the next cannot either.
    if done == 0 { family = nil }
  }
}

extension Response {
  fileprivate static func cannotResetMore(_ count: Int, unknown: Int) -> Response {
    let done = "only \(count) were reset or removed"
    return .fault(
      .serviceUnavailable,
      unknown == 0
        ? "Redis cannot be used; \(done)" : "Redis did not answer; \(done), and of \(unknown) more it is not known",
      retryAfterSeconds: 1)
  }
}
