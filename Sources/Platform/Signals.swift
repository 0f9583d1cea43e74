import CLinux
import Glibc

/// Signals as something to read: signalfd(2). They are blocked everywhere else, so no code ever runs in a handler.
package struct Signals {
  /// SIGTERM, SIGINT, SIGHUP, SIGUSR2.
  package enum Signal: Sendable { case terminate, interrupt, hangUp, restart }

  private static let numbers: [(Int32, Signal)] = [
    (SIGTERM, .terminate), (SIGINT, .interrupt), (SIGHUP, .hangUp), (SIGUSR2, .restart),
  ]

  /// The signalfd(2).
  package let descriptor: Descriptor

  /// Blocks the signals for this thread and those that it starts from now on, and ignores SIGPIPE.
  package init() throws(SystemError) {
    // Safe: all of the calls get a set of this function, which they copy.
    var set = sigset_t()
    unsafe sigemptyset(&set)
    for (number, _) in Self.numbers { unsafe sigaddset(&set, number) }
    unsafe _ = pthread_sigmask(SIG_BLOCK, &set, nil)
    _ = signal(SIGPIPE, SIG_IGN)
    let number = unsafe signalfd(-1, &set, footfall_signal_cloexec)
    if number < 0 { throw SystemError("signalfd") }
    descriptor = Descriptor(owning: number)
  }

  /// Waits for the next signal.
  package func next() -> Signal {
    while true {
      var info = signalfd_siginfo()
      // Safe: the structure is plain bytes, and the kernel fills it whole or not at all.
      let count = unsafe withUnsafeMutableBytes(of: &info) { room in
        retryingInterrupts { unsafe read(descriptor.number, room.baseAddress, room.count) }
      }
      guard count == MemoryLayout<signalfd_siginfo>.size else { continue }
      for (number, signal) in Self.numbers where UInt32(number) == info.ssi_signo { return signal }
    }
  }
}
