import Bytes
import CLinux

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
/// - Complexity: O(length of the line); no allocation, whatever the line holds.
@frozen @usableFromInline
package struct LineReader: Sendable {
  /// Longest line in bytes without its end: the largest that DogStatsD clients send.
  @usableFromInline package static let longestLine = 8192

  /// Keyed counts are refused: plain statsd only.
  @usableFromInline package var strict: Bool
  /// A gauge's value with a sign is added to what the gauge was; otherwise it is its new value.
  @usableFromInline package var signedGaugesAreDeltas: Bool

  @inlinable
  package init(strict: Bool = false, signedGaugesAreDeltas: Bool = true) {
    self.strict = strict
    self.signedGaugesAreDeltas = signedGaugesAreDeltas
  }

  /// Reads the line that begins at `start`.
  ///
  /// The forms that make up nearly all of a counter's traffic are settled here, without a call: `name:7|c`, `name:1234|c` and
  /// `name:key|c`. Of those only `form`, `lineStart`, the name and `integer` are written.
  /// - Precondition: `start < bytes.count`.
  /// - Returns: where the next line begins; beyond `bytes.count` if this one had no LF of its own.
  @inlinable @inline(__always)
  package func read(_ bytes: PaddedBytes, at start: Int, into sample: inout Sample) -> Int {
    let colon = bytes.firstSeparator(from: start)
    // `:D|c` and LF. A match holds no LF before its own, so it ends at the sentinel at the latest.
    let word = bytes.word(at: colon)
    guard word & 0xFF == 0x3A, isPlainName(bytes, from: start, to: colon) else {
      return readSlowly(bytes, at: start, separator: colon, into: &sample)
    }
    let digit = (word >> 8) & 0xFF &- 0x30
    if word & 0xFF_FFFF_0000 == 0x0A_637C_0000, digit < 10 {
      return plainCount(of: Int64(truncatingIfNeeded: digit), named: start, to: colon, next: colon &+ 5, &sample)
    }
    let value = colon &+ 1
    let pipe = bytes.firstSeparator(from: value)
    // `|c` and LF.
    if bytes.word(at: pipe) & 0xFF_FFFF == 0x0A_637C {
      let length = pipe &- value
      if let number = Self.shortNumber(bytes.word(at: value), length: length) {
        return plainCount(of: number, named: start, to: colon, next: pipe &+ 3, &sample)
      }
      if !strict, Self.isKey(beginningWith: bytes[value], length: length), pipe &- start <= Self.longestLine &- 2 {
        return plainCount(of: 1, named: start, to: pipe, next: pipe &+ 3, &sample)
      }
    }
    return readSlowly(bytes, at: start, separator: colon, into: &sample)
  }

  /// Whether the name can be that of a metric and the line is not too long to be one: an event's header `_e{5,4}` looks like a name.
  @inlinable @inline(__always)
  func isPlainName(_ bytes: PaddedBytes, from start: Int, to end: Int) -> Bool {
    let length = end &- start
    return length > 0 && length < Self.longestLine &- 10 && bytes[start] != UInt8(ascii: "_")
  }

  @inlinable @inline(__always)
  func plainCount(of count: Int64, named start: Int, to end: Int, next: Int, _ sample: inout Sample) -> Int {
    sample.form = .plainCount
    sample.lineStart = start
    sample.nameStart = start
    sample.nameEnd = end
    sample.integer = count
    return next
  }

  /// The number of one to eight digits that stands in the low `length` bytes of `word`, first digit lowest.
  @inlinable @inline(__always)
  static func shortNumber(_ word: UInt64, length: Int) -> Int64? {
    guard length &- 1 < 8, length > 0 else { return nil }
    // Digits move to the high places; below them zeros lead.
    let missing = UInt64(truncatingIfNeeded: (8 &- length) &* 8)
    let text = word &<< missing | 0x3030_3030_3030_3030 & ~(UInt64.max &<< missing)
    let digits = text &- 0x3030_3030_3030_3030
    // A byte below "0" borrows and one above "9" carries into the sign bits looked at here.
    guard (digits | (text &+ 0x4646_4646_4646_4646)) & 0x8080_8080_8080_8080 == 0 else { return nil }
    let pairs = (digits &* 10 &+ digits &>> 8) & 0x00FF_00FF_00FF_00FF
    let fours = (pairs &* 100 &+ pairs &>> 16) & 0x0000_FFFF_0000_FFFF
    return Int64(truncatingIfNeeded: (fours &* 10_000 &+ fours &>> 32) & 0xFFFF_FFFF)
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

extension PaddedBytes {
  /// The first `:`, `|` or LF at or after `start`; the sentinel is one, so there is one.
  @inlinable @inline(__always)
  func firstSeparator(from start: Int) -> Int {
    var place = start
    while true {
      assert(place >= 0 && place + 16 <= count + Self.slack + 1)
      // Safe: the scan ends in the window that holds the sentinel, so it reads at most 15 bytes of the slack.
      let mask =
        unsafe footfall_equal16(address(of: place), UInt8(ascii: ":")) | footfall_equal16(address(of: place), 0x0A)
        | footfall_equal16(address(of: place), UInt8(ascii: "|"))
      if mask != 0 { return place &+ mask.trailingZeroBitCount }
      place &+= 16
    }
  }
}
