/// Whose counts an answer has: those of all agents, as long as there is a store that they share, or this one's.
enum StatsScope: String {
  case all, local

  private static let words = [all.rawValue, local.rawValue]

  /// What `scope` says; without a store all agents' counts are this one's.
  init(_ parameters: inout QueryParameters, _ state: QueryState) {
    let word = parameters.word("scope", of: Self.words)
    self = state.sharing == nil ? .local : Self(rawValue: word) ?? .all
  }
}

extension JSONWriter {
  /// What tells a partial sum from a whole one; nothing where agents share no store.
  /// - Parameter parts: nil: this agent's own counts.
  mutating func members(of parts: SharedParts?, _ state: QueryState) {
    if state.sharing == nil { return }
    member("scope", (parts == nil ? StatsScope.local : .all).rawValue)
    member("redis_missing", parts?.missing ?? 0)
  }
}
