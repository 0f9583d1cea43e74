import Bytes
import Glibc
import Testing

@testable import Platform

@Suite struct StreamBufferTests {
  private func pair() -> (sender: Descriptor, receiver: Descriptor) {
    var ends: [Int32] = [0, 0]
    precondition(unsafe socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &ends) == 0)
    return (Descriptor(owning: ends[0]), Descriptor(owning: ends[1]))
  }

  private func text(_ buffer: borrowing StreamBuffer) -> String {
    buffer.withBytes { bytes in String(decoding: bytes.indices.map { bytes[$0] }, as: UTF8.self) }
  }

  @Test func `what is read continues the rest`() throws {
    let (sender, receiver) = pair()
    var buffer = try StreamBuffer(roomForRest: 16)
    _ = sender.write(Array("ge1|c\nvis".utf8).span)
    #expect(buffer.fill(Array("visit:pa".utf8), from: receiver) == .bytes(9))
    #expect(text(buffer) == "visit:page1|c\nvis")
    // The rest of another stream does not show what stood there, and may be as long as there is room.
    _ = sender.write(Array("!".utf8).span)
    #expect(buffer.fill(Array("0123456789abcdef".utf8), from: receiver) == .bytes(1))
    #expect(text(buffer) == "0123456789abcdef!")
    _ = sender.write(Array("x".utf8).span)
    #expect(buffer.fill([], from: receiver) == .bytes(1))
    #expect(text(buffer) == "x")
  }

  @Test func `at a stream's end the rest is in hand`() throws {
    let (sender, receiver) = pair()
    var buffer = try StreamBuffer(roomForRest: 16)
    sender.shutdownWriting()
    #expect(buffer.fill(Array("last".utf8), from: receiver) == .end)
    #expect(text(buffer) == "last")
    buffer.withLines(0..<4) { #expect($0.copy(0..<4) == Array("last".utf8) && $0[4] == 0x0A) }
  }

  @Test func `the byte behind lent lines is put back`() throws {
    let (sender, receiver) = pair()
    var buffer = try StreamBuffer(roomForRest: 4)
    _ = sender.write(Array("abcdef".utf8).span)
    _ = buffer.fill(Array("12".utf8), from: receiver)
    for range in [0..<0, 0..<3, 2..<5, 0..<8, 8..<8] {
      buffer.withLines(range) { lines in
        #expect(lines.count == range.count && lines[lines.count] == 0x0A)
        #expect(lines.copy(0..<lines.count) == Array(Array("12abcdef".utf8)[range]))
      }
      #expect(text(buffer) == "12abcdef")
    }
  }

  @Test func `a read takes what it has room for, up to the last byte`() throws {
    let (sender, receiver) = pair()
    var size: Int32 = 1 << 20
    unsafe _ = setsockopt(sender.number, SOL_SOCKET, SO_SNDBUF, &size, 4)
    let bytes = (0..<StreamBuffer.readSize + 10).map { UInt8(truncatingIfNeeded: $0 % 250) }
    #expect(sender.write(bytes.span) == .bytes(bytes.count))
    var buffer = try StreamBuffer(roomForRest: 3)
    #expect(buffer.fill([1, 2, 3], from: receiver) == .bytes(StreamBuffer.readSize))
    buffer.withLines(0..<StreamBuffer.readSize + 3) {
      #expect($0.copy(0..<$0.count) == [1, 2, 3] + bytes.prefix(StreamBuffer.readSize))
    }
    #expect(buffer.fill([], from: receiver) == .bytes(10))
  }
}
