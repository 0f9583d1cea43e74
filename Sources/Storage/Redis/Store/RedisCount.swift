/// What Redis holds of one counter.
package struct RedisCount: Equatable, Sendable {
  /// All other agents' totals less their bases.
  package var others: RedisNumber
  /// This agent's, as last written; nil: never.
  package var ownTotal: RedisNumber?
  package var ownBase: RedisNumber
  /// Agents that have written it.
  package var agents: Int

  /// What anybody with `redis-cli` would sum up.
  package var sum: RedisNumber { others + ((ownTotal ?? .zero) - ownBase) }

  /// Reads the reply to HGETALL. What is no number, which no agent writes, counts nothing.
  init?(_ reply: RESPValue, agent: [UInt8]) {
    guard let pairs = reply.pairs else { return nil }
    var totals: [[UInt8]: RedisNumber] = [:]
    for (field, value) in pairs {
      if let name = field.text, let number = value.text.flatMap(RedisNumber.init) { totals[name] = number }
    }
    func base(_ agent: [UInt8]) -> RedisNumber { totals[agent + Self.suffix] ?? .zero }
    ownTotal = totals[agent]
    ownBase = base(agent)
    others = .zero
    agents = 0
    for (name, total) in totals where !name.hasSuffix(Self.suffix) {
      agents += 1
      if name != agent { others = others + (total - base(name)) }
    }
  }

  private static let suffix = Array(".base".utf8)
}

extension [UInt8] {
  fileprivate func hasSuffix(_ suffix: [UInt8]) -> Bool { self.suffix(suffix.count).elementsEqual(suffix) }
}
