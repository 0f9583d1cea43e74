import CLinux
import Glibc
import Platform

/// Blocking sockets of a client.
enum ClientSocket {
  private static let solUDP: Int32 = 17
  /// UDP_SEGMENT of linux/udp.h.
  private static let segment: Int32 = 103

  /// - Parameter segmentBytes: bytes of each datagram of a train; 0: datagrams go out as they are.
  static func connected(to target: Target, segmentBytes: Int = 0) throws(SystemError) -> Descriptor {
    switch target {
    case .udp(let port):
      let socket = try internet(port, SOCK_DGRAM)
      try set(socket, SOL_SOCKET, SO_SNDBUF, 4 << 20)
      if segmentBytes > 0 { try set(socket, solUDP, segment, Int32(segmentBytes)) }
      return socket
    case .tcp(let port): return try internet(port, SOCK_STREAM)
    case .unixDatagram(let path): return try unix(path, SOCK_DGRAM)
    case .unixStream(let path): return try unix(path, SOCK_STREAM)
    }
  }

  /// A port of the loopback address that nobody has at the moment.
  static func freePort() throws(SystemError) -> UInt16 {
    let probe = try make(AF_INET, SOCK_STREAM)
    var address = loopback(port: 0)
    if unsafe withAddress(&address, { unsafe bind(probe.number, $0, $1) }) < 0 { throw SystemError("bind") }
    return try boundPort(of: probe)
  }

  static func boundPort(of socket: Descriptor) throws(SystemError) -> UInt16 {
    var address = sockaddr_in()
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    // Safe: here and below, the length passed is the structure's own.
    let status = unsafe withUnsafeMutableBytes(of: &address) {
      unsafe getsockname(socket.number, $0.baseAddress!.assumingMemoryBound(to: sockaddr.self), &length)
    }
    if status < 0 { throw SystemError("getsockname") }
    return UInt16(bigEndian: address.sin_port)
  }

  static func make(_ family: Int32, _ type: __socket_type) throws(SystemError) -> Descriptor {
    let number = socket(family, Int32(type.rawValue) | O_CLOEXEC, 0)
    if number < 0 { throw SystemError("socket") }
    return Descriptor(owning: number)
  }

  static func loopback(port: UInt16) -> sockaddr_in {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = in_addr_t(0x7F00_0001).bigEndian
    return address
  }

  static func withAddress<Address, Result>(
    _ address: inout Address, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Result
  ) -> Result {
    unsafe withUnsafeBytes(of: &address) {
      unsafe body($0.baseAddress!.assumingMemoryBound(to: sockaddr.self), socklen_t($0.count))
    }
  }

  static func set(_ socket: Descriptor, _ level: Int32, _ option: Int32, _ value: Int32) throws(SystemError) {
    var value = value
    if unsafe setsockopt(socket.number, level, option, &value, socklen_t(MemoryLayout<Int32>.size)) < 0 {
      throw SystemError("setsockopt")
    }
  }

  private static func internet(_ port: UInt16, _ type: __socket_type) throws(SystemError) -> Descriptor {
    let socket = try make(AF_INET, type)
    var address = loopback(port: port)
    if unsafe withAddress(&address, { unsafe connect(socket.number, $0, $1) }) < 0 {
      throw SystemError("connect", "127.0.0.1:\(port)")
    }
    return socket
  }

  private static func unix(_ path: String, _ type: __socket_type) throws(SystemError) -> Descriptor {
    let socket = try make(AF_UNIX, type)
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    precondition(path.utf8.count < MemoryLayout.size(ofValue: address.sun_path))
    unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: path.utf8) }
    if unsafe withAddress(&address, { unsafe connect(socket.number, $0, $1) }) < 0 {
      throw SystemError("connect", path)
    }
    return socket
  }
}
