import Aggregation

/// What a page's visits come to, and where that is known from.
///
///     visits     = what others have counted − their bases   as the store says, or said a short while ago
///                + what this agent has counted − its base   as it is now
///     served_via = batch        some of it is not in the store yet
///                  in_memory    nobody was asked, or nobody answered
///                  redis…       the server that answered
struct PageCount {
  let visits: SharedNumber
  let servedVia: String
  /// Whether any agent has counted it.
  let isKnown: Bool

  private static let inMemory = "in_memory"

  private init(_ visits: SharedNumber, via servedVia: String, isKnown: Bool = true) {
    self.visits = visits
    self.servedVia = servedVia
    self.isKnown = isKnown
  }

  /// What a series had counted here when a visit had just been counted into it: the visit's answer is of that moment, so that no two say
  /// the same.
  private struct Visit {
    let series: SeriesID
    let counted: SharedNumber

    init(_ series: SeriesID, _ state: QueryState) {
      self.series = series
      counted = state.view.countedHere(series)
    }

    /// A total, and its base, less what has come since the visit, unless a reset has.
    func total(of own: (total: SharedNumber, base: SharedNumber), _ state: QueryState) -> SharedNumber {
      let since = state.view.countedHere(series) - counted
      let then = own.total - since
      return since < .zero || then < own.base ? own.total : then
    }
  }

  /// What this agent has counted itself.
  private static func own(_ series: SeriesID?, _ state: QueryState, at visit: Visit? = nil) -> PageCount {
    guard let series else { return PageCount(.zero, via: inMemory, isKnown: false) }
    let own = state.view.shared(series)
    return PageCount((visit?.total(of: own, state) ?? own.total) - own.base, via: inMemory)
  }

  /// What all agents have counted.
  private static func all(
    _ key: SharedKey, _ reply: SharedReply, _ state: QueryState, at visit: Visit?
  ) -> PageCount {
    let series = state.view.series(sharedAs: key)
    guard case .holding(.total(let others, let stored, let storedBase, let agents, let isOfRun), let served) = reply
    else { return own(series, state, at: visit) }
    let earlier = isOfRun ? nil : stored
    var own = series.map { state.view.shared($0, earlier: earlier) } ?? (total: stored ?? .zero, base: storedBase)
    if own.base < storedBase { own.base = storedBase }
    let total = visit?.total(of: own, state) ?? own.total
    let isStored = visit == nil ? total == stored ?? .zero : !(stored ?? .zero < total)
    return PageCount(
      others + total - own.base, via: isStored ? served ?? inMemory : "batch", isKnown: series != nil || agents > 0)
  }

  var response: Response {
    .json(
      JSONWriter.object(capacity: 128) { json in
        json.member("visits", total: visits.total)
        json.member("served_via", servedVia)
      })
  }

  // MARK: Asking

  /// The answer to a visit that was counted into a series.
  static func counted(_ state: QueryState, _ series: SeriesID) -> Route.Answer {
    guard let sharing = state.sharing, let key = state.view.sharedKey(of: series) else {
      return .ready(own(series, state).response)
    }
    let visit = Visit(series, state)
    if sharing.store.flushInterval > 0 { return read(state, .read(key), at: visit) { .ready($0.response) } }
    return .shared([.write(key)]) { replies in
      // What is known from before the write is not asked for, unless nobody can be.
      guard case .written = replies[key] else { return read(state, .read(key), at: visit) { .ready($0.response) } }
      return read(state, .readAnew(key), at: visit) { .ready($0.response) }
    }
  }

  /// An answer that says no count: at once, or when what was counted is written if that is how changes go.
  static func written(_ state: QueryState, _ series: SeriesID, _ then: @escaping () -> Route.Answer) -> Route.Answer {
    guard let sharing = state.sharing, sharing.store.flushInterval == 0, let key = state.view.sharedKey(of: series)
    else { return then() }
    return .shared([.write(key)]) { _ in then() }
  }

  /// Reads the count of a page: all agents', or with `scope=local` this one's.
  static func read(
    _ state: QueryState, _ call: Route.Call, _ page: String, _ then: @escaping (PageCount) -> Route.Answer
  ) -> Route.Answer {
    var parameters = QueryParameters(call.request)
    let scope = StatsScope(&parameters, state)
    if let refusal = parameters.refusal { return .ready(refusal) }
    if scope == .local { return then(own(state.visitSeries(of: page), state)) }
    return read(state, .read(state.visitKey(of: page)), then)
  }

  private static func read(
    _ state: QueryState, _ ask: SharedAsk, at visit: Visit? = nil, _ then: @escaping (PageCount) -> Route.Answer
  ) -> Route.Answer {
    .shared([ask]) { then(all(ask.key, $0[ask.key], state, at: visit)) }
  }

  /// Goes on with a page that some agent has counted.
  static func known(
    _ state: QueryState, _ key: SharedKey, _ then: @escaping (SharedKey) -> Route.Answer
  ) -> Route.Answer {
    if state.view.series(sharedAs: key) != nil { return then(key) }
    if state.sharing == nil { return .ready(.noPage) }
    return .shared([.readAnew(key)]) { replies in
      // What is known from a short while ago does not tell that there is none.
      guard case .holding(.total(_, _, _, let agents, _), _?) = replies[key] else { return .ready(.cannotReset) }
      return agents > 0 ? then(key) : .ready(.noPage)
    }
  }

  // MARK: Resetting

  /// Lets a page's count begin anew, with all agents or not at all.
  ///
  /// The store is told first what this agent has counted, as the journal knows it; that becomes the base, there and then here. What is
  /// counted meanwhile is more than it, and stays.
  static func reset(
    _ state: QueryState, _ key: SharedKey, _ then: @escaping (PageCount) -> Response
  ) -> Route.Answer {
    let series = state.view.series(sharedAs: key)
    if state.sharing == nil {
      if let series { state.view.reset(series) }
      return .ready(then(own(series, state)))
    }
    if series == nil { return reset(state, key, own: nil, then) }
    return .shared([.write(key)]) { replies in
      guard case .written(let total) = replies[key] else { return .ready(.cannotReset) }
      return reset(state, key, own: total, then)
    }
  }

  private static func reset(
    _ state: QueryState, _ key: SharedKey, own: SharedNumber?, _ then: @escaping (PageCount) -> Response
  ) -> Route.Answer {
    .shared([.reset(key, own: own)]) { replies in
      guard case .reset(let served) = replies[key] else {
        if case .unanswered = replies[key] {
          // The next write reads back what became of it.
          state.view.share(key)
          return .ready(.mayBeReset)
        }
        return .ready(.cannotReset)
      }
      if let own, let series = state.view.series(sharedAs: key) { state.view.reset(series, at: own) }
      return .ready(then(PageCount(.zero, via: served)))
    }
  }
}

extension SharedNumber {
  init(_ total: (whole: Int64?, value: Double)) {
    self = total.whole.map { .whole($0) } ?? SharedNumber(whole: 0, fraction: total.value)
  }

  /// As the view's own totals are.
  var total: (whole: Int64?, value: Double) {
    if case .whole(let whole) = self { (whole, Double(whole)) } else { (nil, value) }
  }
}

extension Response {
  static var cannotReset: Response {
    .fault(.serviceUnavailable, "Redis cannot be used; nothing was reset", retryAfterSeconds: 1)
  }
  static var mayBeReset: Response {
    .fault(.serviceUnavailable, "Redis did not answer; whether it was reset is not known", retryAfterSeconds: 1)
  }
}
