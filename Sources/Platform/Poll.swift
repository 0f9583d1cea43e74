import CLinux
import Glibc

/// Waits for many descriptors at once: epoll(7), level-triggered.
@safe
package final class Poll {
  /// What a descriptor may be waited for.
  package struct Interest: OptionSet {
    package let rawValue: UInt32
    package init(rawValue: UInt32) { self.rawValue = rawValue }
    package static let input = Interest(rawValue: EPOLLIN.rawValue)
    package static let output = Interest(rawValue: EPOLLOUT.rawValue)
    /// One of several pollers wakes, not all of them.
    package static let exclusive = Interest(rawValue: EPOLLEXCLUSIVE.rawValue)
  }

  /// What happened. An error or a hang-up counts as readable: reading tells which.
  package struct Event {
    /// As it was added.
    package var token: UInt64
    /// Bytes, a connection or an end wait to be read.
    package var isReadable: Bool
    /// There is room to write.
    package var isWritable: Bool
  }

  private let descriptor: Descriptor
  // Safe: epoll_event is a C union whose `u64` alone is ever written and read.
  private var ready: [epoll_event] = unsafe Array(repeating: epoll_event(), count: 256)

  /// epoll_create1(2).
  package init() throws(SystemError) {
    let number = epoll_create1(Int32(EPOLL_CLOEXEC))
    if number < 0 { throw SystemError("epoll_create1") }
    descriptor = Descriptor(owning: number)
  }

  /// Watches `descriptor` until it is closed or removed; `token` comes back with its events.
  package func add(_ descriptor: Descriptor, token: UInt64, for interest: Interest) throws(SystemError) {
    try control(EPOLL_CTL_ADD, descriptor, token, interest)
  }

  /// EPOLL_CTL_MOD: another interest, another token.
  package func modify(_ descriptor: Descriptor, token: UInt64, for interest: Interest) throws(SystemError) {
    try control(EPOLL_CTL_MOD, descriptor, token, interest)
  }

  /// EPOLL_CTL_DEL; of what is not in the poll nothing happens.
  package func remove(_ descriptor: Descriptor) {
    // Safe: the kernel only reads the event, which lives through the call.
    var event = unsafe epoll_event()
    unsafe _ = epoll_ctl(self.descriptor.number, EPOLL_CTL_DEL, descriptor.number, &event)
  }

  /// Waits until something happens, a signal comes, or `milliseconds` are over (nil: for ever), and hands each event to `body`.
  /// - Returns: how many there were.
  @discardableResult
  package func wait(milliseconds: Int?, _ body: (Event) -> Void) -> Int {
    let timeout = milliseconds.map { Int32(clamping: max(0, $0)) } ?? -1
    // Safe: the kernel writes at most as many events as the array has.
    let count = unsafe epoll_wait(descriptor.number, &ready, Int32(ready.count), timeout)
    if count <= 0 { return 0 }
    for index in 0..<Int(count) {
      let event = unsafe ready[index]
      let flags = unsafe event.events
      let failed = flags & (EPOLLERR.rawValue | EPOLLHUP.rawValue) != 0
      body(
        Event(
          token: unsafe event.data.u64, isReadable: flags & EPOLLIN.rawValue != 0 || failed,
          isWritable: flags & EPOLLOUT.rawValue != 0 || failed))
    }
    return Int(count)
  }

  private func control(
    _ operation: Int32, _ descriptor: Descriptor, _ token: UInt64, _ interest: Interest
  ) throws(SystemError) {
    var event = unsafe epoll_event()
    unsafe event.events = interest.rawValue
    unsafe event.data.u64 = token
    if unsafe epoll_ctl(self.descriptor.number, operation, descriptor.number, &event) < 0 {
      throw SystemError("epoll_ctl")
    }
  }
}
