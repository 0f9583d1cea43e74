import HTTPQuery
import Platform

/// Looks whether every thread gets on, and tells the manager so (sd_watchdog_enabled(3)).
///
/// Each thread has a pulse. A thread that sleeps is woken once a round, and by the next one its pulse must have gone on; the manager is told
/// only while all have. Who is stuck stands in the log and in `/health`.
///
///     round    wake all ─────────── wake all ─────────── wake all
///     pulse         ●  ●    ●            (nothing)        │ stuck: no word to the manager
///
/// The main thread's alone.
final class Watchdog {
  /// One thread that is watched.
  struct Subject {
    let name: String
    let pulse: Pulse
    let wake: () -> Void
    /// What the pulse was in the last round.
    fileprivate var seen = UInt64.max
    fileprivate var isStuck = false

    init(name: String, pulse: Pulse, wake: @escaping () -> Void) {
      self.name = name
      self.pulse = pulse
      self.wake = wake
    }
  }

  /// Between rounds where no manager asks for them, in nanoseconds: nobody waits for it, and it costs a wake-up a thread.
  private static let ownInterval: Int64 = 10_000_000_000
  private let interval: Int64
  private let isAskedFor: Bool
  private var subjects: [Subject]
  private let notify: NotifySocket
  private let state: AgentState
  private let log: Log
  private var next: Int64

  init(
    _ environment: [String: String], process: Int, _ subjects: [Subject], _ notify: NotifySocket, _ state: AgentState,
    _ log: Log
  ) {
    let asked = Self.interval(
      microseconds: environment["WATCHDOG_USEC"], process: environment["WATCHDOG_PID"], ownProcess: process)
    isAskedFor = asked != nil
    interval = asked ?? Self.ownInterval
    self.subjects = subjects
    self.notify = notify
    self.state = state
    self.log = log
    next = Clock.monotonic()
  }

  /// Half of what the manager grants, in nanoseconds; nil if it asks for nothing, or asks another process.
  static func interval(microseconds: String?, process: String?, ownProcess: Int) -> Int64? {
    guard let granted = microseconds.flatMap({ Int64($0) }), granted > 0, granted < .max / 1_000 else { return nil }
    if let process, Int(process) != ownProcess { return nil }
    return max(1_000_000, granted * 1_000 / 2)
  }

  /// Until the next round.
  var milliseconds: Int { Int(max(0, next - Clock.monotonic()) / 1_000_000) + 1 }

  /// A round, if it is time.
  func look() {
    let now = Clock.monotonic()
    if now < next { return }
    // Who comes so late has been stopped itself, and the threads may not have run since: there is nothing to judge by.
    let isLate = now - next > interval / 2
    next = now + interval
    for place in subjects.indices {
      let count = subjects[place].pulse.count
      if !isLate { judge(place, isStuck: count == subjects[place].seen) }
      subjects[place].seen = count
      subjects[place].wake()
    }
    let stuck = subjects.filter(\.isStuck).map(\.name)
    state.stuckThreads = stuck
    guard isAskedFor, stuck.isEmpty else { return }
    do throws(SystemError) { try notify.send(.watchdog) } catch { log.warning(error.description) }
  }

  private func judge(_ place: Int, isStuck: Bool) {
    if isStuck == subjects[place].isStuck { return }
    subjects[place].isStuck = isStuck
    if isStuck {
      log.error("a thread is stuck", ["thread": .text(subjects[place].name)])
    } else {
      log.info("a stuck thread gets on again", ["thread": .text(subjects[place].name)])
    }
  }
}
