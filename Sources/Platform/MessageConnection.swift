import CLinux
import Glibc

/// A connection between two processes of this machine that carries messages and, with them, descriptors (unix(7), SOCK_SEQPACKET and
/// SCM_RIGHTS). A message comes whole or not at all. Calls block, up to a deadline.
package final class MessageConnection: Sendable {
  /// What came.
  package enum Incoming {
    /// The descriptors are the caller's to close.
    case message(String, [Int32])
    /// The other side is gone.
    case end
    case timedOut
  }

  /// Bytes of a message at most.
  package static let longest = 65_536
  /// Descriptors that go with one message at most.
  package static let mostDescriptors = Int(FOOTFALL_MOST_DESCRIPTORS)

  private let descriptor: Descriptor

  private init(_ descriptor: Descriptor) {
    self.descriptor = descriptor
    // A send waits for room as long as a slice of a receive lasts, and fails then: the other side is not reading.
    setTimeout(SO_RCVTIMEO, milliseconds: 100)
    setTimeout(SO_SNDTIMEO, milliseconds: 5_000)
  }

  /// A socket that hears who connects, at `path`, for the user who runs this and for root alone (mode 0600). What stands at the path is
  /// removed: the caller knows that nobody answers there.
  package static func listener(at path: String) throws(SystemError) -> Descriptor {
    let address = try Socket.unixAddress(path, "bind")
    let socket = try make(path)
    // Before the bind, which gives the file this mode (unix(7)).
    if fchmod(socket.number, 0o600) < 0 { throw SystemError("fchmod", path) }
    File.remove(path)
    // Safe: the address lives through the call.
    if unsafe Socket.call(bind, socket, address) < 0 { throw SystemError("bind", path) }
    if listen(socket.number, 4) < 0 { throw SystemError("listen", path) }
    return socket
  }

  /// The connection to who listens at `path`; nil if nobody does.
  package static func connect(to path: String) throws(SystemError) -> MessageConnection? {
    let address = try Socket.unixAddress(path, "connect")
    let socket = try make(path)
    // Safe: the address lives through the call.
    if unsafe Socket.call(Glibc.connect, socket, address) < 0 {
      if errno == ENOENT || errno == ECONNREFUSED { return nil }
      throw SystemError("connect", path)
    }
    return MessageConnection(socket)
  }

  /// The next connection that waits at a listener. Call it when there is one.
  package static func accept(_ listener: Descriptor) throws(SystemError) -> MessageConnection {
    let number = retryingInterrupts { footfall_accept4(listener.number, nil, nil, Int32(SOCK_CLOEXEC.rawValue)) }
    if number < 0 { throw SystemError("accept") }
    return MessageConnection(Descriptor(owning: number))
  }

  /// Two ends of one connection.
  package static func pair() throws(SystemError) -> (MessageConnection, MessageConnection) {
    var numbers: [Int32] = [0, 0]
    // Safe: the kernel writes two numbers.
    if unsafe socketpair(AF_UNIX, footfall_sequenced_socket, 0, &numbers) < 0 { throw SystemError("socketpair") }
    return (MessageConnection(Descriptor(owning: numbers[0])), MessageConnection(Descriptor(owning: numbers[1])))
  }

  /// The other side runs under the same user as this process, or as root; or this process is root (SO_PEERCRED).
  package var isOfOneUser: Bool {
    var peer = footfall_credentials(process: 0, user: .max, group: .max)
    var length = socklen_t(MemoryLayout<footfall_credentials>.size)
    // Safe: the kernel writes at most `length` bytes.
    let status = unsafe getsockopt(descriptor.number, SOL_SOCKET, Int32(FOOTFALL_SO_PEERCRED), &peer, &length)
    return status == 0 && (peer.user == geteuid() || peer.user == 0)
  }

  /// The other side's process (SO_PEERCRED).
  package var peerProcess: Int {
    var peer = footfall_credentials(process: 0, user: .max, group: .max)
    var length = socklen_t(MemoryLayout<footfall_credentials>.size)
    // Safe: as above.
    unsafe _ = getsockopt(descriptor.number, SOL_SOCKET, Int32(FOOTFALL_SO_PEERCRED), &peer, &length)
    return Int(peer.process)
  }

  /// Sends one message; this process keeps its own hold on the descriptors.
  package func send(_ text: String, _ descriptors: [Descriptor] = []) throws(SystemError) {
    precondition(descriptors.count <= Self.mostDescriptors && text.utf8.count <= Self.longest)
    let bytes = Array(text.utf8)
    let numbers = descriptors.map(\.number)
    // Safe: bytes and numbers are lent for the call, with their counts.
    let sent = retryingInterrupts {
      unsafe footfall_send_descriptors(descriptor.number, bytes, bytes.count, numbers, numbers.count, nil, 0)
    }
    if sent < 0 { throw SystemError("sendmsg", text.split(separator: "\n").first.map(String.init) ?? "") }
  }

  /// Waits for the next message.
  /// - Parameters:
  ///   - seconds: the most that it waits.
  ///   - meanwhile: called some ten times a second.
  package func receive(seconds: Int, meanwhile: () -> Void = {}) -> Incoming {
    let deadline = Clock.monotonic() + Int64(seconds) * 1_000_000_000
    var bytes = [UInt8](repeating: 0, count: Self.longest)
    var numbers = [Int32](repeating: -1, count: Self.mostDescriptors)
    var count = 0
    var isCut: Int32 = 0
    while true {
      // Safe: both arrays are as long as the kernel is told.
      let received = retryingInterrupts {
        unsafe footfall_receive_descriptors(descriptor.number, &bytes, bytes.count, &numbers, &count, &isCut)
      }
      let reason = errno
      if received > 0 && isCut == 0 {
        return .message(String(decoding: bytes[..<received], as: UTF8.self), Array(numbers[..<count]))
      }
      for number in numbers[..<count] { _ = close(number) }
      if received >= 0 || reason != EAGAIN { return .end }
      meanwhile()
      if Clock.monotonic() >= deadline { return .timedOut }
    }
  }

  private static func make(_ path: String) throws(SystemError) -> Descriptor {
    let number = socket(AF_UNIX, footfall_sequenced_socket, 0)
    if number < 0 { throw SystemError("socket", path) }
    return Descriptor(owning: number)
  }

  private func setTimeout(_ option: Int32, milliseconds: Int) {
    var time = timeval(tv_sec: milliseconds / 1_000, tv_usec: milliseconds % 1_000 * 1_000)
    // Safe: the kernel reads the struct that is lent for the call, with its size.
    unsafe _ = setsockopt(descriptor.number, SOL_SOCKET, option, &time, socklen_t(MemoryLayout<timeval>.size))
  }
}
