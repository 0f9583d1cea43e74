import CLinux
import Glibc
import Platform
import Synchronization

/// The floor: takes datagrams as an agent must, with address and control messages, and does nothing with them.
///
/// It is this program again (`Benchmark bare-receiver naps`), in a process of its own as the agent is: it writes its port, then answers
/// each byte on standard input with `books DATAGRAMS DROPPED`, until the input ends.
enum BareReceiver {
  static let command = "bare-receiver"
  private static let batch = 64
  private static let slot = 65_536
  private static let controlBytes = 64
  private static let udpLevel: Int32 = 17
  /// UDP_GRO of linux/udp.h, SO_RXQ_OVFL of asm/socket.h.
  private static let coalesce: Int32 = 104
  private static let overflow: Int32 = 40

  private final class Counts: Sendable { let datagrams = Atomic<Int>(0) }

  /// - Parameter naps: whether it sleeps a while after a batch less than half full, by the product's rule (`DatagramInlet`): until half
  ///   a MiB of the receive buffer is full again, at the rate of the last time. Otherwise it waits in the kernel.
  static func run(naps: Bool) throws(SystemError) {
    let socket = try Self.bound()
    let counts = Counts()
    _ = try Thread("receiver") { receive(socket, naps, counts) }
    StandardOutput.write(Array("port \(try ClientSocket.boundPort(of: socket))\n".utf8))
    StandardInput.read { asked in
      for _ in 0..<asked.count {
        let datagrams = counts.datagrams.load(ordering: .acquiring)
        StandardOutput.write(Array("books \(datagrams) \(Socket.drops(socket))\n".utf8))
      }
    }
  }

  private static func bound() throws(SystemError) -> Descriptor {
    let socket = try ClientSocket.make(AF_INET, SOCK_DGRAM)
    _ = Socket.setReceiveBuffer(socket, bytes: 8 << 20)
    try ClientSocket.set(socket, udpLevel, coalesce, 1)
    try ClientSocket.set(socket, SOL_SOCKET, overflow, 1)
    var address = ClientSocket.loopback(port: 0)
    if unsafe ClientSocket.withAddress(&address, { unsafe bind(socket.number, $0, $1) }) < 0 {
      throw SystemError("bind")
    }
    return socket
  }

  private static func receive(_ socket: Descriptor, _ naps: Bool, _ counts: Counts) {
    // Safe: to the end of the function, each pointer leads to a slot's part of its own allocation, and none is ever freed.
    let slots = UnsafeMutableRawPointer.allocate(byteCount: batch * slot, alignment: 4_096)
    let names = UnsafeMutableRawPointer.allocate(byteCount: batch * 32, alignment: 8)
    let controls = UnsafeMutableRawPointer.allocate(byteCount: batch * controlBytes, alignment: 8)
    let headers = UnsafeMutablePointer<footfall_mmsghdr>.allocate(capacity: batch)
    let vectors = UnsafeMutablePointer<iovec>.allocate(capacity: batch)
    unsafe headers.initialize(repeating: footfall_mmsghdr(), count: batch)
    for place in 0..<batch {
      unsafe vectors[place] = iovec(iov_base: slots + place * slot, iov_len: slot)
      unsafe headers[place].header.msg_iov = vectors + place
      unsafe headers[place].header.msg_iovlen = 1
      unsafe headers[place].header.msg_name = names + place * 32
      unsafe headers[place].header.msg_control = controls + place * controlBytes
    }
    var nap = Nap()
    while true {
      for place in 0..<batch {
        unsafe headers[place].header.msg_namelen = 28
        unsafe headers[place].header.msg_controllen = controlBytes
      }
      let waitForOne: Int32 = 0x10000  // MSG_WAITFORONE
      let count = unsafe Int(footfall_recvmmsg(socket.number, headers, UInt32(batch), waitForOne, nil))
      if count <= 0 { continue }
      var datagrams = 0
      for place in 0..<count {
        unsafe datagrams += parts(of: headers[place])
        nap.charged += unsafe 1_024 + Int(headers[place].length) * 2
      }
      counts.datagrams.wrappingAdd(datagrams, ordering: .releasing)
      if naps && count < batch / 2 { nap.sleep() }
    }
  }

  private struct Nap {
    /// Bytes of the receive buffer that messages took since the last nap, about.
    var charged = 0
    private var began = Clock.monotonic()

    mutating func sleep() {
      let now = Clock.monotonic()
      let wanted = Double(512 << 10) * Double(now - began) / Double(charged)
      charged = 0
      began = now
      Clock.sleep(nanoseconds: Int(min(max(wanted, 20_000), 2_000_000)))
    }
  }

  /// Datagrams that the kernel has joined to one: the control message of UDP_GRO says how long each was.
  @unsafe
  private static func parts(of message: footfall_mmsghdr) -> Int {
    let length = Int(unsafe message.length)
    guard var at = unsafe message.header.msg_control else { return 1 }
    let end = unsafe at + Int(message.header.msg_controllen)
    while unsafe at + 20 <= end {
      // struct cmsghdr: length (8 bytes), level (4), type (4), then the data.
      let size = unsafe at.load(as: Int.self)
      if size < 16 { break }
      if unsafe at.load(fromByteOffset: 8, as: Int32.self) == udpLevel,
        unsafe at.load(fromByteOffset: 12, as: Int32.self) == coalesce
      {
        let segment = Int(unsafe at.load(fromByteOffset: 16, as: Int32.self))
        return segment > 0 ? (length + segment - 1) / segment : 1
      }
      unsafe at += (size + 7) & ~7
    }
    return 1
  }
}

/// A bare receiver as its parent sees it.
final class BareReceiverProcess {
  private let child: Child
  let udpPort: UInt16
  var reading: ProcessReading { ProcessReading(pid: child.pid) }

  init(naps: Bool, processor: Int?) throws(SystemError) {
    let own = try File.link("/proc/self/exe")
    child = try Child(
      [own, BareReceiver.command, naps ? "naps" : "waits"], reading: .output, hasInput: true, processor: processor)
    let words = try child.readLines { $0.hasPrefix("port ") }.split(whereSeparator: { $0 == " " || $0 == "\n" })
    udpPort = UInt16(words[1]) ?? 0
  }

  deinit { child.end(SIGKILL) }

  func books() throws(SystemError) -> (datagrams: Int, dropped: Int) {
    child.write("?")
    let words = try child.readLines { $0.hasPrefix("books ") }.split(whereSeparator: { $0 == " " || $0 == "\n" })
    return (Int(words[1]) ?? 0, Int(words[2]) ?? 0)
  }
}
