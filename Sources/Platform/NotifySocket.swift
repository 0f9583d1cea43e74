import Glibc

/// Where the program tells its manager how it is (sd_notify(3)): datagrams of `KEY=value` lines to the socket in `NOTIFY_SOCKET`.
///
///     READY=1\nSTATUS=listening on 127.0.0.1:8125\n
///
/// Without a manager nothing is sent. A message takes a socket of its own: there are a handful in a life.
package struct NotifySocket: Sendable {
  /// One line of a message.
  package enum State: Sendable {
    /// The start, or a reload, is done.
    case ready
    /// A reload begins; systemd 253 and later wait for the `ready` that ends it, and want to know when this was said.
    case reloading
    /// The end begins.
    case stopping
    /// For people, shown by `systemctl status`; a line feed in it becomes a blank.
    case status(String)

    fileprivate var text: String {
      switch self {
      case .ready: "READY=1\n"
      case .reloading: "RELOADING=1\nMONOTONIC_USEC=\(Clock.monotonic() / 1_000)\n"
      case .stopping: "STOPPING=1\n"
      case .status(let text): "STATUS=\(String(decoding: text.utf8.map { $0 == 0x0A ? 0x20 : $0 }, as: UTF8.self))\n"
      }
    }
  }

  private let name: String?

  /// - Parameter name: the value of `NOTIFY_SOCKET`: an absolute path, or `@name` for an abstract socket (unix(7)).
  package init(name: String?) {
    self.name = name
  }

  /// Sends `states` as one message. Where the manager's queue is full it waits for a second at most: a lost `ready` would cost the
  /// service its start, an endless wait its stop.
  package func send(_ states: State...) throws(SystemError) {
    guard let name else { return }
    guard name.hasPrefix("/") || name.hasPrefix("@") else { throw SystemError("sendto", name, number: EAFNOSUPPORT) }
    let message = Array(states.map(\.text).joined().utf8)
    let descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    guard descriptor >= 0 else { throw SystemError("socket", name) }
    defer { close(descriptor) }
    var patience = timeval(tv_sec: 1, tv_usec: 0)
    // Safe: the kernel reads the struct that is lent for the call, with its size.
    _ = unsafe setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
    guard try send(message, to: name, through: descriptor) >= 0 else { throw SystemError("sendto", name) }
  }

  private func send(_ message: [UInt8], to name: String, through descriptor: Int32) throws(SystemError) -> Int {
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    let isAbstract = name.hasPrefix("@")
    let length = name.utf8.count
    // A path ends in NUL; an abstract name begins with it, and its length says where it ends.
    guard length < MemoryLayout.size(ofValue: address.sun_path) else {
      throw SystemError("sendto", name, number: ENAMETOOLONG)
    }
    // Safe: the name fits into sun_path, as was just checked.
    unsafe withUnsafeMutableBytes(of: &address.sun_path) { path in
      unsafe path.copyBytes(from: name.utf8)
      if isAbstract { unsafe path[0] = 0 }
    }
    let size = socklen_t(MemoryLayout<sa_family_t>.size + length + (isAbstract ? 0 : 1))
    return retryingInterrupts {
      // Safe: address and message are lent for the call, with their sizes.
      unsafe withUnsafeBytes(of: address) { address in
        unsafe message.withUnsafeBytes {
          unsafe sendto(
            descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL),
            address.assumingMemoryBound(to: sockaddr.self).baseAddress, size)
        }
      }
    }
  }
}
