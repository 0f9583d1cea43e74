import Aggregation
import Protocol

/// What metrics have counted, by this agent alone or by all that share a store.
struct MetricCounts {
  let state: QueryState
  let window: StatsWindow
  /// What could be had of the store; nil: this agent's own counts are wanted.
  let parts: SharedParts?

  static let users = Array("visit_users".utf8)
  static let addresses = Array("visit_addresses".utf8)

  /// Since the last reset, or of a timer this agent's since the start.
  func total(_ metric: [UInt8], _ kind: SampleKind) -> (whole: Int64?, value: Double) {
    let family = state.view.family(named: metric, kind: kind)
    if kind.isTimer { return family.map { state.view.family($0).total } ?? (0, 0) }
    guard let parts else { return family.map { state.view.countSinceReset(family: $0) } ?? (0, 0) }
    return parts.total(kind, metric, own: family, state.view).total
  }

  /// Within the window.
  func recent(_ metric: [UInt8], _ kind: SampleKind) -> (whole: Int64?, value: Double) {
    let family = state.view.family(named: metric, kind: kind)
    var amount = family.flatMap { state.view.recent(ofFamily: $0, from: window.countStart) } ?? HistoryAmount()
    parts?.forEachCount(kind, metric, in: window.span.counts, from: window.countStart) { amount.add($1) }
    return amount.count
  }

  /// Members of all sets `visit_users` within the window; where nobody sends users, the addresses that visits came from.
  var visitors: UInt64 {
    let usersAreKnown = state.view.family(named: Self.users, kind: .set) != nil
    let users = members(Self.users)
    return usersAreKnown || users > 0 ? users : members(Self.addresses)
  }

  private func members(_ metric: [UInt8]) -> UInt64 {
    let family = state.view.family(named: metric, kind: .set)
    if family == nil && parts == nil { return 0 }
    var members = HyperLogLog.Ranks()
    if let family { state.view.addMembers(ofFamily: family, from: window.sketchStart, to: &members) }
    parts?.addMembers(metric, window.sketchSpan, to: &members)
    return members.cardinality
  }

  // MARK: Keys

  /// Where others' part of `total` and `recent` is.
  static func keys(_ metric: [UInt8], _ kind: SampleKind, _ window: StatsWindow) -> [SharedKey] {
    switch kind {
    case .counter, .event: ([.total] + window.span.counts).map { SharedKey(kind, metric: metric, $0) }
    case .timer, .histogram, .distribution: window.span.counts.map { SharedKey(kind, metric: metric, $0) }
    case .gauge, .serviceCheck, .set: []
    }
  }

  /// Where the members of `visitors` are.
  static func visitorKeys(_ state: QueryState, _ window: StatsWindow) -> [SharedKey] {
    let isOfUsers = state.view.family(named: users, kind: .set) != nil
    return (isOfUsers ? [users] : [users, addresses]).flatMap { metric in
      window.sketchSpan.members.map { SharedKey(.set, metric: metric, $0) }
    }
  }
}
