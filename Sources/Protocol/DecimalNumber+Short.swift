import Bytes

/// The numbers that nearly all lines hold, in a few operations on a word and without a loop: a branch that counts digits would be
/// guessed wrong as often as their number changes.
extension DecimalNumber {
  /// The number between `start` and `end`, if all that stands there is one and it is finite.
  @inlinable @inline(__always)
  init?(shortFrom bytes: PaddedBytes, _ start: Int, _ end: Int) {
    let isNegative = bytes[start] == UInt8(ascii: "-")
    let first = isNegative || bytes[start] == UInt8(ascii: "+") ? start &+ 1 : start
    let length = end &- first
    if length >= 1, length <= 8 {
      let text = LineReader.alignedShortText(bytes.word(at: first), length)
      if let digits = LineReader.digits(text) {
        self = DecimalNumber(whole: isNegative ? 0 &- digits : digits)
        return
      }
      let magnitude = Self.pointed(text)
      if magnitude >= 0 {
        self = DecimalNumber(fraction: isNegative ? 0 - magnitude : magnitude)
        return
      }
    }
    guard let number = DecimalNumber(bytes, from: start, to: end) else { return nil }
    self = number
  }

  /// The number that seven digits make with a point between or before them; below 0 if they make none.
  @inline(never) @usableFromInline
  static func pointed(_ text: UInt64) -> Double {
    let ones: UInt64 = 0x0101_0101_0101_0101
    let distance = text ^ (ones &* UInt64(UInt8(ascii: ".")))
    // The lowest byte that is zero gets its sign bit; those above it may err.
    let points = (distance &- ones) & ~distance & (ones &* 0x80)
    // Bits before the point. What stands there moves over it, and a zero comes before.
    let place = UInt64(truncatingIfNeeded: points.trailingZeroBitCount &- 7)
    guard place < 56 else { return -1 }
    let head = text & ~(UInt64.max &<< place)
    let tail = text & (UInt64.max &<< (place &+ 8))
    guard let digits = LineReader.digits(tail | head &<< 8 | UInt64(UInt8(ascii: "0"))) else { return -1 }
    return Double(digits) / powersOfTen[Int(truncatingIfNeeded: 7 &- place &>> 3)]
  }
}
