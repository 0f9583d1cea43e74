import Bytes

/// The numbers that nearly all lines hold, in a few operations on a word and without a loop: a branch that counts digits would be
/// guessed wrong as often as their number changes.
extension DecimalNumber {
  /// The number between `start` and `end`, if all that stands there is one and it is finite.
  @inline(__always)
  init?(shortFrom bytes: PaddedBytes, _ start: Int, _ end: Int) {
    let isNegative = bytes[start] == UInt8(ascii: "-")
    let first = isNegative || bytes[start] == UInt8(ascii: "+") ? start &+ 1 : start
    let length = end &- first
    if length >= 1, length <= 8,
      let magnitude = Self.magnitude(LineReader.alignedShortText(bytes.word(at: first), length), isNegative)
    {
      self = magnitude
    } else if let number = DecimalNumber(bytes, from: start, to: end) {
      self = number
    } else {
      return nil
    }
  }

  /// The number that eight digits make, or seven and a point between or before them.
  @inline(__always)
  private static func magnitude(_ text: UInt64, _ isNegative: Bool) -> DecimalNumber? {
    if let digits = LineReader.digits(text) { return DecimalNumber(whole: isNegative ? 0 &- digits : digits) }
    let ones: UInt64 = 0x0101_0101_0101_0101
    let distance = text ^ (ones &* UInt64(UInt8(ascii: ".")))
    // The lowest byte that is zero gets its sign bit; those above it may err.
    let points = (distance &- ones) & ~distance & (ones &* 0x80)
    // Bits before the point. What stands there moves over it, and a zero comes before.
    let place = UInt64(truncatingIfNeeded: points.trailingZeroBitCount &- 7)
    guard place < 56 else { return nil }
    let head = text & ~(UInt64.max &<< place)
    let tail = text & (UInt64.max &<< (place &+ 8))
    guard let digits = LineReader.digits(tail | head &<< 8 | UInt64(UInt8(ascii: "0"))) else { return nil }
    let power = powersOfTen[Int(truncatingIfNeeded: 7 &- place &>> 3)]
    let value = Double(isNegative ? 0 &- digits : digits) / power
    let whole = Int64(value)
    return Double(whole) == value ? DecimalNumber(whole: whole) : DecimalNumber(fraction: value)
  }
}
