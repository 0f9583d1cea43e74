import CLinux
import Glibc

/// A file descriptor that is closed once, when its last holder lets go of it.
package final class Descriptor: Sendable {
  /// The kernel's number.
  package let number: Int32

  /// Takes `number` over.
  package init(owning number: Int32) { self.number = number }

  deinit { _ = close(number) }

  /// What one read(2) or write(2) came to.
  package enum Transfer: Equatable {
    case bytes(Int)
    case wouldBlock
    /// The peer has closed its side.
    case end
    case failed(Int32)
  }

  /// Reads what there is, up to the room's size.
  package func read(into room: UnsafeMutableRawBufferPointer) -> Transfer {
    // Safe: the kernel writes no more than the room holds.
    let count = retryingInterrupts { unsafe Glibc.read(number, room.baseAddress, room.count) }
    return count == 0 ? .end : Self.transfer(count)
  }

  /// Writes as much as the kernel takes. SIGPIPE is ignored by the program.
  package func write(_ bytes: Span<UInt8>) -> Transfer {
    // Safe: the kernel reads the bytes before the call returns.
    let count = unsafe bytes.withUnsafeBytes { room in
      retryingInterrupts { unsafe send(number, room.baseAddress, room.count, footfall_msg_nosignal) }
    }
    return Self.transfer(count)
  }

  /// Says that nothing more will be written; the peer reads the end.
  package func shutdownWriting() { _ = shutdown(number, Int32(SHUT_WR)) }

  private static func transfer(_ count: Int) -> Transfer {
    if count >= 0 { return .bytes(count) }
    return errno == EAGAIN || errno == EWOULDBLOCK ? .wouldBlock : .failed(errno)
  }
}

/// An eventfd(2): any thread wakes the one that polls it.
package final class WakeUp: Sendable {
  /// What a poll waits for.
  package let descriptor: Descriptor

  /// eventfd(2), not blocking.
  package init() throws(SystemError) {
    let number = eventfd(0, footfall_nonblocking_event)
    if number < 0 { throw SystemError("eventfd") }
    descriptor = Descriptor(owning: number)
  }

  /// Makes the descriptor readable. Cannot block: the count would have to reach 2^64.
  package func signal() { _ = eventfd_write(descriptor.number, 1) }

  /// Makes it unreadable again.
  package func clear() {
    var count: eventfd_t = 0
    // Safe: the kernel writes one number.
    unsafe _ = eventfd_read(descriptor.number, &count)
  }
}
