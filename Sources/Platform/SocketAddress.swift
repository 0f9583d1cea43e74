import CLinux
import Glibc

/// Where an internet socket is bound: an address of either version and a port.
package struct SocketAddress: Sendable, CustomStringConvertible {
  // Large enough for every family; `length` says how much of it counts.
  var storage = sockaddr_storage()
  var length: socklen_t = 0

  init() {}

  /// An IPv4 address in four decimal numbers, as inet_pton(3) reads it.
  package init?(v4 text: String, port: UInt16) {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    guard unsafe inet_pton(AF_INET, text, &address.sin_addr) == 1 else { return nil }
    length = socklen_t(MemoryLayout<sockaddr_in>.size)
    // Safe: sockaddr_storage holds every address.
    unsafe withUnsafeMutableBytes(of: &storage) { unsafe $0.storeBytes(of: address, as: sockaddr_in.self) }
  }

  /// An IPv6 address, as inet_pton(3) reads it; `::` hears IPv4 too where the kernel has both.
  package init?(v6 text: String, port: UInt16) {
    var address = sockaddr_in6()
    address.sin6_family = sa_family_t(AF_INET6)
    address.sin6_port = port.bigEndian
    guard unsafe inet_pton(AF_INET6, text, &address.sin6_addr) == 1 else { return nil }
    length = socklen_t(MemoryLayout<sockaddr_in6>.size)
    // Safe: as above.
    unsafe withUnsafeMutableBytes(of: &storage) { unsafe $0.storeBytes(of: address, as: sockaddr_in6.self) }
  }

  /// Whether it is an IPv6 address.
  package var isV6: Bool { storage.ss_family == sa_family_t(AF_INET6) }

  /// The same address with another port; nil for a unix socket's.
  func replacing(port: UInt16) -> SocketAddress? {
    var copy = self
    // The port stands at the same place in both versions.
    guard Int32(storage.ss_family) == AF_INET || isV6 else { return nil }
    // Safe: an address of either version is longer than 4 bytes.
    unsafe withUnsafeMutableBytes(of: &copy.storage) {
      unsafe $0.storeBytes(of: port.bigEndian, toByteOffset: 2, as: UInt16.self)
    }
    return copy
  }

  /// Lends the address as the kernel takes it.
  func withPointer<Result>(_ body: (UnsafePointer<sockaddr>, socklen_t) -> Result) -> Result {
    unsafe withUnsafeBytes(of: storage) {
      // Safe: an address of any family begins as a sockaddr does.
      unsafe body($0.baseAddress!.assumingMemoryBound(to: sockaddr.self), length)
    }
  }

  /// `127.0.0.1:8125` or `[::1]:8125`; a unix socket's is empty.
  package var description: String {
    unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(INET6_ADDRSTRLEN)) { text in
      unsafe withUnsafeBytes(of: storage) { bytes in
        // Safe: the family says which structure the storage holds, and the text has room for either.
        switch Int32(storage.ss_family) {
        case AF_INET:
          var address = unsafe bytes.load(as: sockaddr_in.self)
          guard unsafe inet_ntop(AF_INET, &address.sin_addr, text.baseAddress, socklen_t(text.count)) != nil else {
            return ""
          }
          return unsafe "\(String(cString: text.baseAddress!)):\(UInt16(bigEndian: address.sin_port))"
        case AF_INET6:
          var address = unsafe bytes.load(as: sockaddr_in6.self)
          guard unsafe inet_ntop(AF_INET6, &address.sin6_addr, text.baseAddress, socklen_t(text.count)) != nil else {
            return ""
          }
          return unsafe "[\(String(cString: text.baseAddress!))]:\(UInt16(bigEndian: address.sin6_port))"
        default: return ""
        }
      }
    }
  }
}
