import Bytes

/// Text that may come from anybody, made fit for a terminal and for a line: what is not UTF-8 and all control characters, C0, DEL
/// and C1 (a terminal may obey `U+009B` as it obeys ESC [), become `\n`, `\r`, `\t` or `\xNN` a byte; quotes and backslashes get a
/// backslash.
extension Log {
  /// Bytes of a text that are shown: more than any name or value of an option needs.
  static let longestShown = 256

  /// `bytes` escaped and in quotes: the first `longestShown`, and of a longer text its length.
  static func quoted(_ bytes: some Collection<UInt8>) -> String { shown(bytes) { $0.appendQuoted($1) } }

  /// The same of `text`.
  static func quoted(_ text: String) -> String { quoted(text.utf8) }

  /// `text` escaped, as far as above, without quotes.
  static func escaped(_ text: String) -> String { shown(text.utf8) { $0.appendEscaped($1) } }

  private static func shown<Bytes: Collection<UInt8>>(
    _ bytes: Bytes, _ append: (inout ByteWriter, Bytes.SubSequence) -> Void
  ) -> String {
    var writer = ByteWriter(capacity: longestShown)
    append(&writer, bytes.prefix(longestShown))
    let length = bytes.count
    if length > longestShown { writer.append("… of \(length) bytes") }
    return String(decoding: writer.bytes, as: UTF8.self)
  }
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
