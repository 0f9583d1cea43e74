import Bytes
import Testing

@testable import Protocol

@Suite struct `a stream framer` {
  private static let long = String(repeating: "a", count: 8_192)

  static let streams: [(String, [String])] = [
    ("a:1|c\nb:2|c\n", ["a:1|c", "b:2|c"]),
    ("a:1|c\r\nb:2|c", ["a:1|c\r", "b:2|c"]),
    ("\n\na\n", ["a"]),
    ("a\nb", ["a", "b"]),
    ("\nab", ["ab"]),
    ("", []),
    (long + "\nb\n", [long, "b"]),
  ]

  static let packets: [([UInt8], [String])] = [
    ([6, 0, 0, 0] + Array("v1:1|c".utf8) + [7, 0, 0, 0] + Array("v2:1|c\n".utf8), ["v1:1|c", "v2:1|c"]),
    ([0, 0, 0, 0, 1, 0, 0, 0, 0x61], ["a"]),
    // A packet that was cut still holds a line.
    ([9, 0, 0, 0, 0x61], ["a"]),
  ]

  @Test(arguments: streams)
  func `finds the same lines however the stream is cut`(_ stream: String, _ expected: [String]) {
    checkAllCuts(Array(stream.utf8), expected, mayBePrefixed: false)
    checkAllCuts(Array(stream.utf8), expected, mayBePrefixed: true)
  }

  @Test(arguments: packets)
  func `reads packets behind their length however the stream is cut`(_ stream: [UInt8], _ expected: [String]) {
    checkAllCuts(stream, expected, mayBePrefixed: true)
  }

  @Test func `keeps nothing of a line without an end, and reads the line after it`() {
    var player = Player(mayBePrefixed: false)
    let endless = [UInt8](repeating: UInt8(ascii: "a"), count: 4_096)
    for _ in 0..<100 {
      player.take(endless)
      #expect(player.rest.count <= 8_193)
    }
    player.take(Array("\nafter\n".utf8))
    player.end()
    #expect(player.found == ["<too long>", "after"])
  }

  @Test func `a packet longer than any client sends is refused, and lines are read again after the next LF`() {
    var player = Player(mayBePrefixed: true)
    player.take([1, 0, 0, 0, 0x61])
    player.take([0xFF, 0xFF, 0xFF, 0x7F, 0x62])
    player.take(Array("\nc\n".utf8))
    player.end()
    #expect(player.found == ["a", "<too long>", "c"])
  }

  @Test(arguments: ["", "a", "a:1|c\nb", String(repeating: "a", count: 9_000)])
  func `goes on from its mark where another was`(_ before: String) throws {
    for mayBePrefixed in [false, true] {
      for bytes in [Array(before.utf8), [2, 0, 0, 0, 0x61]] {
        var player = Player(mayBePrefixed: mayBePrefixed)
        player.take(bytes)
        var next = player
        next.framer = try #require(StreamFramer(mark: player.framer.mark))
        for end in ["b\nc\n", "\nc:1|c\n"] {
          var (one, other) = (player, next)
          one.take(Array(end.utf8))
          other.take(Array(end.utf8))
          #expect(one.found == other.found && one.rest == other.rest)
        }
      }
    }
    #expect(StreamFramer(mark: "nowhere") == nil)
  }

  private func checkAllCuts(_ stream: [UInt8], _ expected: [String], mayBePrefixed: Bool) {
    let places = stream.count < 64 ? Array(0...stream.count) : [0, 1, 8_191, 8_192, 8_193, stream.count]
    for first in places {
      for second in places where second >= first {
        var player = Player(mayBePrefixed: mayBePrefixed)
        player.take(Array(stream[..<first]))
        player.take(Array(stream[first..<second]))
        player.take(Array(stream[second...]))
        player.end()
        #expect(player.found == expected, "cut at \(first) and \(second)")
      }
    }
  }

  /// Does what the worker does with its buffer.
  private struct Player {
    var framer: StreamFramer
    var rest: [UInt8] = []
    var found: [String] = []

    init(mayBePrefixed: Bool) { framer = StreamFramer(mayBePrefixed: mayBePrefixed) }

    mutating func take(_ bytes: [UInt8]) {
      let buffer = rest + bytes
      var start = 0
      while true {
        switch framer.next(buffer.span, from: &start) {
        case .lines(let range), .packet(let range): note(buffer[range])
        case .tooLong: found.append("<too long>")
        case .rest(let from):
          rest = Array(buffer[from...])
          return
        }
      }
    }

    mutating func end() {
      let left = rest
      if case .packet(let range) = framer.finish(left.span, from: 0) { note(left[range]) }
    }

    private mutating func note(_ block: ArraySlice<UInt8>) {
      for line in block.split(separator: 0x0A) { found.append(String(decoding: line, as: UTF8.self)) }
    }
  }
}
