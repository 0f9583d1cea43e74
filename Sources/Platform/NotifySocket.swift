import CLinux
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
    /// The program gets on: to be said before `WATCHDOG_USEC` is over (sd_watchdog_enabled(3)).
    case watchdog
    /// For people, shown by `systemctl status`; a line feed in it becomes a blank.
    case status(String)

    fileprivate var text: String {
      switch self {
      case .ready: "READY=1\n"
      case .reloading: "RELOADING=1\nMONOTONIC_USEC=\(Clock.monotonic() / 1_000)\n"
      case .stopping: "STOPPING=1\n"
      case .watchdog: "WATCHDOG=1\n"
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
  package func send(_ states: State...) throws(SystemError) { try send(states.map(\.text).joined(), []) }

  // MARK: The descriptor store (sd_pid_notify_with_fds(3), FDSTORE=1)

  /// Gives descriptors into the manager's keeping: the next start gets them with `LISTEN_FDS`, under `name`. It keeps them whatever happens
  /// at their other end (FDPOLL=0): what a client sent before it closed is not lost.
  /// - Parameter name: at most 255 bytes of ASCII without control characters and `:`.
  package func store(_ descriptors: [Descriptor], as name: String) throws(SystemError) {
    var rest = descriptors[...]
    while !rest.isEmpty {
      try send("FDSTORE=1\nFDNAME=\(name)\nFDPOLL=0\n", Array(rest.prefix(Self.descriptorsAtOnce)))
      rest = rest.dropFirst(Self.descriptorsAtOnce)
    }
  }

  /// The manager lets go of all that it keeps under `name`.
  package func forget(_ name: String) throws(SystemError) { try send("FDSTOREREMOVE=1\nFDNAME=\(name)\n", []) }

  /// Waits until the manager has taken up all that was sent before, a few seconds at most (sd_notify_barrier(3)): it does not know any more
  /// whose a message was when the process has gone.
  package func awaitManager() throws(SystemError) {
    if name == nil { return }
    var ends: [Int32] = [0, 0]
    // Safe: the kernel writes two numbers.
    if unsafe footfall_pipe2(&ends, O_CLOEXEC) < 0 { throw SystemError("pipe2") }
    let near = Descriptor(owning: ends[0])
    do {
      let far = Descriptor(owning: ends[1])
      try send("BARRIER=1\n", [far])
    }
    var entry = pollfd(fd: near.number, events: 0, revents: 0)
    // Safe: the kernel reads and writes one entry. It hangs up when the manager closes the last copy of the far end.
    if retryingInterrupts({ unsafe poll(&entry, 1, 3_000) }) == 0 {
      throw SystemError("poll", "the manager's answer", number: ETIMEDOUT)
    }
  }

  private static let descriptorsAtOnce = 64

  private func send(_ text: String, _ descriptors: [Descriptor]) throws(SystemError) {
    guard let name else { return }
    guard name.hasPrefix("/") || name.hasPrefix("@") else { throw SystemError("sendto", name, number: EAFNOSUPPORT) }
    let descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    guard descriptor >= 0 else { throw SystemError("socket", name) }
    defer { close(descriptor) }
    var patience = timeval(tv_sec: 1, tv_usec: 0)
    // Safe: the kernel reads the struct that is lent for the call, with its size.
    _ = unsafe setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
    let message = Array(text.utf8)
    guard try send(message, descriptors.map(\.number), to: name, through: descriptor) >= 0 else {
      throw SystemError("sendto", name)
    }
  }

  private func send(
    _ message: [UInt8], _ descriptors: [Int32], to name: String, through descriptor: Int32
  ) throws(SystemError) -> Int {
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
      // Safe: address, message and descriptors are lent for the call, with their sizes.
      unsafe withUnsafeBytes(of: address) { address in
        unsafe footfall_send_descriptors(
          descriptor, message, message.count, descriptors, descriptors.count,
          address.assumingMemoryBound(to: sockaddr.self).baseAddress, size)
      }
    }
  }
}
