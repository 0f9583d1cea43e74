import Bytes
import CLinux
import Glibc

/// Where recvmmsg(2) puts datagrams: a fixed number of slots, each with room for the largest message and the parser's slack.
///
///     slot   | message, up to 65,536 bytes | LF | slack |       pages of a slot appear when a message first reaches them
///
/// A message is a datagram; or, at a socket that joins them (`Socket.joinDatagrams`), a run of datagrams of one sender that came close
/// together, all of one length but the last, which may be shorter. Nothing stands between them: the length comes with the message.
///
///     | visit:page1|c | visit:page2|c | buy:p|c |    segmentBytes(slot) = 13
///
/// Made once a worker; nothing is allocated a datagram. It holds 4.2 MiB at most, once every slot has met a message of full length.
@safe
package struct DatagramArena: ~Copyable {
  /// Messages a call: beyond 32 the cost of the call itself no longer shows.
  package static let slots = 64
  /// Largest message kept whole. UDP's limit is 65,507 bytes, joined or not; a unix datagram may be longer, and its tail is cut.
  package static let longest = 65_536
  private static let stride = (longest + 1 + PaddedBytes.slack + 63) & ~63
  /// Where the lines of a run stand in its slot.
  private static let half = stride / 2
  /// Longest datagram of a run that is cheaper to copy than to be counted by itself.
  private static let shortSegment = 256

  /// Bytes that it holds once every slot has met a message of full length.
  package static let byteCount = slots * stride

  private let memory: Reservation
  private let headers: UnsafeMutablePointer<footfall_mmsghdr>
  private let vectors: UnsafeMutablePointer<iovec>
  /// The senders' addresses, `nameBytes` each.
  private let names: UnsafeMutableRawPointer
  /// sockaddr_in6 is the longest that is looked at; of a unix sender's path the kernel keeps the rest to itself.
  private static let nameBytes = 32
  /// What comes with a message: its segments' length, which is all that an internet socket is asked for.
  private let controls: UnsafeMutablePointer<footfall_segment_message>
  private static let controlBytes = MemoryLayout<footfall_segment_message>.size
  /// Bytes of control message that the slots have room for now.
  private var controlRoom = 0
  /// Slots that the last call filled.
  private var used = 0

  /// Reserves the slots; their pages are touched when messages come.
  package init() throws(SystemError) {
    memory = try Reservation(byteCount: Self.slots * Self.stride)
    unsafe headers = .allocate(capacity: Self.slots)
    unsafe vectors = .allocate(capacity: Self.slots)
    unsafe controls = .allocate(capacity: Self.slots)
    unsafe names = .allocate(byteCount: Self.slots * Self.nameBytes, alignment: 8)
    unsafe names.initializeMemory(as: UInt8.self, repeating: 0, count: Self.slots * Self.nameBytes)
    unsafe headers.initialize(repeating: footfall_mmsghdr(), count: Self.slots)
    unsafe controls.initialize(repeating: footfall_segment_message(), count: Self.slots)
    for slot in 0..<Self.slots {
      // Safe: slot times stride stays within the reservation.
      unsafe (vectors + slot).initialize(to: iovec(iov_base: memory.base + slot * Self.stride, iov_len: Self.longest))
      unsafe headers[slot].header.msg_iov = vectors + slot
      unsafe headers[slot].header.msg_iovlen = 1
      unsafe headers[slot].header.msg_name = names + slot * Self.nameBytes
      unsafe headers[slot].header.msg_namelen = socklen_t(Self.nameBytes)
      unsafe headers[slot].header.msg_control = UnsafeMutableRawPointer(controls + slot)
    }
  }

  deinit {
    unsafe headers.deallocate()
    unsafe vectors.deallocate()
    unsafe names.deallocate()
    unsafe controls.deallocate()
  }

  /// Takes the messages that wait at `socket`, up to `most`.
  /// - Parameters:
  ///   - most: 1 to `slots`.
  ///   - joined: the socket joins datagrams. At a unix socket it must be false: whoever sends descriptors (SCM_RIGHTS) would find
  ///     room for them.
  /// - Returns: how many; 0 if none waits or the call failed (an error that the socket reports, such as ECONNREFUSED, is then gone).
  package mutating func receive(_ socket: Descriptor, most: Int = slots, joined: Bool = false) -> Int {
    precondition(most >= 1 && most <= Self.slots)
    let room = joined ? Self.controlBytes : 0
    // The kernel has written over the lengths of the slots that it filled.
    for slot in 0..<(room == controlRoom ? used : Self.slots) {
      unsafe headers[slot].header.msg_namelen = socklen_t(Self.nameBytes)
      unsafe headers[slot].header.msg_controllen = room
    }
    controlRoom = room
    let count = retryingInterrupts {
      unsafe footfall_recvmmsg(socket.number, headers, UInt32(most), footfall_msg_dontwait, nil)
    }
    used = max(0, Int(count))
    return used
  }

  /// The message in `slot` of the last `receive`; valid until the next.
  @inline(__always)
  package func message(_ slot: Int) -> PaddedBytes {
    precondition(slot < Self.slots)
    // Safe: the kernel wrote at most `longest` bytes, and the stride has room for the sentinel and the slack.
    let base = unsafe memory.base + slot &* Self.stride
    let length = Int(unsafe headers[slot].length)
    unsafe base.storeBytes(of: 0x0A, toByteOffset: length, as: UInt8.self)
    return unsafe PaddedBytes(unsafeBase: UnsafeRawPointer(base), count: length)
  }

  /// Whether the message is one datagram, and all of it.
  @inline(__always)
  package func isWholeDatagram(_ slot: Int) -> Bool {
    precondition(slot < Self.slots)
    return unsafe headers[slot].header.msg_controllen == 0
      && headers[slot].header.msg_flags & footfall_msg_trunc == 0
  }

  /// Whether the message was longer than its slot; its tail is gone.
  package func isTruncated(_ slot: Int) -> Bool {
    precondition(slot < Self.slots)
    return unsafe headers[slot].header.msg_flags & footfall_msg_trunc != 0
  }

  /// Bytes of each datagram of a run, where the last may have fewer; the message's own length if it is one datagram.
  package func segmentBytes(_ slot: Int) -> Int {
    precondition(slot < Self.slots)
    let length = Int(unsafe headers[slot].length)
    guard unsafe headers[slot].header.msg_controllen == Self.controlBytes else { return length }
    let segment = unsafe controls[slot]
    guard segment.level == Int32(FOOTFALL_SOL_UDP), segment.type == Int32(FOOTFALL_UDP_GRO),
      segment.bytes > 0
    else { return length }
    return min(Int(segment.bytes), length)
  }

  /// A run of short datagrams as lines, each datagram's end an LF: one text for the parser, in place of a call for each of them. It stands
  /// in the upper half of the slot, as long as the message does.
  ///
  ///     | visit:page1|cvisit:page2|cbuy:p|c          | visit:page1|c LF visit:page2|c LF buy:p|c LF         |
  ///     0                                            half
  ///
  /// - Returns: nil where the datagrams are so long that copying them costs more than it saves, or the half has no room for them.
  /// - Complexity: O(bytes).
  package func lines(_ slot: Int, segment: Int) -> PaddedBytes? {
    precondition(slot < Self.slots && segment > 0)
    let length = Int(unsafe headers[slot].length)
    let parts = (length + segment - 1) / segment
    guard segment <= Self.shortSegment, length <= Self.half, length + parts + PaddedBytes.slack <= Self.half else {
      return nil
    }
    var from = unsafe memory.base + slot * Self.stride
    let target = unsafe from + Self.half
    var to = unsafe target
    var left = length
    while left > 0 {
      let count = min(segment, left)
      var at = 0
      while at < count {
        // Safe: both sides may be passed by 7 bytes: the message by what lies behind it in the slot, the lines by their slack.
        unsafe to.storeBytes(
          of: from.loadUnaligned(fromByteOffset: at, as: UInt64.self), toByteOffset: at, as: UInt64.self)
        at += 8
      }
      unsafe to.storeBytes(of: 0x0A, toByteOffset: count, as: UInt8.self)
      unsafe from += count
      unsafe to += count + 1
      left -= count
    }
    // The last LF is the sentinel.
    return unsafe PaddedBytes(unsafeBase: target, count: length + parts - 1)
  }

  /// Lends `range` of the message in `slot` as a datagram of its own, with an LF behind it; the byte that stood there is put back
  /// afterwards.
  @inline(__always)
  package func withDatagram(_ slot: Int, _ range: Range<Int>, _ body: (PaddedBytes) -> Void) {
    precondition(slot < Self.slots && range.lowerBound >= 0 && range.upperBound <= Int(unsafe headers[slot].length))
    // Safe: by the precondition; behind the message there is room for the sentinel and the slack.
    let base = unsafe memory.base + slot &* Self.stride
    let behind = unsafe base + range.upperBound
    let kept = unsafe behind.load(as: UInt8.self)
    unsafe behind.storeBytes(of: 0x0A, as: UInt8.self)
    unsafe body(PaddedBytes(unsafeBase: base + range.lowerBound, count: range.count))
    unsafe behind.storeBytes(of: kept, as: UInt8.self)
  }

  /// Who sent the message in `slot`.
  @inline(__always)
  package func sender(_ slot: Int) -> SenderAddress {
    precondition(slot < Self.slots)
    // Safe: each slot has room for the longest address. An unnamed unix sender has no address at all.
    return unsafe headers[slot].header.msg_namelen < 8
      ? .local : unsafe SenderAddress(kernelBytes: names + slot &* Self.nameBytes)
  }
}
