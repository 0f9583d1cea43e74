import Platform
import Synchronization

/// How far the program has come, as `/ready` tells it.
package enum AgentPhase: UInt8, Sendable {
  case starting, serving, draining, stopped
}

/// What the threads tell each other of the program as a whole: its phase, set by the main thread and heeded by the query thread; new
/// settings; what is wrong.
package final class AgentState: Sendable {
  private let current = Atomic<UInt8>(AgentPhase.starting.rawValue)
  /// What the query thread polls beside its sockets.
  let wakeUp: WakeUp

  /// Times that the configuration was read again: it held, or it did not and the old one stayed.
  package let soundReloads = Atomic<UInt64>(0)
  /// See `soundReloads`.
  package let faultyReloads = Atomic<UInt64>(0)

  /// Raised by the query thread when it comes round and no flush is overdue.
  package let pulse = Pulse()
  private let stuck = Guarded<[String]>([])

  /// Threads that do not get on, by name: set by who watches them, told by `/health`.
  package var stuckThreads: [String] {
    get { stuck.withLock { $0 } }
    set { stuck.withLock { $0 = newValue } }
  }

  private let newSettings = SettingsBox<QuerySettings>()

  /// Has the query thread go on by `settings`, from its next turn on: all that the options' table says a reload changes.
  package func replace(_ settings: QuerySettings) {
    newSettings.put(settings)
    wakeUp.signal()
  }

  /// The settings to go on by, if they were replaced since the last call.
  func takeReplacement() -> QuerySettings? { newSettings.take() }

  /// Readable when something happened that the operator might want to be told of, which is for a thread to do that may wait for a log.
  package let notices: WakeUp

  /// What is wrong while the program goes on, as `/health` tells it; what comes and goes by the clock, the books know.
  package enum Condition: Int, CaseIterable, Sendable {
    /// What is kept has come to `--memory-limit`: new series count into `__other__`.
    case memoryLimit

    /// What `/health` and the log say.
    package var reason: StaticString {
      switch self {
      case .memoryLimit: "memory: --memory-limit is reached, new series count into __other__"
      }
    }
  }

  /// By condition, how many say that it holds.
  private let holders: InlineArray<8, Atomic<Int>> = .init { _ in Atomic(0) }

  /// Starting. Throws if no descriptor is free.
  package init() throws(SystemError) {
    wakeUp = try WakeUp()
    notices = try WakeUp()
  }

  /// Says that a condition holds; several may say so, and each takes its word back by `end`.
  package func begin(_ condition: Condition) {
    // Relaxed: nothing is read because of it.
    holders[condition.rawValue].wrappingAdd(1, ordering: .relaxed)
    notices.signal()
  }

  /// Takes back what `begin` said.
  package func end(_ condition: Condition) {
    holders[condition.rawValue].wrappingSubtract(1, ordering: .relaxed)
    notices.signal()
  }

  /// Whether anybody says that it holds.
  package func holds(_ condition: Condition) -> Bool { holders[condition.rawValue].load(ordering: .relaxed) > 0 }

  /// The conditions that hold.
  package var conditions: [Condition] { Condition.allCases.filter { holds($0) } }

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
