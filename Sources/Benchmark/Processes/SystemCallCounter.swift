import CLinux
import Glibc
import Platform
import Synchronization

/// Counts a thread's system calls: ptrace(2), PTRACE_SEIZE and PTRACE_SYSCALL. A count, so the tracer's slowness does not show.
///
/// The requests of one tracee must all come from one thread, so the counter has its own.
struct SystemCallCounter {
  // linux/ptrace.h
  private static let seize: Int32 = 0x4206
  private static let interrupt: Int32 = 0x4207
  private static let goToCall: Int32 = 24
  private static let detach: Int32 = 17
  private static let marksCalls = 1  // PTRACE_O_TRACESYSGOOD
  private static let callStop = SIGTRAP | 0x80
  private static let allThreads: Int32 = 0x4000_0000  // __WALL of waitpid(2)

  private final class Shared: Sendable {
    let isHeld = Flag()
    let isReleased = Flag()
    let stop = Flag()
    let stops = Atomic<Int>(0)
    let failure = Atomic<Int32>(0)
  }

  private let shared = Shared()
  private let thread: Thread

  /// Stops the thread `task`; it goes on with `release`.
  init(task: pid_t) throws(SystemError) {
    let shared = shared
    thread = try Thread("tracer") { Self.trace(task, shared) }
    while !shared.isHeld.isSet { Clock.sleep(nanoseconds: 100_000) }
    let failure = shared.failure.load(ordering: .relaxed)
    if failure != 0 { throw SystemError("ptrace", "thread \(task)", number: failure) }
  }

  /// Lets the thread run; from now on its calls count.
  func release() { shared.isReleased.set() }

  /// Lets go of the thread.
  /// - Returns: calls that it began.
  func end() -> Int {
    shared.isReleased.set()
    shared.stop.set()
    thread.join()
    // A call stops twice, when it begins and when it returns.
    return (shared.stops.load(ordering: .relaxed) + 1) / 2
  }

  private static func trace(_ task: pid_t, _ shared: Shared) {
    // Safe: here and below, no request of these writes memory; addresses and data are plain numbers or nil.
    let options = unsafe UnsafeMutableRawPointer(bitPattern: marksCalls)
    if unsafe footfall_ptrace(seize, task, nil, options) < 0 {
      shared.failure.store(errno, ordering: .relaxed)
      return shared.isHeld.set()
    }
    _ = footfall_ptrace(interrupt, task, nil, nil)
    _ = waitForStop(task, nil)
    shared.isHeld.set()
    while !shared.isReleased.isSet { Clock.sleep(nanoseconds: 100_000) }
    _ = footfall_ptrace(goToCall, task, nil, nil)
    while let signal = waitForStop(task, shared.stop) {
      if signal == callStop { shared.stops.wrappingAdd(1, ordering: .relaxed) }
      _ = footfall_ptrace(goToCall, task, nil, nil)
    }
    _ = footfall_ptrace(interrupt, task, nil, nil)
    _ = waitForStop(task, nil)
    _ = footfall_ptrace(detach, task, nil, nil)
  }

  /// The signal of the next stop; nil once `stop` is set.
  private static func waitForStop(_ task: pid_t, _ stop: Flag?) -> Int32? {
    while true {
      var status: Int32 = 0
      if unsafe waitpid(task, &status, allThreads | WNOHANG) == task { return (status >> 8) & 0xFF }
      if stop?.isSet ?? false { return nil }
      Clock.sleep(nanoseconds: 10_000)
    }
  }
}
