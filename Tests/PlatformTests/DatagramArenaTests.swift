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
    let arena = try DatagramArena()
    let received0 = arena.receive(receiver)
    #expect(received0 == 0)
    let texts = (0..<10).map { Array(String(repeating: "\($0)", count: $0 * 100).utf8) }
    for text in texts { #expect(sender.write(text.span) == .bytes(text.count)) }
    let received10 = arena.receive(receiver)
    #expect(received10 == 10)
    for (slot, text) in texts.enumerated() {
      let bytes = arena.datagram(slot)
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
    let last = arena.datagram(0)
    #expect(last.count == 1 && last[1] == 0x0A)
  }

  @Test func `a datagram of a slot's size is whole, and of a longer one the tail is cut`() throws {
    let (sender, receiver) = pair()
    let arena = try DatagramArena()
    for count in [DatagramArena.longest - 1, DatagramArena.longest, DatagramArena.longest + 1, 100_000] {
      let text = (0..<count).map { UInt8(truncatingIfNeeded: $0 % 251) }
      #expect(sender.write(text.span) == .bytes(count))
      #expect(sender.write([0x62].span) == .bytes(1))
      let received2 = arena.receive(receiver)
      #expect(received2 == 2)
      let bytes = arena.datagram(0)
      #expect(bytes.count == min(count, DatagramArena.longest))
      #expect(bytes.copy(0..<bytes.count).elementsEqual(text.prefix(bytes.count)))
      let isTruncated = arena.isTruncated(0)
      #expect(isTruncated == (count > DatagramArena.longest))
      // The neighbour is not touched by the sentinel.
      let neighbour = arena.datagram(1).copy(0..<1)
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
    let arena = try DatagramArena()
    var numbers: [String] = []
    while case let count = arena.receive(receiver), count > 0 {
      #expect(count <= DatagramArena.slots)
      for slot in 0..<count {
        let bytes = arena.datagram(slot)
        numbers.append(String(decoding: bytes.copy(0..<bytes.count), as: UTF8.self))
      }
    }
    #expect(numbers == (0..<150).map { "\($0)" })
  }
}
