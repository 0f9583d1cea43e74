import Bytes

/// Reads lines of section "Lines" of the README's grammar, one at a time, out of bytes that it does not own.
///
///     line     = name [inline-tags] ":" rest
///     rest     = values "|" type *( "|" section )
///     values   = number *( ":" [number] ) | key [ ":" number ]
///     type     = "c" | "g" | "ms" | "h" | "d" | "s"
///     section  = "@" rate | "#" tags | "T" seconds | "c:" … | "e:" … | "card:" … | empty | anything with a ":"
///
/// A line is taken whole or refused whole. What is checked here is the structure: separators, values, type, rate, timestamp, and the
/// text of sets, events and service checks. The text of name, key and tags is a property of the series' spelling and is checked by
/// `SeriesSpelling`, once for each spelling and not once for each line.
///
/// Three ways lead to a sample, each for more lines and slower than the one before:
///
///     readPlain    name:7|c  name:1234|c  name:key|c     in the caller's loop
///     read         one value, a rate, tags               from separator to separator, 32 bytes at a time
///     readSlowly   whatever else                         byte by byte; it decides what is right, and all that is refused
///
/// - Complexity: O(length of the line); no allocation, whatever the line holds.
@frozen @usableFromInline
package struct LineReader: Sendable {
  /// Longest line in bytes without its end: the largest that DogStatsD clients send.
  @usableFromInline package static let longestLine = 8192

  /// Keyed counts are refused: plain statsd only.
  @usableFromInline package var strict: Bool
  /// A gauge's value with a sign is added to what the gauge was; otherwise it is its new value.
  @usableFromInline package var signedGaugesAreDeltas: Bool

  /// As the properties have it.
  @inlinable
  package init(strict: Bool = false, signedGaugesAreDeltas: Bool = true) {
    self.strict = strict
    self.signedGaugesAreDeltas = signedGaugesAreDeltas
  }

  /// The number of one to eight digits that stands in the low `length` bytes of `word`, first digit lowest.
  @inlinable @inline(__always)
  static func shortNumber(_ word: UInt64, length: Int) -> Int64? {
    guard length &- 1 < 8, length > 0 else { return nil }
    return digits(alignedShortText(word, length))
  }

  /// One to eight bytes moved to the high places; below them zeros lead.
  @inlinable @inline(__always)
  static func alignedShortText(_ word: UInt64, _ length: Int) -> UInt64 {
    let missing = UInt64(truncatingIfNeeded: (8 &- length) &* 8)
    return word &<< missing | 0x3030_3030_3030_3030 & ~(UInt64.max &<< missing)
  }

  /// The number that eight digits make, the first one lowest.
  @inlinable @inline(__always)
  static func digits(_ text: UInt64) -> Int64? {
    let digits = text &- 0x3030_3030_3030_3030
    // A byte below "0" borrows and one above "9" carries into the sign bits looked at here.
    guard (digits | (text &+ 0x4646_4646_4646_4646)) & 0x8080_8080_8080_8080 == 0 else { return nil }
    return Int64(truncatingIfNeeded: number(ofDigits: digits))
  }

  /// The number that eight bytes from 0 to 9 make, the first one lowest.
  @inlinable @inline(__always)
  static func number(ofDigits digits: UInt64) -> UInt64 {
    let pairs = (digits &* 10 &+ digits &>> 8) & 0x00FF_00FF_00FF_00FF
    let fours = (pairs &* 100 &+ pairs &>> 16) & 0x0000_FFFF_0000_FFFF
    return (fours &* 10_000 &+ fours &>> 32) & 0xFFFF_FFFF
  }

  /// Whether a lone value that begins so is a key for certain, and neither a number nor one gone wrong (`NumberLookalike`).
  @inlinable @inline(__always)
  static func isKey(beginningWith byte: UInt8, length: Int) -> Bool {
    if byte <= UInt8(ascii: "9") { return byte == UInt8(ascii: "/") }
    if length == 0 { return false }
    // `nan`, `inf` and `infinity` in any case.
    let letter = byte | 0x20
    return (letter != UInt8(ascii: "i") && letter != UInt8(ascii: "n")) || (length != 3 && length != 8)
  }
}
