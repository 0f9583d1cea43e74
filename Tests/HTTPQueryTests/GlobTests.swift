import Testing

@testable import HTTPQuery

@Suite struct `a glob` {
  static let cases: [(String, String, Bool)] = [
    ("", "", true), ("", "a", false), ("a", "", false),
    ("visit", "visit", true), ("visit", "visits", false), ("visits", "visit", false), ("Visit", "visit", false),
    ("*", "", true), ("*", "anything", true), ("**", "a", true),
    ("page*", "page1", true), ("page*", "page", true), ("*1", "page1", true), ("*1", "page12", false),
    ("p*e?", "page1", true), ("p*e?", "page", false), ("?", "", false), ("??", "ab", true),
    ("*a*b", "xaxbxaxb", true), ("*a*b", "xbxa", false), ("a*a", "a", false),
    ("[ab]", "a", false), ("[ab]", "[ab]", true), ("a.c", "abc", false), ("\\*", "*", false),
    ("caf?", "café", true), ("caf??", "café", false), ("?", "😱", true), ("*?", "😱", true), ("*??", "😱", false),
    ("*é", "café", true), ("c*é", "cafe", false),
  ]

  @Test(arguments: cases)
  func `fits a text`(_ pattern: String, _ text: String, _ expected: Bool) throws {
    let glob = try #require(Glob(Array(pattern.utf8)))
    #expect(glob.matches(Array(text.utf8).span) == expected)
  }

  @Test func `agrees with a naive model on all short patterns and texts`() throws {
    for pattern in Self.words(of: "ab*?", upTo: 4) {
      let glob = try #require(Glob(pattern))
      for text in Self.words(of: "ab", upTo: 4) {
        #expect(glob.matches(text.span) == Self.model(pattern[...], text[...]), "\(pattern) on \(text)")
      }
    }
  }

  /// The pattern that blows recursive matchers up: 2^255 tries there, 255 × 8192 steps here at most.
  @Test(.timeLimit(.minutes(1))) func `takes its time by product and not by power`() throws {
    let pattern = Array(String(repeating: "*a", count: 255).utf8) + Array("*b".utf8)
    let text = [UInt8](repeating: UInt8(ascii: "a"), count: 8_192)
    #expect(try #require(Glob(pattern)).matches(text.span) == false)
  }

  @Test func `has a longest pattern`() {
    #expect(Glob([UInt8](repeating: UInt8(ascii: "a"), count: Glob.longest)) != nil)
    #expect(Glob([UInt8](repeating: UInt8(ascii: "a"), count: Glob.longest + 1)) == nil)
  }

  private static func words(of letters: String, upTo length: Int) -> [[UInt8]] {
    var words: [[UInt8]] = [[]]
    var longest = words
    for _ in 0..<length {
      longest = longest.flatMap { word in letters.utf8.map { word + [$0] } }
      words += longest
    }
    return words
  }

  private static func model(_ pattern: ArraySlice<UInt8>, _ text: ArraySlice<UInt8>) -> Bool {
    guard let first = pattern.first else { return text.isEmpty }
    if first == UInt8(ascii: "*") {
      return model(pattern.dropFirst(), text) || !text.isEmpty && model(pattern, text.dropFirst())
    }
    guard let byte = text.first, first == byte || first == UInt8(ascii: "?") else { return false }
    return model(pattern.dropFirst(), text.dropFirst())
  }
}
