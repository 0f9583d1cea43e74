import Aggregation
/// What Redis holds of one counter.
package struct RedisCount: Equatable, Sendable {
  /// All other agents' totals less their bases.
  package var others: SharedNumber
  /// This agent's, as last written; nil: never.
  package var ownTotal: SharedNumber?
  package var ownBase: SharedNumber
  /// Agents that have written it.
  package var agents: Int

  /// What anybody with `redis-cli` would sum up.
  package var sum: SharedNumber { others + ((ownTotal ?? .zero) - ownBase) }

  /// Reads the reply to HGETALL. What is no number, which no agent writes, counts nothing.
  init?(_ reply: RESPValue, agent: [UInt8]) {
    guard let pairs = reply.pairs else { return nil }
    var totals: [[UInt8]: SharedNumber] = [:]
    for (field, value) in pairs {
      if let name = field.text, let number = value.text.flatMap(SharedNumber.init) { totals[name] = number }
    }
    func base(_ agent: [UInt8]) -> SharedNumber { totals[agent + Self.suffix] ?? .zero }
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
