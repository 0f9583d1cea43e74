import CLinux
import Glibc

/// Sockets as this program uses them: never blocking, closed on exec.
package enum Socket {
  private static let datagram = Int32(SOCK_DGRAM.rawValue)
  private static let stream = Int32(SOCK_STREAM.rawValue)
  private static let flags = footfall_nonblocking_socket

  /// Fails with EADDRINUSE if somebody listens at `address`. A reuseport group would let a second program of the same user join, and take a
  /// share of what is sent to the first one.
  package static func requireFree(_ address: SocketAddress, isStream: Bool) throws(SystemError) {
    let probe = try bound(address, isStream ? stream : datagram, reusesPort: false)
    if isStream { try listen(probe, address.description) }
  }

  /// A UDP socket in the reuseport group of `address`: the kernel spreads senders over the group, and one sender stays with one socket.
  package static func boundDatagram(_ address: SocketAddress) throws(SystemError) -> Descriptor {
    try bound(address, datagram, reusesPort: true)
  }

  /// A listening TCP socket in the reuseport group of `address`.
  package static func listening(_ address: SocketAddress, reusesPort: Bool) throws(SystemError) -> Descriptor {
    let socket = try bound(address, stream, reusesPort: reusesPort)
    try listen(socket, address.description)
    return socket
  }

  /// A unix datagram socket at `path`. A socket file that nobody answers at is replaced; one in use is an error.
  package static func boundDatagram(path: String) throws(SystemError) -> Descriptor { try bound(path, datagram) }

  /// A listening unix stream socket at `path`; as for datagrams.
  package static func listening(path: String) throws(SystemError) -> Descriptor {
    let socket = try bound(path, stream)
    try listen(socket, path)
    return socket
  }

  /// The next connection that waits at a listener, with its peer's address; nil if there is none.
  /// - Throws: what accept4(2) gives but for a connection that was cut before it was taken: that one is passed over.
  package static func accept(_ listener: Descriptor) throws(SystemError) -> (Descriptor, SocketAddress)? {
    while true {
      var peer = SocketAddress()
      peer.length = socklen_t(MemoryLayout<sockaddr_storage>.size)
      let number = unsafe withUnsafeMutableBytes(of: &peer.storage) { storage in
        // Safe: the storage is as long as the length says.
        unsafe footfall_accept4(
          listener.number, storage.baseAddress!.assumingMemoryBound(to: sockaddr.self), &peer.length, flags)
      }
      if number >= 0 { return (Descriptor(owning: number), peer) }
      switch errno {
      case EAGAIN, EWOULDBLOCK: return nil
      // What accept(2) says to treat like EAGAIN: the network's own errors, of a connection that is gone.
      case EINTR, ECONNABORTED, EPROTO, ENETDOWN, ENOPROTOOPT, EHOSTDOWN, ENONET, EHOSTUNREACH, EOPNOTSUPP, ENETUNREACH:
        continue
      default: throw SystemError("accept")
      }
    }
  }

  /// The address that a socket was bound to, with the port that the kernel picked.
  package static func localAddress(_ socket: Descriptor) -> SocketAddress {
    var address = SocketAddress()
    address.length = socklen_t(MemoryLayout<sockaddr_storage>.size)
    unsafe withUnsafeMutableBytes(of: &address.storage) { storage in
      // Safe: the storage is as long as the length says.
      unsafe _ = getsockname(
        socket.number, storage.baseAddress!.assumingMemoryBound(to: sockaddr.self), &address.length)
    }
    return address
  }

  /// The path that a unix socket was bound to; empty if it has none.
  package static func localPath(_ socket: Descriptor) -> String {
    var address = sockaddr_un()
    var length = socklen_t(MemoryLayout<sockaddr_un>.size)
    let status = unsafe withUnsafeMutableBytes(of: &address) { bytes in
      // Safe: the length is the structure's own.
      unsafe getsockname(socket.number, bytes.baseAddress!.assumingMemoryBound(to: sockaddr.self), &length)
    }
    guard status == 0 else { return "" }
    return unsafe withUnsafeBytes(of: address.sun_path) {
      unsafe String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
    }
  }

  /// For a socket that somebody else made.
  package static func stopBlocking(_ socket: Descriptor) throws(SystemError) {
    let flags = fcntl(socket.number, F_GETFL)
    if flags < 0 || fcntl(socket.number, F_SETFL, flags | O_NONBLOCK) < 0 { throw SystemError("fcntl") }
  }

  /// Answers leave at once; they are written whole, so nothing is gained by waiting for more (TCP_NODELAY).
  package static func sendAtOnce(_ socket: Descriptor) { _ = try? set(socket, Int32(IPPROTO_TCP), TCP_NODELAY, 1) }

  /// Of a listening TCP socket, for the connections to come, which inherit it: the kernel takes no more than `unsentBytes` that cannot be
  /// sent yet (TCP_NOTSENT_LOWAT, tcp(7)), where it would take megabytes for a peer that does not read; and it asks peers that are silent for
  /// a minute whether they are still there, so that one that has vanished does not stay for ever.
  package static func guardConnections(of listener: Descriptor, unsentBytes: Int32) {
    let tcp = Int32(IPPROTO_TCP)
    for (level, option, value) in [
      (tcp, TCP_NOTSENT_LOWAT, unsentBytes), (SOL_SOCKET, SO_KEEPALIVE, 1), (tcp, TCP_KEEPIDLE, 60),
      (tcp, TCP_KEEPINTVL, 15), (tcp, TCP_KEEPCNT, 4),
    ] {
      // A kernel that cannot do so goes on without it.
      _ = try? set(listener, level, option, value)
    }
  }

  /// Asks for a receive buffer of `bytes`: beyond net.core.rmem_max where the process may (CAP_NET_ADMIN), else up to it.
  /// - Returns: the bytes of payload and overhead that were granted, as `bytes` counts them (the kernel doubles both).
  package static func setReceiveBuffer(_ socket: Descriptor, bytes: Int) -> Int {
    let wanted = Int32(clamping: bytes)
    if (try? set(socket, SOL_SOCKET, Int32(FOOTFALL_SO_RCVBUFFORCE), wanted)) == nil {
      _ = try? set(socket, SOL_SOCKET, SO_RCVBUF, wanted)
    }
    var granted: Int32 = 0
    var length = socklen_t(MemoryLayout<Int32>.size)
    unsafe _ = getsockopt(socket.number, SOL_SOCKET, SO_RCVBUF, &granted, &length)
    return Int(granted) / 2
  }

  /// Lets the kernel hand over datagrams of one sender that came close together as one message (UDP_GRO, udp(7), Linux 5.0): a segmented
  /// sender's or a network card's pass through the kernel once, not each by itself. From an ordinary sender on this machine nothing is
  /// joined. A kernel that cannot do so goes on as before.
  package static func joinDatagrams(_ socket: Descriptor) {
    _ = try? set(socket, Int32(FOOTFALL_SOL_UDP), Int32(FOOTFALL_UDP_GRO), 1)
  }

  /// Datagrams that the kernel has dropped at this socket since it was made, modulo 2^32 (SO_MEMINFO, linux/sock_diag.h). Read from the
  /// socket itself: SO_RXQ_OVFL rides on the next datagram, so it never tells of the last drops.
  package static func drops(_ socket: Descriptor) -> UInt32 {
    memoryInfo(socket, Int(FOOTFALL_MEMINFO_DROPS))
  }

  /// Bytes that wait in the socket's receive queue, the kernel's own part of each datagram included (SO_MEMINFO).
  package static func queuedBytes(_ socket: Descriptor) -> Int { Int(memoryInfo(socket, Int(FOOTFALL_MEMINFO_QUEUED))) }

  private static func memoryInfo(_ socket: Descriptor, _ place: Int) -> UInt32 {
    var words = InlineArray<16, UInt32>(repeating: 0)
    var length = socklen_t(Int(FOOTFALL_MEMINFO_WORDS) * 4)
    var span = words.mutableSpan
    // Safe: the span is longer than the length passed.
    let status = unsafe span.withUnsafeMutableBufferPointer {
      unsafe getsockopt(socket.number, SOL_SOCKET, Int32(FOOTFALL_SO_MEMINFO), $0.baseAddress, &length)
    }
    return status == 0 ? words[place] : 0
  }

  /// Closes a datagram socket's books: what arrives is first dropped by the kernel, and counted, and then turned away, so that a sender
  /// learns of it (ECONNREFUSED). What the buffer holds can still be read; nothing falls between a last look and the close.
  ///
  /// The drop is a classic BPF program of one instruction, `return 0` (socket(7), SO_ATTACH_FILTER); the turning away is a connect(2) to
  /// the discard port of its own address, since a connected socket hears its peer alone.
  package static func refuseArrivals(_ socket: Descriptor) throws(SystemError) {
    var instruction = sock_filter(code: 0x06, jt: 0, jf: 0, k: 0)  // BPF_RET | BPF_K
    let status = unsafe withUnsafeMutablePointer(to: &instruction) { pointer in
      // Safe: the kernel copies the program before the call returns.
      var program = unsafe sock_fprog(len: 1, filter: pointer)
      return unsafe setsockopt(
        socket.number, SOL_SOCKET, Int32(FOOTFALL_SO_ATTACH_FILTER), &program,
        socklen_t(MemoryLayout<sock_fprog>.size))
    }
    if status < 0 { throw SystemError("setsockopt SO_ATTACH_FILTER") }
    // A unix socket has no such peer; its senders fail when it closes.
    guard let nowhere = localAddress(socket).replacing(port: 9) else { return }
    if unsafe nowhere.withPointer({ unsafe connect(socket.number, $0, $1) }) < 0 {
      throw SystemError("connect", nowhere.description)
    }
  }

  private static func bound(_ address: SocketAddress, _ type: Int32, reusesPort: Bool) throws(SystemError) -> Descriptor
  {
    let number = socket(address.isV6 ? AF_INET6 : AF_INET, type | flags, 0)
    if number < 0 { throw SystemError("socket", address.description) }
    let socket = Descriptor(owning: number)
    if type == stream { try set(socket, SOL_SOCKET, SO_REUSEADDR, 1) }
    if reusesPort { try set(socket, SOL_SOCKET, SO_REUSEPORT, 1) }
    if unsafe address.withPointer({ unsafe bind(number, $0, $1) }) < 0 {
      throw SystemError("bind", address.description)
    }
    return socket
  }

  private static func bound(_ path: String, _ type: Int32) throws(SystemError) -> Descriptor {
    let address = try unixAddress(path, "bind")
    let number = socket(AF_UNIX, type | flags, 0)
    if number < 0 { throw SystemError("socket", path) }
    let socket = Descriptor(owning: number)
    if unsafe call(bind, socket, address) < 0 {
      let reason = errno
      if reason != EADDRINUSE || !isLeftBehind(path, address, type) { throw SystemError("bind", path, number: reason) }
      // Safe: the path is a string of ours.
      unsafe _ = unlink(path)
      if unsafe call(bind, socket, address) < 0 { throw SystemError("bind", path) }
    }
    // Whoever may enter the folder may send, as with the internet sockets: the umask of a service would keep all others out.
    unsafe _ = chmod(path, 0o666)
    return socket
  }

  /// Whether `path` is the socket of a program that has ended: it refuses connections, and that of one that runs does not. So does a
  /// file that is no socket, which is not ours to remove.
  private static func isLeftBehind(_ path: String, _ address: sockaddr_un, _ type: Int32) -> Bool {
    var status = stat()
    // Safe: the kernel fills the struct that is lent for the call.
    guard unsafe lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFSOCK else { return false }
    let number = socket(AF_UNIX, type | flags, 0)
    if number < 0 { return false }
    let probe = Descriptor(owning: number)
    return unsafe call(connect, probe, address) < 0 && errno == ECONNREFUSED
  }

  /// The address of a unix socket at `path`.
  static func unixAddress(_ path: String, _ call: StaticString) throws(SystemError) -> sockaddr_un {
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    let room = MemoryLayout.size(ofValue: address.sun_path)
    if path.utf8.count >= room { throw SystemError(call, path, number: ENAMETOOLONG) }
    // Safe: the path and its NUL fit, as was just checked.
    unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: path.utf8) }
    return address
  }

  /// bind(2) or connect(2) with a unix socket's address.
  @unsafe
  static func call(
    _ function: (Int32, UnsafePointer<sockaddr>, socklen_t) -> Int32, _ socket: Descriptor, _ address: sockaddr_un
  ) -> Int32 {
    unsafe withUnsafeBytes(of: address) { bytes in
      // Safe: an address of any family begins as a sockaddr does, and the length is the structure's own.
      unsafe function(
        socket.number, bytes.baseAddress!.assumingMemoryBound(to: sockaddr.self), socklen_t(bytes.count))
    }
  }

  private static func listen(_ socket: Descriptor, _ name: String) throws(SystemError) {
    if Glibc.listen(socket.number, 4_096) < 0 { throw SystemError("listen", name) }
  }

  private static func set(_ socket: Descriptor, _ level: Int32, _ option: Int32, _ value: Int32) throws(SystemError) {
    var value = value
    if unsafe setsockopt(socket.number, level, option, &value, socklen_t(MemoryLayout<Int32>.size)) < 0 {
      throw SystemError("setsockopt")
    }
  }
}
