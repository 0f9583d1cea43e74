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
  /// The senders' addresses, `nameBytes` each.
  private let names: UnsafeMutableRawPointer
  /// sockaddr_in6 is the longest that is looked at; of a unix sender's path the kernel keeps the rest to itself.
  private static let nameBytes = 32

  package init() throws(SystemError) {
    memory = try Reservation(byteCount: Self.slots * Self.stride)
    unsafe headers = .allocate(capacity: Self.slots)
    unsafe vectors = .allocate(capacity: Self.slots)
    unsafe names = .allocate(byteCount: Self.slots * Self.nameBytes, alignment: 8)
    unsafe names.initializeMemory(as: UInt8.self, repeating: 0, count: Self.slots * Self.nameBytes)
    unsafe headers.initialize(repeating: footfall_mmsghdr(), count: Self.slots)
    for slot in 0..<Self.slots {
      // Safe: slot times stride stays within the reservation.
      unsafe (vectors + slot).initialize(to: iovec(iov_base: memory.base + slot * Self.stride, iov_len: Self.longest))
      unsafe headers[slot].header.msg_iov = vectors + slot
      unsafe headers[slot].header.msg_iovlen = 1
      unsafe headers[slot].header.msg_name = names + slot * Self.nameBytes
      unsafe headers[slot].header.msg_namelen = socklen_t(Self.nameBytes)
    }
  }

  deinit {
    unsafe headers.deallocate()
    unsafe vectors.deallocate()
    unsafe names.deallocate()
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

  /// Who sent the datagram in `slot`.
  @inline(__always)
  package func sender(_ slot: Int) -> SenderAddress {
    precondition(slot < Self.slots)
    // An unnamed unix sender has no address at all; the next call needs the room's length again.
    let length = unsafe headers[slot].header.msg_namelen
    unsafe headers[slot].header.msg_namelen = socklen_t(Self.nameBytes)
    // Safe: each slot has room for the longest address.
    return length < 8 ? .local : unsafe SenderAddress(kernelBytes: names + slot &* Self.nameBytes)
  }

  /// Whether the datagram was longer than its slot; its tail is gone.
  package func isTruncated(_ slot: Int) -> Bool {
    precondition(slot < Self.slots)
    return unsafe headers[slot].header.msg_flags & footfall_msg_trunc != 0
  }
}
