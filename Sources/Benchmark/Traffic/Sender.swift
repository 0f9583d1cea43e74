import CLinux
import Glibc
import Platform

/// Where a scenario sends.
enum Target {
  case udp(port: UInt16)
  case tcp(port: UInt16)
  case unixDatagram(path: String)
  case unixStream(path: String)

  var isStream: Bool {
    switch self {
    case .tcp, .unixStream: true
    case .udp, .unixDatagram: false
    }
  }
}

/// What the kernel took.
struct Sent {
  var datagrams = 0
  var lines = 0
  var nanoseconds: Int64 = 0

  var linesPerSecond: Double { Double(lines) * 1e9 / Double(max(1, nanoseconds)) }
}

/// One sender: some sockets that take turns, at a set pace or as fast as it goes.
///
/// It costs little beside the kernel's work, since everything is rendered before: up to 64 messages a sendmmsg(2).
struct Sender {
  private static let batch = 64

  let traffic: Traffic
  let sockets: [Descriptor]
  let isStream: Bool
  /// The message that comes next.
  private var next: Int

  /// - Parameters:
  ///   - sockets: how many; each is a sender of its own to the agent.
  ///   - start: the part of the messages to begin at, 0 to 1.
  init(_ traffic: Traffic, to target: Target, sockets: Int = 1, start: Double = 0) throws(SystemError) {
    self.traffic = traffic
    isStream = target.isStream
    var made: [Descriptor] = []
    for _ in 0..<sockets { made.append(try ClientSocket.connected(to: target, segmentBytes: traffic.segmentBytes)) }
    self.sockets = made
    next = Int(Double(traffic.messages.count) * start)
  }

  /// Sends for so long, or so many lines, whichever ends first.
  /// - Parameter pace: lines a second; nil: as fast as it goes.
  mutating func send(seconds: Double, pace: Double? = nil, lines: Int = .max) throws(SystemError) -> Sent {
    var sent = Sent()
    let begin = Clock.monotonic()
    let end = begin + Int64(seconds * 1e9)
    var turn = 0
    // Safe: all pointers lead into arrays that outlive the call, at places within them.
    let headers = UnsafeMutablePointer<footfall_mmsghdr>.allocate(capacity: Self.batch)
    let vectors = UnsafeMutablePointer<iovec>.allocate(capacity: Self.batch)
    unsafe headers.initialize(repeating: footfall_mmsghdr(), count: Self.batch)
    defer {
      unsafe headers.deallocate()
      unsafe vectors.deallocate()
    }
    for place in 0..<Self.batch {
      unsafe headers[place].header.msg_iov = vectors + place
      unsafe headers[place].header.msg_iovlen = 1
    }
    while sent.lines < lines {
      let now = Clock.monotonic()
      if now >= end { break }
      var allowed = lines - sent.lines
      if let pace {
        let due = Int(Double(now - begin) * pace / 1e9) + 1
        if due <= sent.lines {
          let ahead = Double(sent.lines - due) / pace
          if ahead > 50e-6 { Clock.sleep(nanoseconds: Int(min(ahead, 500e-6) * 1e9)) }
          continue
        }
        allowed = min(allowed, due - sent.lines)
      }
      let socket = sockets[turn % sockets.count]
      turn += 1
      if isStream {
        try write(to: socket, &sent)
      } else {
        unsafe try sendBatch(to: socket, headers, vectors, allowed, &sent)
      }
    }
    sent.nanoseconds = Clock.monotonic() - begin
    return sent
  }

  @unsafe
  private mutating func sendBatch(
    to socket: Descriptor, _ headers: UnsafeMutablePointer<footfall_mmsghdr>, _ vectors: UnsafeMutablePointer<iovec>,
    _ allowed: Int, _ sent: inout Sent
  ) throws(SystemError) {
    let messages = traffic.messages
    var count = 0
    var planned = 0
    let status = unsafe traffic.text.withUnsafeBytes { text in
      while count < Self.batch && planned < allowed {
        let message = messages[(next + count) % messages.count]
        // Safe: the kernel only reads.
        unsafe vectors[count] = iovec(
          iov_base: UnsafeMutableRawPointer(mutating: text.baseAddress! + message.start), iov_len: message.length)
        planned += message.lines
        count += 1
      }
      return unsafe footfall_sendmmsg(socket.number, headers, UInt32(count), 0)
    }
    if status < 0 {
      switch errno {
      case ECONNREFUSED, ENOBUFS, EAGAIN, EINTR: return
      default: throw SystemError("sendmmsg")
      }
    }
    for place in 0..<Int(status) {
      let message = messages[(next + place) % messages.count]
      sent.lines += message.lines
      sent.datagrams += message.datagrams
    }
    next = (next + Int(status)) % messages.count
  }

  private mutating func write(to socket: Descriptor, _ sent: inout Sent) throws(SystemError) {
    let message = traffic.messages[next]
    next = (next + 1) % traffic.messages.count
    var from = message.start
    let end = message.start + message.length
    while from < end {
      switch socket.write(traffic.text.span.extracting(from..<end)) {
      case .bytes(let count): from += count
      case .failed(let number): throw SystemError("send", "", number: number)
      case .wouldBlock, .end: throw SystemError("send", "", number: EPIPE)
      }
    }
    sent.lines += message.lines
  }
}
