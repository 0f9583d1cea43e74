import Aggregation
import Bytes
import Platform
import Protocol

/// `/stats`: totals, and the busiest metrics with their busiest series.
///
/// One pass over the families picks those to show. Of a large one the busiest series are known (`MergedView.busiest`) but for the first
/// time, when they are looked for in slices; the series of a small one are looked through. What other agents have counted is asked for
/// when it is known which metrics are shown; then all sums are made in one turn.
final class StatsWork {
  /// Series of a metric that are shown.
  private static let topSeries = 10
  /// Families or series in one turn of the loop: about a millisecond.
  private static let slice = 50_000

  private let state: QueryState
  /// Until all is found.
  private var reading: ConsistentRead?
  private let question: StatsAnswer.Question
  private let scope: StatsScope
  private var next: FamilyID?
  private var picked: TopList<FamilyID>
  private var families: [FamilyID] = []
  /// Of those families, the ones whose busiest series have been found.
  private var shown: [StatsAnswer.Metric] = []
  private var scan: BusiestScan?
  private var hasPicked = false

  static func answer(_ state: QueryState, _ call: Route.Call) -> Route.Answer {
    var parameters = QueryParameters(call.request)
    let limit = parameters.integer("limit", default: 100, in: 1...1_000)
    let window = StatsWindow(&parameters, wall: state.view.wall)
    let scope = StatsScope(&parameters, state)
    if let refusal = parameters.refusal { return .ready(refusal) }
    let question = StatsAnswer.Question(limit: limit, window: scope == .all ? window.shared : window)
    if scope == .local, let known = state.stats.response(to: question, state) { return .ready(known) }
    let work = StatsWork(state, question, scope)
    // Most are done at once.
    return work.step() ?? .work { work.step() }
  }

  private init(_ state: QueryState, _ question: StatsAnswer.Question, _ scope: StatsScope) {
    self.state = state
    reading = ConsistentRead(state)
    self.question = question
    self.scope = scope
    next = state.view.firstFamily
    picked = TopList(limit: question.limit)
  }

  private func step() -> Route.Answer? {
    if !find() { return nil }
    let (state, question, shown) = (state, question, shown)
    if scope == .local {
      state.stats.keep(question, state, shown: shown)
      return state.stats.response(to: question, state).map { .ready($0) }
    }
    // Nothing is held while others are asked.
    reading = nil
    let keys = keys
    return .shared(keys.map { .read($0) }) { replies in
      .ready(state.stats.response(to: question, state, shown: shown, parts: SharedParts(replies, of: keys)))
    }
  }

  /// - Returns: true when it is known what to show.
  private func find() -> Bool {
    var budget = Self.slice
    if !hasPicked && !pick(&state.view, &budget) { return false }
    while shown.count < families.count {
      let family = families[shown.count]
      var scan = scan.take() ?? BusiestScan(family, in: state.view, count: Self.topSeries)
      guard let top = scan.step(&state.view, budget: &budget) else {
        self.scan = scan
        return false
      }
      shown.append(metric(family, top))
    }
    return true
  }

  private func metric(_ id: FamilyID, _ top: [SeriesID]) -> StatsAnswer.Metric {
    let family = state.view.family(id)
    let details = JSONWriter.object { json in
      json.member("series", family.seriesCount)
      json.key("top")
      json.array { json in
        for series in top { json.object { $0.members(of: series, in: &state.view) } }
      }
    }
    return .init(name: state.view.name(of: id), kind: family.kind, details: details)
  }

  /// Where others' parts of the sums are.
  private var keys: [SharedKey] {
    let totals = [(VisitNames.visit, SampleKind.counter), (VisitNames.buy, .counter)]
    let metrics = totals + shown.map { ($0.name, $0.kind) }
    let keys = metrics.flatMap { MetricCounts.keys($0.0, $0.1, question.window) }
    return Array(Set(keys + MetricCounts.visitorKeys(state, question.window)))
  }

  /// - Returns: true when the metrics to show are known.
  private func pick(_ view: inout MergedView, _ budget: inout Int) -> Bool {
    while let id = next {
      if budget <= 0 { return false }
      budget -= 1
      picked.offer(id, rank: view.countSinceReset(family: id).value)
      next = view.family(after: id)
    }
    families = picked.elements
    hasPicked = true
    return true
  }
}
