import Synchronization

@testable import Aggregation
@testable import HTTPQuery

/// A journal in memory, which the test holds back, fills and lets fail.
final class MemoryKeeper: Sendable {
  struct State {
    var payloads: [JournalPayload] = []
    var settled: UInt64 = 0
    /// What is submitted is safe at once.
    var settlesAtOnce = true
    var hasRoom = true
    var condition = KeeperCondition()
    var kept: [[UInt8]] = []
    /// All that was kept may be read.
    var givesBack = true
    var wantsSnapshot = false
    var tally: RestoreTally?
  }

  private let state = Mutex(State())

  init(kept: [JournalPayload] = []) { state.withLock { $0.kept = kept.map(\.bytes) } }

  func change<Result: Sendable>(_ body: (inout State) -> Result) -> Result { state.withLock { body(&$0) } }

  var payloads: [JournalPayload] { change { $0.payloads } }

  func keeper(holdsAnswers: Bool) -> Keeper {
    Keeper(
      holdsAnswers: holdsAnswers,
      submit: { bytes, endsBatch, part in
        let payload = JournalPayload(bytes: bytes, endsBatch: endsBatch, part: part)
        return self.state.withLock { state in
          if !state.hasRoom { return nil }
          state.payloads.append(payload)
          if part == .snapshotBegins { state.wantsSnapshot = false }
          let ticket = UInt64(state.payloads.count)
          if state.settlesAtOnce { state.settled = ticket }
          return ticket
        }
      },
      settled: { self.change { $0.settled } },
      restored: {
        self.state.withLock { state in
          if !state.givesBack { return .notYet }
          return state.kept.isEmpty ? .end : .payload(state.kept.removeFirst())
        }
      },
      wantsSnapshot: { self.change { $0.wantsSnapshot } }, condition: { self.change { $0.condition } },
      tellRestored: { tally in self.change { $0.tally = tally } })
  }

  /// Everything submitted so far is safe.
  func settleAll(_ agent: AgentState) {
    change { $0.settled = UInt64($0.payloads.count) }
    agent.wake()
  }
}
