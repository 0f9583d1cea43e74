import Testing

@testable import Protocol

@Suite struct `the picture of a fault` {
  static let pictures: [([UInt8], Int, String)] = [
    (Array("visit:nan|c".utf8), 6, "visit:nan|c\n      ^"),
    (Array(":1|c".utf8), 0, ":1|c\n^"),
    (Array("a:1".utf8), 3, "a:1\n   ^"),
    ([], 0, "\n^"),
    // A character of two bytes takes one column, a byte that belongs to none takes one too.
    (Array("é:nan|c".utf8), 3, "é:nan|c\n  ^"),
    ([0xFF, 0x3A, 0x01, 0x7C, 0x63], 2, "·:·|c\n  ^"),
    ([0xC3, 0x28], 1, "·(\n ^"),
    // A place within a character stands under it.
    (Array("é:1".utf8), 1, "é:1\n^"),
  ]

  @Test(arguments: pictures)
  func `has the caret under the place`(_ line: [UInt8], _ offset: Int, _ expected: String) {
    #expect(FaultPicture(line, at: offset).text == expected)
  }

  @Test func `shows of a long line what stands around the place`() {
    let line =
      [UInt8](repeating: UInt8(ascii: "a"), count: 500) + Array("!".utf8)
      + [UInt8](repeating: UInt8(ascii: "b"), count: 500)
    let lines = FaultPicture(line, at: 500).text.split(separator: "\n")
    #expect(lines[0].count == 72 && lines[1].count <= 73)
    #expect(Array(lines[0])[lines[1].count - 1] == "!")
  }
}
