import Bytes
import Glibc
import Testing

@testable import Platform

@Suite struct DatagramArenaTests {
  /// Two ends of a unix datagram socket, the only kind that can carry more than UDP's limit.
  private func pair() -> (sender: Descriptor, receiver: Descriptor) {
    var ends: [Int32] = [0, 0]
    precondition(unsafe socketpair(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0, &ends) == 0)
    var size: Int32 = 1 << 20
    unsafe _ = setsockopt(ends[0], SOL_SOCKET, SO_SNDBUF, &size, 4)
    return (Descriptor(owning: ends[0]), Descriptor(owning: ends[1]))
  }

  @Test func `datagrams stand in their slots in order, each with its sentinel`() throws {
    let (sender, receiver) = pair()
    var arena = try DatagramArena()
    let received0 = arena.receive(receiver)
    #expect(received0 == 0)
    let texts = (0..<10).map { Array(String(repeating: "\($0)", count: $0 * 100).utf8) }
    for text in texts { #expect(sender.write(text.span) == .bytes(text.count)) }
    let received10 = arena.receive(receiver)
    #expect(received10 == 10)
    for (slot, text) in texts.enumerated() {
      let bytes = arena.message(slot)
      #expect(bytes.copy(0..<bytes.count) == text)
      #expect(bytes[bytes.count] == 0x0A)
      // Each begins on a cache line.
      #expect(Int(bitPattern: unsafe bytes.address(of: 0)) % 64 == 0)
      let isTruncated = arena.isTruncated(slot)
      #expect(!isTruncated)
    }
    // Slots are used again: a shorter datagram does not show what stood there.
    #expect(sender.write([0x61].span) == .bytes(1))
    let received1 = arena.receive(receiver)
    #expect(received1 == 1)
    let last = arena.message(0)
    #expect(last.count == 1 && last[1] == 0x0A)
  }

  @Test func `a datagram of a slot's size is whole, and of a longer one the tail is cut`() throws {
    let (sender, receiver) = pair()
    var arena = try DatagramArena()
    for count in [DatagramArena.longest - 1, DatagramArena.longest, DatagramArena.longest + 1, 100_000] {
      let text = (0..<count).map { UInt8(truncatingIfNeeded: $0 % 251) }
      #expect(sender.write(text.span) == .bytes(count))
      #expect(sender.write([0x62].span) == .bytes(1))
      let received2 = arena.receive(receiver)
      #expect(received2 == 2)
      let bytes = arena.message(0)
      #expect(bytes.count == min(count, DatagramArena.longest))
      #expect(bytes.copy(0..<bytes.count).elementsEqual(text.prefix(bytes.count)))
      let isTruncated = arena.isTruncated(0)
      #expect(isTruncated == (count > DatagramArena.longest))
      // The neighbour is not touched by the sentinel.
      let neighbour = arena.message(1).copy(0..<1)
      #expect(neighbour == [0x62])
    }
  }

  @Test func `more datagrams than slots are taken in turns`() throws {
    let receiver = try Socket.boundDatagram(#require(SocketAddress(v4: "127.0.0.1", port: 0)))
    _ = Socket.setReceiveBuffer(receiver, bytes: 1 << 20)
    let address = Socket.localAddress(receiver)
    for number in 0..<150 {
      let text = "\(number)"
      #expect(unsafe address.withPointer { unsafe sendto(receiver.number, text, text.utf8.count, 0, $0, $1) } > 0)
    }
    var arena = try DatagramArena()
    var numbers: [String] = []
    while case let count = arena.receive(receiver), count > 0 {
      #expect(count <= DatagramArena.slots)
      for slot in 0..<count {
        let bytes = arena.message(slot)
        numbers.append(String(decoding: bytes.copy(0..<bytes.count), as: UTF8.self))
      }
    }
    #expect(numbers == (0..<150).map { "\($0)" })
  }

  /// A message of `bytes` cut into datagrams of `segment`, as UDP_SEGMENT (udp(7), number 103) has the kernel do it.
  private func sendSegmented(_ bytes: [UInt8], segment: Int, to receiver: Descriptor) throws {
    let sender = Descriptor(owning: socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0))
    var size = Int32(segment)
    try #require(unsafe setsockopt(sender.number, 17, 103, &size, 4) == 0)
    let sent = Socket.localAddress(receiver).withPointer { address, length in
      unsafe sendto(sender.number, bytes, bytes.count, 0, address, length)
    }
    try #require(sent == bytes.count)
  }

  private static func text(_ count: Int) -> [UInt8] { (0..<count).map { UInt8(truncatingIfNeeded: 65 + $0 % 26) } }

  static let runs: [(segment: Int, count: Int)] = [
    (10, 30), (10, 31), (10, 39), (1, 2), (1, 64), (500, 501), (500, 500), (10, 9), (1_432, 64_440), (256, 16_384),
    (256, 16_001), (257, 1_000),
  ]

  @Test(arguments: runs)
  func `a joined run is one message whose datagrams can be told apart`(_ segment: Int, _ count: Int) throws {
    let receiver = try Socket.boundDatagram(#require(SocketAddress(v4: "127.0.0.1", port: 0)))
    _ = Socket.setReceiveBuffer(receiver, bytes: 4 << 20)
    let text = Self.text(count)
    let parts = stride(from: 0, to: count, by: segment).map { $0..<min($0 + segment, count) }

    // A socket that does not ask for runs gets each datagram by itself.
    var arena = try DatagramArena()
    try sendSegmented(text, segment: segment, to: receiver)
    var apart = 0
    while case let more = arena.receive(receiver), more > 0 { apart += more }
    #expect(apart == parts.count)

    Socket.joinDatagrams(receiver)
    try sendSegmented(text, segment: segment, to: receiver)
    let messages = arena.receive(receiver, joined: true)
    #expect(messages == 1)
    let isWhole = arena.isWholeDatagram(0)
    #expect(isWhole == (parts.count == 1))
    let segmentBytes = arena.segmentBytes(0)
    #expect(segmentBytes == (parts.count == 1 ? count : segment))
    for part in parts {
      arena.withDatagram(0, part) { datagram in
        #expect(datagram.copy(0..<datagram.count) == Array(text[part]) && datagram[datagram.count] == 0x0A)
      }
    }
    let lines = arena.lines(0, segment: segmentBytes)
    if parts.count > 1 && segment <= 256 {
      let found = try #require(lines)
      #expect(found.copy(0..<found.count) == Array(parts.map { Array(text[$0]) }.joined(separator: [0x0A])))
      #expect(found[found.count] == 0x0A)
    } else if segment > 256 {
      #expect(lines?.count == nil)
    }
    // The LF behind each was there for as long as it was lent.
    let message = arena.message(0)
    #expect(message.copy(0..<message.count) == text)
  }

  @Test func `descriptors that somebody sends over a unix socket are not taken in`() throws {
    let (sender, receiver) = pair()
    var arena = try DatagramArena()
    // As after an internet socket.
    _ = arena.receive(receiver, joined: true)
    let near: Descriptor
    let far: Int32
    do {
      let ends = pair()
      near = ends.sender
      far = dup(ends.receiver.number)
    }
    // struct cmsghdr: length, SOL_SOCKET and SCM_RIGHTS (1), then the descriptor.
    var control: [UInt64] = [20, UInt64(UInt32(SOL_SOCKET)) | 1 << 32, UInt64(UInt32(far))]
    var byte: UInt8 = 0x61
    let sent = unsafe withUnsafeMutablePointer(to: &byte) { byte in
      var vector = unsafe iovec(iov_base: byte, iov_len: 1)
      return unsafe withUnsafeMutablePointer(to: &vector) { vector in
        unsafe control.withUnsafeMutableBytes { room in
          var header = unsafe msghdr()
          unsafe header.msg_iov = vector
          unsafe header.msg_iovlen = 1
          unsafe header.msg_control = room.baseAddress
          unsafe header.msg_controllen = 24
          return unsafe sendmsg(sender.number, &header, 0)
        }
      }
    }
    try #require(sent == 1)
    let received = arena.receive(receiver)
    #expect(received == 1)
    // It is closed with what we hold of it: nobody hears the other end any more.
    close(far)
    let answer = near.write([0x61].span)
    #expect(answer == .failed(ECONNREFUSED))
  }
}
