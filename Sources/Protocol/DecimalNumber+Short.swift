import Bytes
import CLinux

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
      let word = bytes.word(at: first)
      if let digits = LineReader.shortNumber(word, length: length) {
        self = DecimalNumber(whole: isNegative ? 0 &- digits : digits)
        return
      }
      if let magnitude = Self.unsignedFraction(word, length) {
        self = DecimalNumber(fraction: isNegative ? 0 - magnitude : magnitude)
        return
      }
    }
    guard let number = DecimalNumber(bytes, from: start, to: end) else { return nil }
    self = number
  }

  /// The number that the low `length` bytes of `word` make, one to eight of them: digits, with a point between or before them or without
  /// one; nil if they make none.
  @inlinable @inline(__always)
  static func unsigned(_ word: UInt64, length: Int) -> Double? {
    // Digits as numbers in the high bytes, the last one highest; zeros below lead.
    var digits = (word ^ 0x3030_3030_3030_3030) &<< UInt64(truncatingIfNeeded: (8 &- length) &* 8)
    let ones: UInt64 = 0x0101_0101_0101_0101
    let distance = digits ^ (ones &* UInt64(UInt8(ascii: ".") ^ 0x30))
    // The lowest byte that is zero gets its sign bit; those above it may err.
    let points = (distance &- ones) & ~distance & (ones &* 0x80)
    var power: UInt64 = 0
    if points != 0 {
      // What stands before the point moves over it, and a zero comes before.
      let point = points & (0 &- points)
      if point == 1 &<< 63 { return nil }
      digits = digits & ~((point &<< 1) &- 1) | (digits & ((point &>> 7) &- 1)) &<< 8
      power = UInt64(truncatingIfNeeded: 63 &- points.trailingZeroBitCount) &>> 3
    }
    // A byte above 9 has its sign bit or gets it here.
    if (digits | (digits &+ 0x7676_7676_7676_7676)) & 0x8080_8080_8080_8080 != 0 { return nil }
    let whole = Double(Int64(truncatingIfNeeded: LineReader.number(ofDigits: digits)))
    return whole / footfall_power_of_ten(UInt32(truncatingIfNeeded: power))
  }

  /// The same, out of the way of whole numbers.
  @inline(never) @usableFromInline
  static func unsignedFraction(_ word: UInt64, _ length: Int) -> Double? { unsigned(word, length: length) }
}
