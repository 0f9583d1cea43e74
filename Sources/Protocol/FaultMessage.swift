import Bytes

/// What is wrong with a refused line, in one sentence for people, with the field at fault where that helps.
///
///     visit:0x1f|c     "0x1f" is no count: want a number, or a key that does not look like one
struct FaultMessage {
  /// Characters of a field that are shown.
  private static let longestField = 40

  let fault: LineFault
  /// Without its end.
  let line: [UInt8]
  /// Keyed counts were refused.
  let isStrict: Bool

  var text: String {
    switch fault.reason {
    case .emptyName: isEvent ? "the title is missing" : "the name is missing"
    case .badName: badByte ?? "the name is not UTF-8 or holds control bytes"
    case .noValue:
      isCheck ? "the status is missing: want _sc|name|status" : "the value is missing: want name:value|type"
    case .badValue: badByte ?? badValue
    case .badType: want("c, g, ms, h, d or s", as: "type", endsAt: "|:")
    case .badRate: want("a number above 0, as in @0.1", as: "rate", endsAt: "|:")
    case .badTags:
      badByte
        ?? "\(quoted(field(endsAt: "|,"))) cannot stand here: want key:value or flags, in one section and one style on a line, none of them named like the key's own label"
    case .badTimestamp: want("whole seconds since 1970", as: "timestamp", endsAt: "|")
    case .malformed: malformed
    case .tooLong: "a line has \(LineReader.longestLine) bytes at most"
    case .truncated: "the datagram was longer than the buffer, and this line was cut"
    case .limit: "there are too many series"
    case .refusedSource: "the sender is not among those allowed"
    }
  }

  private var isEvent: Bool { line.starts(with: "_e{".utf8) }
  private var isCheck: Bool { line.starts(with: "_sc|".utf8) }

  /// Why the text at the fault is none, if it is for its first byte.
  private var badByte: String? {
    guard let byte = rest.first, FaultPicture.scalar(rest) == (FaultPicture.placeholder, 1) else { return nil }
    let name = (byte < 0x10 ? "0x0" : "0x") + String(byte, radix: 16)
    return byte < 0x80 ? "\(name) is a control byte, and has no place in text" : "\(name) begins no character of UTF-8"
  }

  private var badValue: String {
    if isCheck { return want("0, 1, 2 or 3, for ok, warning, critical and unknown", as: "status", endsAt: "|") }
    let type = rest.drop { $0 != UInt8(ascii: "|") }.dropFirst().prefix {
      $0 != UInt8(ascii: "|") && $0 != UInt8(ascii: ":")
    }
    if type.elementsEqual("s".utf8) { return want("any text", as: "member", endsAt: "|") }
    guard type.elementsEqual("c".utf8) else { return want("a finite number", as: "value", endsAt: "|:") }
    if field(endsAt: "|").count > NormalSpelling.longestKey {
      return "a key has \(NormalSpelling.longestKey) bytes at most"
    }
    return want(
      isStrict ? "a number, as keyed counts are refused (--strict)" : "a number, or a key that does not look like one",
      as: "count", endsAt: "|:")
  }

  private var malformed: String {
    if isEvent { return "want _e{bytes of title,bytes of text}:title|text, and of sections those that have a colon" }
    let section = field(endsAt: "|")
    // What a line with one type could have is refused only behind several.
    if section.isEmpty || section.contains(UInt8(ascii: ":")) || "@#T".utf8.contains(section[section.startIndex]) {
      return "\(quoted(section)) cannot stand here: of several values with types each has a rate at most"
    }
    return "\(quoted(section)) is no section: want @, #, T, or a name and a colon"
  }

  /// `"x" is no rate: want a number above 0`
  private func want(_ allowed: String, as what: String, endsAt ends: String) -> String {
    let field = field(endsAt: ends)
    return (field.isEmpty ? "the \(what) is missing" : "\(quoted(field)) is no \(what)") + ": want \(allowed)"
  }

  /// The line from the fault on.
  private var rest: ArraySlice<UInt8> { line.dropFirst(fault.offset) }

  private func field(endsAt ends: String) -> ArraySlice<UInt8> { rest.prefix { !ends.utf8.contains($0) } }

  /// The field as `FaultPicture` would show it, not too much of it, in quotes.
  private func quoted(_ field: ArraySlice<UInt8>) -> String {
    var field = field
    var shown: [Unicode.Scalar] = []
    while !field.isEmpty, shown.count < Self.longestField {
      let (scalar, length) = FaultPicture.scalar(field)
      shown.append(scalar)
      field = field.dropFirst(length)
    }
    return "\"" + String(String.UnicodeScalarView(shown)) + (field.isEmpty ? "\"" : "…\"")
  }
}
