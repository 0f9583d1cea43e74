import Platform
import Synchronization

/// How far the program has come, as `/ready` tells it.
package enum AgentPhase: UInt8, Sendable {
  case starting, serving, draining, stopped
}

/// The phase of the program: set by the main thread, heeded by the query thread.
package final class AgentState: Sendable {
  private let current = Atomic<UInt8>(AgentPhase.starting.rawValue)
  /// What the query thread polls beside its sockets.
  let wakeUp: WakeUp

  /// Times that the configuration was read again: it held, or it did not and the old one stayed.
  package let soundReloads = Atomic<UInt64>(0)
  /// See `soundReloads`.
  package let faultyReloads = Atomic<UInt64>(0)

  private let replacement = Mutex<QuerySettings?>(nil)

  /// Has the query thread go on by `settings`, from its next turn on: the limit and idle time of connections, trusted proxies, the rate,
  /// who has access, and what becomes of a visit's URL. The rest holds for a run of the program.
  package func replace(_ settings: QuerySettings) {
    replacement.withLock { $0 = settings }
    wakeUp.signal()
  }

  /// The settings to go on by, if they were replaced since the last call.
  func takeReplacement() -> QuerySettings? {
    replacement.withLock { settings in
      defer { settings = nil }
      return settings
    }
  }

  /// Starting. Throws if no descriptor is free.
  package init() throws(SystemError) { wakeUp = try WakeUp() }

  /// Lets the query thread look around: something has changed that no socket tells it of.
  package func wake() { wakeUp.signal() }

  /// How far the program has come; whoever sets it wakes the query thread.
  package var phase: AgentPhase {
    // Release and acquire: whoever sees `stopped` sees what the workers that ended before it have written.
    get { AgentPhase(rawValue: current.load(ordering: .acquiring)) ?? .stopped }
    set {
      current.store(newValue.rawValue, ordering: .releasing)
      wakeUp.signal()
    }
  }
}
