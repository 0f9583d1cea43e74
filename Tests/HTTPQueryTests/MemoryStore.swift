import Synchronization

@testable import Aggregation
@testable import HTTPQuery

/// A shared store in memory, with this agent's totals and those of one other; the test takes it away and holds it back.
final class MemoryStore: Sendable {
  struct State {
    var own: [SharedKey: (total: SharedNumber, base: SharedNumber)] = [:]
    /// What another agent has counted, and the base of it.
    var others: [SharedKey: (total: SharedNumber, base: SharedNumber)] = [:]
    var cache: [SharedKey: SharedHolding] = [:]
    var news: [SharedNews] = []
    var condition = SharedCondition()
    /// What the cache has that is too old, until the read of it fails.
    var stale: [SharedKey: SharedHolding] = [:]
    /// There is room for writes and asks.
    var hasRoom = true
    /// Keys whose server is away.
    var away: Set<SharedKey> = []
    /// Resets are done, but nobody is told.
    var losesResets = false
    var wantsFullPass = false
    /// Reads get no answer.
    var isSilent = false
    /// Writes wait here, in their order, until this is off.
    var holdsWrites = false
    var held: [SharedWrite] = []
    /// Of totals that were taken.
    var writes = 0
    var reads = 0
  }

  private let state = Mutex(State())
  private let flushInterval: Int64

  /// - Parameter flushInterval: as long as no test runs, unless another is given.
  init(flushInterval: Int64 = 3_600_000_000_000) {
    self.flushInterval = flushInterval
    change { $0.condition.nodes = [("redis://a", true)] }
  }

  func change<Result: Sendable>(_ body: (inout sending State) -> Result) -> Result { state.withLock { body(&$0) } }

  /// All servers come or go.
  func set(isUp: Bool, _ agent: AgentState) {
    change { state in
      state.condition.nodes = [("redis://a", isUp)]
      state.condition.generation += 1
    }
    agent.wake()
  }

  func releaseWrites(_ agent: AgentState) {
    change { state in
      state.holdsWrites = false
      let held = state.held
      state.held = []
      for write in held { state.take(write) }
    }
    agent.wake()
  }

  func store(_ agent: AgentState) -> SharedStore {
    SharedStore(
      flushInterval: flushInterval, batchSize: 1_000_000,
      write: { write in
        self.offer(agent) { $0.take(write) }
      },
      read: { key, ticket in
        self.offer(agent) { $0.read(key, ticket) }
      },
      reset: { key, own, ticket in
        self.offer(agent) { $0.reset(key, own, ticket) }
      },
      cached: { key in self.change { $0.cache[key] } },
      takeNews: {
        self.change { state in
          let news = state.news
          state.news = []
          return news
        }
      },
      takeFullPass: {
        self.change { state in
          defer { state.wantsFullPass = false }
          return state.wantsFullPass
        }
      }, condition: { self.change { $0.condition } })
  }
}

extension MemoryStore {
  /// - Returns: false if there is no room.
  private func offer(_ agent: AgentState, _ body: (inout sending State) -> Void) -> Bool {
    let isTaken = change { state in
      if state.hasRoom { body(&state) }
      return state.hasRoom
    }
    if isTaken { agent.wake() }
    return isTaken
  }

  /// Changes something, of which the agent learns.
  func tell(_ agent: AgentState, _ body: (inout sending State) -> Void) {
    change(body)
    agent.wake()
  }
}

extension MemoryStore.State {
  private func isUp(_ key: SharedKey) -> Bool { condition.nodes.contains { $0.isUp } && !away.contains(key) }

  mutating func take(_ write: SharedWrite) {
    guard case .total(let total, let base, let known) = write.value else {
      return news.append(.written(ticket: write.ticket))
    }
    if holdsWrites { return held.append(write) }
    writes += 1
    if !isUp(write.key) { return news.append(.unwritten(ticket: write.ticket)) }
    let stored = own[write.key] ?? (.zero, .zero)
    if let known, known < stored.total {
      return news.append(.found(ticket: write.ticket, write.key, total: stored.total, base: stored.base))
    }
    own[write.key] = (total, base < stored.base ? stored.base : base)
    news.append(
      base < stored.base
        ? .rebased(ticket: write.ticket, write.key, base: stored.base) : .written(ticket: write.ticket))
  }

  mutating func read(_ key: SharedKey, _ ticket: UInt64) {
    if isSilent { return }
    reads += 1
    guard isUp(key) else {
      if let holding = stale[key] { cache[key] = holding }
      return news.append(.failed(ticket: ticket, "away"))
    }
    let other = others[key]
    let agents = (own[key] == nil ? 0 : 1) + (other == nil ? 0 : 1)
    let holding = SharedHolding.total(
      others: other.map { $0.total - $0.base } ?? .zero, own: own[key]?.total, ownBase: own[key]?.base ?? .zero,
      agents: agents)
    news.append(.holding(ticket: ticket, holding, served: "redis"))
  }

  mutating func reset(_ key: SharedKey, _ total: SharedNumber?, _ ticket: UInt64) {
    guard isUp(key) else { return news.append(.failed(ticket: ticket, "away")) }
    if let total { own[key] = (total, total) }
    if let other = others[key] { others[key] = (other.total, other.total) }
    news.append(losesResets ? .unanswered(ticket: ticket) : .reset(ticket: ticket, served: "redis"))
  }
}
