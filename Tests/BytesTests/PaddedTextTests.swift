import Testing

@testable import Bytes

@Suite struct `a padded text` {
  @Test(arguments: ["", "a", "visit:page1|c\n"])
  func `has a line feed behind its last byte and slack behind that`(_ text: String) {
    PaddedText(text.utf8).read { bytes in
      #expect(bytes.count == text.utf8.count)
      #expect(bytes.copy(0..<bytes.count) == Array(text.utf8))
      #expect(bytes[bytes.count] == 0x0A)
      _ = bytes[bytes.count + PaddedBytes.slack]
      _ = bytes.word(at: bytes.count + PaddedBytes.slack - 7)
    }
  }

  @Test func `loads words with the first byte lowest`() {
    PaddedText("abcdefgh".utf8).read { #expect($0.word(at: 0) == 0x6867_6665_6463_6261) }
  }
}
