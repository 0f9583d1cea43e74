import Bytes

/// The lines of one value and nothing behind its type, which most timers, gauges and sets send: what tells them apart stands in one word.
///
///     name:12.5|ms   name:7|g   name:alice|s
extension LineReader {
  /// Where a line has its name and its value, of which nothing else has been looked at.
  @frozen @usableFromInline
  package struct ShortLine {
    /// The name begins with the line and has at most `PlainCount.longestName` bytes.
    @usableFromInline package let nameEnd: Int
    @usableFromInline package let valueEnd: Int
    /// What stands from the value's end on, the first byte lowest.
    @usableFromInline package let tail: UInt64

    @inlinable @inline(__always)
    init(nameEnd: Int, valueEnd: Int, tail: UInt64) {
      self.nameEnd = nameEnd
      self.valueEnd = valueEnd
      self.tail = tail
    }

    /// The kind whose type ends the line; nil if none of these three does.
    @inlinable @inline(__always)
    package var kind: SampleKind? {
      if tail & 0xFFFF_FFFF == 0x0A73_6D7C { return .timer }  // |ms LF
      if tail & 0xFF_FFFF == 0x0A_737C { return .set }  // |s LF
      return tail & 0xFF_FFFF == 0x0A_677C ? .gauge : nil  // |g LF
    }
  }

  /// Reads where name and value end in the line that begins at `start`; nil if it has no short name before a value.
  /// - Parameter window: the separators from `start`.
  @inlinable @inline(__always)
  package func readShort(_ bytes: PaddedBytes, at start: Int, _ window: SeparatorWindow) -> ShortLine? {
    let nameLength = window.colons.trailingZeroBitCount
    // An event's header `_e{5,4}` looks like a name.
    if nameLength == 0 || nameLength > PlainCount.longestName || bytes[start] == UInt8(ascii: "_") { return nil }
    let colon = start &+ nameLength
    let pipe = window.ends != 0 ? start &+ window.ends.trailingZeroBitCount : bytes.end(from: start &+ 32)
    // A type of at most two letters makes the line longer; one at the limit is left to others.
    if pipe < colon || pipe &- start > Self.longestLine &- 3 { return nil }
    return ShortLine(nameEnd: colon, valueEnd: pipe, tail: bytes.word(at: pipe))
  }

  /// A line's value, if it is a number of at most eight digits with a point or without one, and no sign; nil if it is not.
  @inlinable @inline(__always)
  package func shortValue(_ bytes: PaddedBytes, _ line: ShortLine) -> Double? {
    let start = line.nameEnd &+ 1
    let length = line.valueEnd &- start
    if length < 1 || length > 8 { return nil }
    return DecimalNumber.unsigned(bytes.word(at: start), length: length)
  }

  /// Whether a line's value may be a member of a set.
  @inlinable @inline(__always)
  package func hasMember(_ bytes: PaddedBytes, _ line: ShortLine) -> Bool {
    line.valueEnd > line.nameEnd &+ 1 && bytes.isText(from: line.nameEnd &+ 1, to: line.valueEnd)
  }
}
