/// The buckets into which a sketch sorts values: 64 to each power of two, so that every value of a bucket lies within 0.8 % of the
/// value that stands for it.
///
/// A bucket's number is read off the bits of an IEEE 754 double: its exponent and the first six bits of its fraction. Numbers are in the
/// order of the values: below 0 for negative ones, 0 for zero. The same idea as DDSketch (Masson, Rim, Lee, VLDB 2019) and
/// HdrHistogram, with the logarithm replaced by the bits.
enum SketchBucket {
  /// The bucket of a finite value.
  @inline(__always)
  static func number(of value: Double) -> Int32 {
    let magnitude = Int32(truncatingIfNeeded: value.magnitude.bitPattern &>> 46) &+ 1
    if value > 0 { return magnitude }
    return value == 0 ? 0 : 0 &- magnitude
  }

  /// The bucket of the greatest finite values; above it are infinity and what is no number.
  static let highestNumber = number(of: .greatestFiniteMagnitude)

  /// The value in the middle of a bucket.
  static func value(of number: Int32) -> Double {
    if number == 0 { return 0 }
    let bits = UInt64(number.magnitude - 1)
    let low = Double(bitPattern: bits << 46)
    let high = Double(bitPattern: (bits + 1) << 46)
    let middle = high.isFinite ? low + (high - low) / 2 : low
    return number < 0 ? -middle : middle
  }

  /// Distinct buckets up to which a sketch is exact to its 0.8 %: 48 full powers of two. A sketch that already holds so many sorts
  /// further new buckets by power of two alone, which bounds its memory whatever is sent.
  static let fineLimit = 3_072

  /// The bucket that stands for all of its power of two; zero's is its own.
  static func coarse(_ number: Int32) -> Int32 {
    if number == 0 { return 0 }
    let magnitude = Int32((number.magnitude - 1) & ~63) + 33
    return number > 0 ? magnitude : -magnitude
  }

  // MARK: Sixteen bits

  /// Codes below this one are the buckets of the values from 2^-511 to 2^512, in their order.
  static let codeLimit: UInt32 = 65_534
  /// The code of zero's bucket.
  static let zeroCode: UInt16 = 65_534
  /// No code, but a mark for what has none.
  static let noCode: UInt16 = 65_535
  private static let firstExponent: UInt32 = 512

  /// The code of a value's bucket; `codeLimit` or above for zero, negative values and extremes.
  @inline(__always)
  static func code(of value: Double) -> UInt32 {
    UInt32(truncatingIfNeeded: value.bitPattern &>> 46) &- firstExponent &* 64
  }

  /// The bucket with a code below `codeLimit`.
  @inline(__always)
  static func number(ofCode code: Int) -> Int32 { Int32(truncatingIfNeeded: code) &+ Int32(firstExponent) &* 64 &+ 1 }
}
