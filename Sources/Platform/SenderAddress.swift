import CLinux
import Glibc

/// Who sent something: an internet address without its port, or somebody on this machine over a unix socket.
///
/// 16 bytes: an IPv6 address in the order of the network, IPv4 mapped into it (RFC 4291, section 2.5.5.2); all zero is a unix socket's.
@frozen @usableFromInline
package struct SenderAddress: Hashable, BitwiseCopyable, Sendable, CustomStringConvertible {
  @usableFromInline let high: UInt64
  @usableFromInline let low: UInt64

  /// Somebody on this machine.
  package static let local = SenderAddress(high: 0, low: 0)

  private init(high: UInt64, low: UInt64) {
    self.high = high
    self.low = low
  }

  /// An address as the kernel writes it: sockaddr_in or sockaddr_in6, in at least 28 bytes.
  @unsafe @inline(__always)
  init(kernelBytes bytes: UnsafeRawPointer) {
    // Safe: the family says what follows, and the caller's room holds the longer of the two.
    switch Int32(unsafe bytes.load(as: sa_family_t.self)) {
    case AF_INET:
      high = 0
      low = unsafe UInt64(UInt32(bigEndian: bytes.load(fromByteOffset: 4, as: UInt32.self))) | 0xFFFF_0000_0000
    case AF_INET6:
      high = unsafe UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
      low = unsafe UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 16, as: UInt64.self))
    default: self = .local
    }
  }

  /// An address as people write it: four decimal numbers, or IPv6 without brackets and zone (inet_pton(3)).
  package init?(_ text: String) {
    if let address = SocketAddress(v4: text, port: 0) ?? SocketAddress(v6: text, port: 0) {
      self = address.sender
    } else {
      return nil
    }
  }

  /// An IPv4 address, also one mapped into IPv6.
  package var isV4: Bool { high == 0 && low >> 32 == 0xFFFF }

  /// Whether it is of this machine: `127.0.0.0/8`, `::1`, or a unix socket's.
  package var isLoopback: Bool { self == .local || (isV4 ? low >> 24 == 0xFFFF_7F : high == 0 && low == 1) }

  /// The first `length` bits, the others 0.
  package func masked(to length: Int) -> SenderAddress {
    if length <= 64 { return SenderAddress(high: length == 0 ? 0 : high & ~0 << UInt64(64 - length), low: 0) }
    return SenderAddress(high: high, low: low & ~0 << UInt64(128 - length))
  }

  /// What one client is likely to have at hand: an IPv4 address, or the 64-bit network of an IPv6 address (RFC 4291, section 2.5.4).
  package var network: SenderAddress { isV4 ? self : masked(to: 64) }

  /// The address's own bits, mixed: where a table looks first.
  @inlinable @inline(__always)
  package var place: Int { Int(truncatingIfNeeded: (bits &* 0x9E37_79B9_7F4A_7C15) &>> 40) }

  @inlinable var bits: UInt64 { high ^ low }

  @inlinable @inline(__always)
  package static func == (left: Self, right: Self) -> Bool { left.high == right.high && left.low == right.low }

  /// `127.0.0.1`, `2001:db8::1`, or `unix`.
  @usableFromInline package var description: String {
    if self == .local { return "unix" }
    if isV4 {
      return stride(from: 24, through: 0, by: -8).map { "\((low >> UInt64($0)) & 0xFF)" }.joined(separator: ".")
    }
    var address = in6_addr()
    return unsafe withUnsafeMutableBytes(of: &address) { bytes in
      // Safe: 16 bytes of address, and room for its longest text.
      unsafe bytes.storeBytes(of: high.bigEndian, as: UInt64.self)
      unsafe bytes.storeBytes(of: low.bigEndian, toByteOffset: 8, as: UInt64.self)
      return unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(INET6_ADDRSTRLEN)) { text in
        unsafe inet_ntop(AF_INET6, bytes.baseAddress, text.baseAddress, socklen_t(text.count)) == nil
          ? "" : String(cString: text.baseAddress!)
      }
    }
  }
}

extension SocketAddress {
  /// The sender that the address is of.
  package var sender: SenderAddress {
    // Safe: the storage is longer than any address.
    unsafe withUnsafeBytes(of: storage) { unsafe SenderAddress(kernelBytes: $0.baseAddress!) }
  }
}
