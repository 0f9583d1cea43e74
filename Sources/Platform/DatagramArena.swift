import Bytes
import CLinux
import Glibc

/// Where recvmmsg(2) puts datagrams: a fixed number of slots, each with room for the largest datagram and the parser's slack.
///
///     slot   | datagram, up to 65,536 bytes | LF | slack |      pages of a slot appear when a datagram first reaches them
///
/// Made once a worker; nothing is allocated a datagram.
@safe
package struct DatagramArena: ~Copyable {
  /// Datagrams a call: beyond 32 the cost of the call itself no longer shows.
  package static let slots = 64
  /// Largest datagram kept whole. UDP's limit is 65,507 bytes; a unix datagram may be longer, and its tail is cut.
  package static let longest = 65_536
  private static let stride = (longest + 1 + PaddedBytes.slack + 63) & ~63

  private let memory: Reservation
  private let headers: UnsafeMutablePointer<footfall_mmsghdr>
  private let vectors: UnsafeMutablePointer<iovec>

  package init() throws(SystemError) {
    memory = try Reservation(byteCount: Self.slots * Self.stride)
    unsafe headers = .allocate(capacity: Self.slots)
    unsafe vectors = .allocate(capacity: Self.slots)
    unsafe headers.initialize(repeating: footfall_mmsghdr(), count: Self.slots)
    for slot in 0..<Self.slots {
      // Safe: slot times stride stays within the reservation.
      unsafe (vectors + slot).initialize(to: iovec(iov_base: memory.base + slot * Self.stride, iov_len: Self.longest))
      unsafe headers[slot].header.msg_iov = vectors + slot
      unsafe headers[slot].header.msg_iovlen = 1
    }
  }

  deinit {
    unsafe headers.deallocate()
    unsafe vectors.deallocate()
  }

  /// Takes the datagrams that wait at `socket`, up to `slots`.
  /// - Returns: how many; 0 if none waits or the call failed (an error that the socket reports, such as ECONNREFUSED, is then gone).
  package func receive(_ socket: Descriptor) -> Int {
    let count = retryingInterrupts {
      unsafe footfall_recvmmsg(socket.number, headers, UInt32(Self.slots), footfall_msg_dontwait, nil)
    }
    return max(0, Int(count))
  }

  /// The datagram in `slot` of the last `receive`; valid until the next.
  @inline(__always)
  package func datagram(_ slot: Int) -> PaddedBytes {
    precondition(slot < Self.slots)
    // Safe: the kernel wrote at most `longest` bytes, and the stride has room for the sentinel and the slack.
    let base = unsafe memory.base + slot &* Self.stride
    let length = Int(unsafe headers[slot].length)
    unsafe base.storeBytes(of: 0x0A, toByteOffset: length, as: UInt8.self)
    return unsafe PaddedBytes(unsafeBase: UnsafeRawPointer(base), count: length)
  }

  /// Whether the datagram was longer than its slot; its tail is gone.
  package func isTruncated(_ slot: Int) -> Bool {
    precondition(slot < Self.slots)
    return unsafe headers[slot].header.msg_flags & footfall_msg_trunc != 0
  }
}
