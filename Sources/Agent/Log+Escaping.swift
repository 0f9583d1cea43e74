import Bytes

/// Text that may come from anybody, made fit for a terminal and for a line: what is not UTF-8 and all control characters, C0, DEL
/// and C1 (a terminal may obey `U+009B` as it obeys ESC [), become `\n`, `\r`, `\t` or `\xNN` a byte; quotes and backslashes get a
/// backslash.
extension Log {
  /// `bytes` escaped and in quotes.
  static func quoted(_ bytes: some Collection<UInt8>) -> String {
    var writer = ByteWriter(capacity: bytes.count + 2)
    writer.appendQuoted(bytes)
    return String(decoding: writer.bytes, as: UTF8.self)
  }

  /// `text` escaped and in quotes.
  static func quoted(_ text: String) -> String { quoted(text.utf8) }
}

extension ByteWriter {
  /// A value: bare if it is one plain word, else in quotes.
  mutating func appendValue(_ bytes: [UInt8]) {
    let isWord = !bytes.isEmpty && bytes.allSatisfy { $0 > 0x20 && $0 < 0x7F && !"\"\\=".utf8.contains($0) }
    if isWord { append(bytes) } else { appendQuoted(bytes) }
  }

  mutating func appendQuoted(_ bytes: some Collection<UInt8>) {
    append(UInt8(ascii: "\""))
    appendEscaped(bytes)
    append(UInt8(ascii: "\""))
  }

  /// - Complexity: O(`bytes.count`).
  mutating func appendEscaped(_ bytes: some Collection<UInt8>) {
    var parser = Unicode.UTF8.ForwardParser()
    var unread = bytes.makeIterator()
    var rest = bytes[...]
    while true {
      switch parser.parseScalar(from: &unread) {
      case .emptyInput: return
      case .error(let length): appendHex(rest.prefix(length)); rest = rest.dropFirst(length)
      case .valid(let encoded):
        appendScalar(Unicode.UTF8.decode(encoded), rest.prefix(encoded.count))
        rest = rest.dropFirst(encoded.count)
      }
    }
  }

  private mutating func appendScalar(_ scalar: Unicode.Scalar, _ encoded: some Sequence<UInt8>) {
    switch scalar {
    case "\n": append("\\n" as StaticString)
    case "\r": append("\\r" as StaticString)
    case "\t": append("\\t" as StaticString)
    case "\"", "\\":
      append(UInt8(ascii: "\\"))
      for byte in encoded { append(byte) }
    case "\u{00}"..."\u{1F}", "\u{7F}"..."\u{9F}": appendHex(encoded)
    default: for byte in encoded { append(byte) }
    }
  }

  private mutating func appendHex(_ bytes: some Sequence<UInt8>) {
    for byte in bytes { append(byte < 16 ? "\\x0" : "\\x" as StaticString); append(String(byte, radix: 16)) }
  }
}
