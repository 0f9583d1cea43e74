import Synchronization

@testable import Aggregation
@testable import HTTPQuery

/// What several agents share, in memory: each writes and reads at once, unless the test takes the store away.
final class AgentsInMemory: Sendable {
  struct State {
    /// By key and agent.
    var totals: [SharedKey: [Int: (total: SharedNumber, base: SharedNumber)]] = [:]
    var counts: [SharedKey: [Int: [Int: SharedNumber]]] = [:]
    var samples: [SharedKey: [Int: SharedSamples]] = [:]
    var members: [SharedKey: HyperLogLog.Ranks] = [:]
    var condition = SharedCondition()
    /// Keys that cannot be read.
    var isAway: @Sendable (SharedKey) -> Bool = { _ in false }
    var news: [Int: [SharedNews]] = [:]
    /// How often what is held under a key was read.
    var reads: [SharedKey: Int] = [:]
  }

  private let state = Mutex(State())

  func change<Result: Sendable>(_ body: (inout State) -> Result) -> Result { state.withLock { body(&$0) } }

  /// The store as an agent sees it.
  func store(of agent: Int) -> SharedStore {
    SharedStore(
      flushInterval: 0, batchSize: 1,
      write: { write in
        self.change { $0.take(write, of: agent) }
        return true
      },
      read: { key, ticket in
        self.change { state in
          state.reads[key, default: 0] += 1
          let news: SharedNews =
            state.isAway(key)
            ? .failed(ticket: ticket, "away")
            : .holding(ticket: ticket, state.holding(key, for: agent), served: "redis")
          state.news[agent, default: []].append(news)
        }
        return true
      },
      reset: { _, _, _ in false }, cached: { _ in nil },
      takeNews: { self.change { $0.news.removeValue(forKey: agent) ?? [] } },
      takeFullPass: { false }, condition: { self.change { $0.condition } })
  }
}

extension AgentsInMemory.State {
  fileprivate mutating func take(_ write: SharedWrite, of agent: Int) {
    switch write.value {
    case .total(let total, let base, _): totals[write.key, default: [:]][agent] = (total, base)
    case .counts(let counts):
      for (place, count) in counts { self.counts[write.key, default: [:]][agent, default: [:]][place] = count }
    case .members(let bytes): precondition(members[write.key, default: .init()].merge(redis: bytes))
    case .samples(let samples): self.samples[write.key, default: [:]][agent] = samples
    }
  }

  fileprivate func holding(_ key: SharedKey, for agent: Int) -> SharedHolding {
    switch key.part {
    case .total:
      let own = totals[key]?[agent]
      let others = (totals[key] ?? [:]).filter { $0.key != agent }.values
      return .total(
        others: others.reduce(.zero) { $0 + ($1.total - $1.base) }, own: own?.total, ownBase: own?.base ?? .zero,
        agents: totals[key]?.count ?? 0)
    case .hours, .minutes:
      var sums: [Int: SharedNumber] = [:]
      for (other, counts) in counts[key] ?? [:] where other != agent {
        for (place, count) in counts { sums[place] = (sums[place] ?? .zero) + count }
      }
      return .counts(sums)
    case .members: return .members(members[key].map { HyperLogLog($0).bytes } ?? [])
    case .samples:
      var sum = Sketch()
      for (other, samples) in samples[key] ?? [:] where other != agent { sum.merge(samples) }
      return .samples(SharedSamples(sum))
    }
  }
}

extension Counted {
  /// Writes everything of this agent to a store.
  func share(_ agents: AgentsInMemory, as agent: Int) {
    let store = agents.store(of: agent)
    state.view.shareChanges()
    while let owner = state.view.nextToShare() {
      for write in state.view.writes(of: owner) { _ = store.write(write) }
      state.view.markShared(owner)
    }
  }
}
