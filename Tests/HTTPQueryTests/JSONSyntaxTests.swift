import Testing

@testable import HTTPQuery

@Suite struct `the syntax of JSON` {
  static let texts = [
    "1", "-0", "0.5", "1e5", "1.25E-3", "\"\"", "\"a\\n\\u00e9\\\\\"", "true", "false", "null", " [ ] ", "{}",
    "[1,[2,{}],\"x\"]",
    "\t{\"a\" : 1 ,\r\n\"b\":[null]}\n", "{\"é\":\"😀\"}",
  ]

  @Test(arguments: texts) func `takes what is JSON`(_ text: String) {
    #expect(JSONSyntax.fault(in: Array(text.utf8)) == nil)
    #expect(JSONValue(Array(text.utf8)) != nil)
  }

  // As Python's decoder answers them.
  static let faults: [(text: String, place: Int, message: String)] = [
    ("", 0, "Expecting value"), ("  ", 2, "Expecting value"), ("nope", 0, "Expecting value"),
    ("tru", 0, "Expecting value"),
    ("{", 1, "Expecting property name enclosed in double quotes"),
    ("{,}", 1, "Expecting property name enclosed in double quotes"),
    ("{a:1}", 1, "Expecting property name enclosed in double quotes"),
    ("\n\n{\"a\":1,}", 9, "Expecting property name enclosed in double quotes"),
    ("{\"a\"", 4, "Expecting ':' delimiter"), ("{\"a\" 1}", 5, "Expecting ':' delimiter"),
    ("{\"a\":}", 5, "Expecting value"), ("{\"a\":", 5, "Expecting value"), ("[1,]", 3, "Expecting value"),
    ("{\"a\":-}", 5, "Expecting value"), ("NaN", 0, "Expecting value"),
    ("{\"a\":1", 6, "Expecting ',' delimiter"), ("{\"a\":1 \"b\"}", 7, "Expecting ',' delimiter"),
    ("[1,2", 4, "Expecting ',' delimiter"), ("[1 2]", 3, "Expecting ',' delimiter"),
    ("{\"a\":01}", 6, "Expecting ',' delimiter"), ("[1.]", 2, "Expecting ',' delimiter"),
    ("[1e]", 2, "Expecting ',' delimiter"), ("[1}", 2, "Expecting ',' delimiter"),
    ("{\"a\":1} x", 8, "Extra data"), ("1 2", 2, "Extra data"), ("]", 0, "Expecting value"),
    ("\"abc", 0, "Unterminated string starting at"), ("[\"a\\", 1, "Unterminated string starting at"),
    ("\"a\tb\"", 2, "Invalid control character at"), ("\"x\\q\"", 2, "Invalid \\escape"),
    ("\"\\u12g4\"", 2, "Invalid \\uXXXX escape"), ("\"\\u12", 2, "Invalid \\uXXXX escape"),
  ]

  @Test(arguments: faults) func `names place and fault of what is not`(_ text: String, _ place: Int, _ message: String)
  {
    let fault = JSONSyntax.fault(in: Array(text.utf8))
    #expect(fault?.place == place)
    #expect(fault.map { "\($0.message)" } == message)
  }

  @Test func `bounds the nesting at what the decoder takes`() {
    let deep = JSONSyntax.deepest
    let text = Array((String(repeating: "[", count: deep) + String(repeating: "]", count: deep)).utf8)
    #expect(JSONSyntax.fault(in: text) == nil)
    #expect(JSONValue(text) != nil)
    let deeper = Array(String(repeating: "[", count: 65_536).utf8)
    #expect(JSONSyntax.fault(in: deeper) == .init(place: deep, message: "Nested too deeply"))
  }
}
