import Testing

@testable import Bytes

@Suite struct `a byte writer` {
  @Test func `writes whole numbers to the ends of their range`() {
    #expect(text { $0.append(Int64.min) } == "-9223372036854775808")
    #expect(text { $0.append(Int64.max) } == "9223372036854775807")
    #expect(text { $0.append(UInt64.max) } == "18446744073709551615")
    for number: Int64 in [0, 9, 10, 99, 100, -1, -10] { #expect(text { $0.append(number) } == "\(number)") }
  }

  static let doubles: [(Double, String)] = [
    (0, "0"), (1, "1"), (-3, "-3"), (0.1, "0.1"), (1e15, "1000000000000000"),
    (9_007_199_254_740_991, "9007199254740991"),
    (1e300, "1e+300"), (.leastNonzeroMagnitude, "5e-324"), (.nan, "NaN"), (.infinity, "+Inf"), (-.infinity, "-Inf"),
  ]

  @Test(arguments: doubles)
  func `writes the shortest decimal that reads back`(_ number: Double, _ expected: String) {
    let written = text { $0.append(number) }
    #expect(written == expected)
    if number.isFinite { #expect(Double(written) == number) }
  }

  @Test func `forgets what is behind a place`() {
    #expect(
      text {
        $0.append("abc" as StaticString)
        $0.truncate(to: 1)
        $0.append("d" as String)
      } == "ad")
    #expect(
      text {
        $0.append("abc" as StaticString)
        $0.removeAll()
      } == "")
  }

  static let strings: [(String, String)] = [
    ("", #""""#), ("a\"b\\c", #""a\"b\\c""#), ("\n\r\t", #""\n\r\t""#), ("\u{0}\u{1F}\u{7F}", #""\u0000\u001f\u007f""#),
    ("äж♬😀", "\"äж♬😀\""), ("/", #""/""#),
  ]

  @Test(arguments: strings)
  func `escapes what JSON asks for and nothing else`(_ string: String, _ expected: String) {
    #expect(text { $0.appendJSON(string) } == expected)
    #expect(text { $0.appendJSON(Array(string.utf8)) } == expected)
  }

  static let broken: [([UInt8], String)] = [
    ([0x61, 0xFF, 0x62], "\"a\u{FFFD}b\""), ([0xC3], "\"\u{FFFD}\""), ([0xE2, 0x82, 0x61], "\"\u{FFFD}\u{FFFD}a\""),
    ([0xE2, 0x82, 0xC3, 0xA9], "\"\u{FFFD}\u{FFFD}é\""), ([0xC3, 0x22], "\"\u{FFFD}\\\"\""),
  ]

  @Test(arguments: broken)
  func `writes U+FFFD for each byte that is not UTF-8`(_ bytes: [UInt8], _ expected: String) {
    #expect(text { $0.appendJSON(bytes) } == expected)
  }

  @Test func `has no JSON number for what is not finite`() {
    #expect(text { $0.appendJSON(Double.nan) } == "null")
    #expect(text { $0.appendJSON(1.5) } == "1.5")
  }

  private func text(_ write: (inout ByteWriter) -> Void) -> String {
    var writer = ByteWriter()
    write(&writer)
    return String(decoding: writer.bytes, as: UTF8.self)
  }
}
