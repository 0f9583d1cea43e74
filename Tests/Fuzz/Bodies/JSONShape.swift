import Bytes

/// Holds a text to be one JSON value (RFC 8259), strictly: UTF-8, no blanks between tokens, no key twice in an object.
func checkJSON(_ bytes: [UInt8]) throws(Broken) {
  try hold(String(validating: bytes, as: UTF8.self) != nil, "the JSON is not UTF-8")
  var shape = JSONShape(rest: bytes[...])
  try shape.takeValue()
  try hold(shape.rest.isEmpty, "the JSON goes on behind its end")
}

private struct JSONShape {
  var rest: ArraySlice<UInt8>

  mutating func takeValue() throws(Broken) {
    switch rest.first {
    case UInt8(ascii: "{"):
      var keys = Set<[UInt8]>()
      try takeItems(closedBy: "}") { (shape) throws(Broken) in
        try hold(keys.insert(Array(try shape.takeString())).inserted, "a key stands twice")
        try shape.take(":")
        try shape.takeValue()
      }
    case UInt8(ascii: "["): try takeItems(closedBy: "]") { (shape) throws(Broken) in try shape.takeValue() }
    case UInt8(ascii: "\""): _ = try takeString()
    case UInt8(ascii: "t"): try take("true")
    case UInt8(ascii: "n"): try take("null")
    default: try takeNumber()
    }
  }

  private mutating func takeItems(closedBy end: StaticString, _ item: (inout JSONShape) throws(Broken) -> Void)
    throws(Broken)
  {
    rest.removeFirst()
    if has(end) { return try take(end) }
    try item(&self)
    while has(",") {
      try take(",")
      try item(&self)
    }
    try take(end)
  }

  /// - Returns: what stands between the quotes.
  private mutating func takeString() throws(Broken) -> ArraySlice<UInt8> {
    try take("\"")
    let text = rest
    while let byte = rest.popFirst() {
      try hold(byte >= 0x20, "a control byte in a string")
      if byte == UInt8(ascii: "\"") { return text[..<(rest.startIndex - 1)] }
      guard byte == UInt8(ascii: "\\") else { continue }
      let escape = rest.popFirst() ?? 0
      if escape == UInt8(ascii: "u") {
        let digits = rest.prefix(4)
        try hold(digits.count == 4 && digits.allSatisfy { Character(Unicode.Scalar($0)).isHexDigit }, "a bad \\u")
        rest = rest.dropFirst(4)
      } else {
        try hold("\"\\/bfnrt".utf8.contains(escape), "a bad escape")
      }
    }
    throw Broken(description: "a string without an end")
  }

  /// `-0`, `12.5e+3`; no leading zeros, a digit on both sides of the point.
  private mutating func takeNumber() throws(Broken) {
    if has("-") { try take("-") }
    let whole = takeDigits()
    try hold(!whole.isEmpty && (whole.count == 1 || whole.first != UInt8(ascii: "0")), "a bad number")
    if has(".") {
      try take(".")
      try hold(!takeDigits().isEmpty, "a number without a fraction")
    }
    if has("e") {
      try take("e")
      if has("-") || has("+") { rest.removeFirst() }
      try hold(!takeDigits().isEmpty, "a number without an exponent")
    }
  }

  private mutating func takeDigits() -> ArraySlice<UInt8> {
    let digits = rest.prefix { (0x30...0x39).contains($0) }
    rest = rest.dropFirst(digits.count)
    return digits
  }

  private func has(_ text: StaticString) -> Bool { rest.starts(with: "\(text)".utf8) }

  private mutating func take(_ text: StaticString) throws(Broken) {
    try hold(has(text), "no \(text) where one must stand")
    rest = rest.dropFirst(text.utf8CodeUnitCount)
  }
}
