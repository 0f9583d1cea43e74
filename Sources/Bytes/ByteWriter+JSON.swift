/// JSON (RFC 8259) written piece by piece; the caller places the commas.
extension ByteWriter {
  /// A string in quotes, escaped. What is not UTF-8 becomes U+FFFD, byte by byte.
  package mutating func appendJSON(_ text: some Sequence<UInt8>) {
    append(UInt8(ascii: "\""))
    var validator = UTF8Validator()
    validator.repair(text) { appendEscaped($0) }
    append(UInt8(ascii: "\""))
  }

  /// A string in quotes, escaped.
  package mutating func appendJSON(_ text: String) {
    append(UInt8(ascii: "\""))
    for byte in text.utf8 { appendEscaped(byte) }
    append(UInt8(ascii: "\""))
  }

  /// A number; JSON has none that is not finite, so those are `null`.
  package mutating func appendJSON(_ number: Double) {
    if number.isFinite { append(number) } else { append("null" as StaticString) }
  }

  private mutating func appendEscaped(_ byte: UInt8) {
    switch byte {
    case UInt8(ascii: "\""): append("\\\"" as StaticString)
    case UInt8(ascii: "\\"): append("\\\\" as StaticString)
    case UInt8(ascii: "\n"): append("\\n" as StaticString)
    case UInt8(ascii: "\r"): append("\\r" as StaticString)
    case UInt8(ascii: "\t"): append("\\t" as StaticString)
    case 0..<0x20, 0x7F:
      append("\\u00" as StaticString)
      append(Self.hexDigit(byte >> 4))
      append(Self.hexDigit(byte & 15))
    default: append(byte)
    }
  }

  private static func hexDigit(_ nibble: UInt8) -> UInt8 {
    nibble < 10 ? UInt8(ascii: "0") + nibble : UInt8(ascii: "a") + nibble - 10
  }
}
