import Testing

@testable import Protocol

@Suite struct `the message of a refused line` {
  static let messages: [(String, String)] = [
    ("visit:0x1f|c", #""0x1f" is no count: want a number, or a key that does not look like one"#),
    ("visit:1:nan|c", #""nan" is no count: want a number, or a key that does not look like one"#),
    ("visit:|c", "the count is missing: want a number, or a key that does not look like one"),
    ("render:1:fast:2|ms|@0.1", #""fast" is no value: want a finite number"#),
    ("a:|s", "the member is missing: want any text"),
    ("a:b\u{7}|s", "0x07 is a control byte, and has no place in text"),
    ("a:1|c:2|q", #""q" is no type: want c, g, ms, h, d or s"#),
    ("a:1", "the type is missing: want c, g, ms, h, d or s"),
    ("a:1|c|@0,5", #""0,5" is no rate: want a number above 0, as in @0.1"#),
    ("a:1|c|Tnow|#a", #""now" is no timestamp: want whole seconds since 1970"#),
    ("a:1|c|nothing", #""nothing" is no section: want @, #, T, or a name and a colon"#),
    ("a:1|c:2|c|T5", #""T5" cannot stand here: of several values with types each has a rate at most"#),
    ("_sc|db.up|7|m:x", #""7" is no status: want 0, 1, 2 or 3, for ok, warning, critical and unknown"#),
    ("_sc|db.up", "the status is missing: want _sc|name|status"),
    ("_e{0,1}:|a", "the title is missing"),
    (
      "_e{5,9}:title|text",
      "want _e{bytes of title,bytes of text}:title|text, and of sections those that have a colon"
    ),
  ]

  @Test(arguments: messages)
  func `says what is wrong with which field and what is wanted`(_ line: String, _ message: String) {
    #expect(self.message(Array(line.utf8)) == message)
  }

  @Test func `tells the byte that is no text`() {
    #expect(message(Array("visit:k".utf8) + [0xFF] + Array("|c".utf8)) == "0xff begins no character of UTF-8")
  }

  @Test func `says that strict refuses keys`() {
    let wanted = #""page1" is no count: want a number, as keyed counts are refused (--strict)"#
    #expect(message(Array("visit:page1|c".utf8), LineReader(strict: true)) == wanted)
  }

  @Test func `shows of a long field the beginning, and what does not print as dots`() {
    let field = "é\u{1}\"" + String(repeating: "x", count: 8_000)
    let wanted = "\"é·\"" + String(repeating: "x", count: 37) + "…\" is no value: want a finite number"
    #expect(message(Array("a:\(field)|g".utf8)) == wanted)
    let key = String(repeating: "k", count: 513)
    #expect(message(Array("a:\(key)|c".utf8)) == "a key has 512 bytes at most")
  }

  private func message(_ line: [UInt8], _ reader: LineReader = LineReader()) -> String? {
    fault(line, reader).map { FaultMessage(fault: $0, line: line, isStrict: reader.strict).text }
  }
}
