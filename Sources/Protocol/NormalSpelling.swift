/// The one spelling of a series by which it is known, whatever dialects its senders speak.
///
///     spelling = name [ ":" key ] [ "|#" label *( "," label ) ]
///     label    = label-key ":" value
///
/// - Labels are sorted by the bytes of their keys, each key once; a bare tag has the value `true`, the values of a repeated key are
///   joined with commas.
/// - A counter's label that bears the name of its metric's key label stands behind the name, if its value can be a key (1 to 512
///   bytes). The key goes up to `|` and is written as it is; a `|` within one, which no line can hold, is written as 0x04.
/// - Elsewhere a comma within a piece is written as 0x01, a colon in a name or a label's key as 0x02, a `|` in a name as 0x04. A name
///   with one of `[ # , ; : |` has 0x03 before it.
///
/// So `visit:page1`, and tags that come sorted, are normal as they stand. Lines cannot hold control bytes, so that a piece that came
/// in a line is never mistaken for an escape, and a name that a line's spelling would take for one with inline tags differs from it by
/// its first byte. Two series never share a normal spelling, since name and labels can be read back (`SeriesLabels`).
enum NormalSpelling {
  static let unsplitMark: UInt8 = 3
  /// Longest key of a keyed count, in bytes.
  static let longestKey = 512

  static func appendName(_ name: some Collection<UInt8>, to spelling: inout [UInt8]) {
    if name.contains(where: { splits($0) }) { spelling.append(unsplitMark) }
    for byte in name { spelling.append(escaped(byte)) }
  }

  static func appendLabelKey(_ byte: UInt8, to spelling: inout [UInt8]) { spelling.append(escaped(byte)) }

  static func appendValue(_ byte: UInt8, to spelling: inout [UInt8]) {
    spelling.append(byte == UInt8(ascii: ",") ? 1 : byte)
  }

  /// A byte of a key that came in no line, and may be the one that ends keys.
  static func appendKey(_ byte: UInt8, to spelling: inout [UInt8]) {
    spelling.append(byte == UInt8(ascii: "|") ? 4 : byte)
  }

  /// Whether a byte in a raw name would end it.
  private static func splits(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "["), UInt8(ascii: "#"), UInt8(ascii: ","), UInt8(ascii: ";"), UInt8(ascii: ":"),
      UInt8(ascii: "|"):
      true
    default: false
    }
  }

  private static func escaped(_ byte: UInt8) -> UInt8 {
    switch byte {
    case UInt8(ascii: ","): 1
    case UInt8(ascii: ":"): 2
    case UInt8(ascii: "|"): 4
    default: byte
    }
  }

  /// The byte that a byte of a piece stands for.
  static func plain(_ byte: UInt8) -> UInt8 {
    switch byte {
    case 1: UInt8(ascii: ",")
    case 2: UInt8(ascii: ":")
    case 4: UInt8(ascii: "|")
    default: byte
    }
  }
}

extension Span<UInt8> {
  /// Below 0, 0, above 0: this text comes before `other`, is the same, comes after it.
  ///
  /// Both are compared as plain text: escapes count as what they stand for.
  func order(to other: Span<UInt8>) -> Int {
    for place in 0..<Swift.min(count, other.count) where self[place] != other[place] {
      let difference = Int(NormalSpelling.plain(self[place])) - Int(NormalSpelling.plain(other[place]))
      if difference != 0 { return difference }
    }
    return count - other.count
  }
}
