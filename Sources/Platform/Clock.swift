import Glibc

/// The kernel's clocks, in nanoseconds.
package enum Clock {
  /// Time since some point in the past that never jumps (CLOCK_MONOTONIC).
  package static func monotonic() -> Int64 { read(CLOCK_MONOTONIC) }

  /// Time since 1970 UTC, which an operator may set (CLOCK_REALTIME).
  package static func wall() -> Int64 { read(CLOCK_REALTIME) }

  /// CPU time of the calling thread.
  package static func threadCPU() -> Int64 { read(CLOCK_THREAD_CPUTIME_ID) }

  /// CPU time of the whole process.
  package static func processCPU() -> Int64 { read(CLOCK_PROCESS_CPUTIME_ID) }

  /// Blocks the calling thread for about `nanoseconds` (below a second). A signal may end the sleep early.
  package static func sleep(nanoseconds: Int) {
    var time = timespec(tv_sec: 0, tv_nsec: nanoseconds)
    // Safe: the kernel reads the time and writes no remainder.
    unsafe _ = nanosleep(&time, nil)
  }

  private static func read(_ clock: clockid_t) -> Int64 {
    var time = timespec()
    // Safe: the kernel writes one timespec.
    unsafe _ = clock_gettime(clock, &time)
    return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
  }
}
