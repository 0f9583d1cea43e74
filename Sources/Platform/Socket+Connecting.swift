import CLinux
import Glibc

/// Connections that this program begins: never waited for. A descriptor becomes writable when its connection is made or has failed.
extension Socket {
  /// Begins a TCP connection; what is written goes out at once (TCP_NODELAY).
  package static func connecting(to address: SocketAddress) throws(SystemError) -> Descriptor {
    let number = socket(address.isV6 ? AF_INET6 : AF_INET, Int32(SOCK_STREAM.rawValue) | footfall_nonblocking_socket, 0)
    if number < 0 { throw SystemError("socket", address.description) }
    let socket = Descriptor(owning: number)
    sendAtOnce(socket)
    // Safe: the pointer and the length, which the kernel reads by, are the address's own, and live through the call.
    if unsafe address.withPointer({ unsafe connect(number, $0, $1) }) < 0 && errno != EINPROGRESS {
      throw SystemError("connect", address.description)
    }
    return socket
  }

  /// Connects to the unix stream socket at `path`. A listener whose queue is full fails with EAGAIN at once (unix(7)).
  package static func connecting(path: String) throws(SystemError) -> Descriptor {
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    if path.utf8.count >= MemoryLayout.size(ofValue: address.sun_path) {
      throw SystemError("connect", path, number: ENAMETOOLONG)
    }
    // Safe: the path is shorter than the room, as was looked at above, and the rest stays zero.
    unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: path.utf8) }
    let number = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | footfall_nonblocking_socket, 0)
    if number < 0 { throw SystemError("socket", path) }
    let socket = Descriptor(owning: number)
    // Safe: an address of any family begins as a sockaddr does, and the length is the structure's own.
    let status = unsafe withUnsafeBytes(of: address) { bytes in
      unsafe connect(number, bytes.baseAddress!.assumingMemoryBound(to: sockaddr.self), socklen_t(bytes.count))
    }
    if status < 0 { throw SystemError("connect", path) }
    return socket
  }

  /// Why a connection that was begun has failed (SO_ERROR); nil: it has not. Ask once it is writable.
  package static func failure(of socket: Descriptor, _ subject: String) -> SystemError? {
    var number: Int32 = 0
    var length = socklen_t(MemoryLayout<Int32>.size)
    // Safe: the kernel writes one number.
    let status = unsafe getsockopt(socket.number, SOL_SOCKET, SO_ERROR, &number, &length)
    if status < 0 { return SystemError("getsockopt", subject) }
    return number == 0 ? nil : SystemError("connect", subject, number: number)
  }
}

extension Descriptor {
  /// Reads once, up to `count` bytes, into `bytes`, in place of what was there.
  package func read(_ count: Int, into bytes: inout [UInt8]) -> Transfer {
    if bytes.count < count { bytes.append(contentsOf: repeatElement(0, count: count - bytes.count)) }
    // Safe: the room is that of the array, which has at least `count` bytes.
    return unsafe bytes.withUnsafeMutableBytes {
      unsafe read(into: UnsafeMutableRawBufferPointer(rebasing: $0[..<count]))
    }
  }
}
