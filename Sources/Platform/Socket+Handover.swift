import CLinux
import Glibc

/// What a socket must tell of itself when another process goes on with it.
extension Socket {
  /// The number that the kernel gave the socket, and no other until the machine starts anew (SO_COOKIE, socket(7)): the same in every
  /// process that holds it. 0 where the kernel does not say.
  package static func cookie(_ socket: Descriptor) -> UInt64 {
    var cookie: UInt64 = 0
    var length = socklen_t(MemoryLayout<UInt64>.size)
    // Safe: the kernel writes at most `length` bytes.
    unsafe _ = getsockopt(socket.number, SOL_SOCKET, Int32(FOOTFALL_SO_COOKIE), &cookie, &length)
    return cookie
  }

  /// Whether a socket has a peer: of a datagram socket here, that it refuses arrivals (`refuseArrivals`).
  package static func isConnected(_ socket: Descriptor) -> Bool {
    var family: sa_family_t = 0
    var length = socklen_t(MemoryLayout<sa_family_t>.size)
    return unsafe withUnsafeMutableBytes(of: &family) { bytes in
      // Safe: the kernel writes no more than `length` bytes, and cuts what is longer.
      unsafe getpeername(socket.number, bytes.baseAddress!.assumingMemoryBound(to: sockaddr.self), &length) == 0
    }
  }

  /// Who is at the other end of a connection.
  package static func peer(_ socket: Descriptor) -> SenderAddress {
    var address = SocketAddress()
    address.length = socklen_t(MemoryLayout<sockaddr_storage>.size)
    let status = unsafe withUnsafeMutableBytes(of: &address.storage) { storage in
      // Safe: the storage is as long as the length says.
      unsafe getpeername(
        socket.number, storage.baseAddress!.assumingMemoryBound(to: sockaddr.self), &address.length)
    }
    return status == 0 ? address.sender : .local
  }

  /// Takes all that waits at a datagram socket, and throws it away. The socket must refuse arrivals by now, so that it ends.
  /// - Returns: how many messages there were.
  package static func discard(_ socket: Descriptor) -> Int {
    var count = 0
    var byte: UInt8 = 0
    // Safe: the kernel writes at most one byte, and drops the rest of the datagram.
    while retryingInterrupts({ unsafe recv(socket.number, &byte, 1, footfall_msg_dontwait) }) >= 0 { count += 1 }
    return count
  }
}
