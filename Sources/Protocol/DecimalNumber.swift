import Bytes
import CLinux

/// A number as it stands in a line, read to the last bit.
///
///     number = [+-] ( digits [ "." [digits] ] | "." digits ) [ ("e"|"E") [+-] digits ]
///
/// Whole numbers that fit are exact as `Int64` (`1e3` and `1.0` are whole); all others are the `Double` nearest to the decimal, ties
/// to even. Up to 19 digits whose value is below 2^53 with a power of ten up to 22 take one exact multiplication or division
/// (W. D. Clinger, "How to Read Floating Point Numbers Accurately", 1990); the rest goes to strtod(3), which rounds correctly in glibc.
@frozen @usableFromInline
package struct DecimalNumber: Equatable {
  /// `integer` is the number.
  @usableFromInline package var isInteger = true
  @usableFromInline package var integer: Int64 = 0
  /// The number rounded; not finite if it is too large.
  @usableFromInline package var double = 0.0

  /// Zero.
  @inlinable
  package init() {}

  @inlinable @inline(__always)
  init(whole number: Int64) {
    integer = number
    double = Double(number)
  }

  /// A number of which it is not known whether it is whole.
  @inlinable @inline(__always)
  init(fraction number: Double) {
    isInteger = false
    double = number
  }

  /// Reads the longest number that begins at `start`.
  ///
  /// A line needs no end here: its own, a `:` and a `|` stop a number.
  /// - Returns: where the number ends; `start` if none begins there.
  /// - Complexity: O(length of the number).
  package mutating func read(_ bytes: PaddedBytes, from start: Int) -> Int {
    var place = start
    let sign = bytes[place]
    let isNegative = sign == UInt8(ascii: "-")
    if isNegative || sign == UInt8(ascii: "+") { place &+= 1 }
    var digits = Digits()
    let first = place
    place = digits.take(bytes, from: place)
    var digitCount = place &- first
    if bytes[place] == UInt8(ascii: ".") {
      let point = place &+ 1
      place = digits.take(bytes, from: point)
      digits.fractionLength = place &- point
      digitCount &+= place &- point
    }
    guard digitCount > 0 else { return start }
    if bytes[place] | 0x20 == UInt8(ascii: "e") { place = digits.takeExponent(bytes, from: place) }
    if digitCount > 19 { digits.takeCarefully(bytes, from: first) }
    set(digits, isNegative: isNegative) {
      // Safe: strtod reads the text just seen and stops at the byte behind it, which cannot continue a number.
      unsafe footfall_decimal(bytes.address(of: start))
    }
    return place
  }

  /// The number between `start` and `end`, if all that stands there is one and it is finite.
  @inline(never) @usableFromInline
  package init?(_ bytes: PaddedBytes, from start: Int, to end: Int) {
    guard start < end, read(bytes, from: start) == end, double.isFinite else { return nil }
  }

  @inline(__always)
  private mutating func set(_ digits: Digits, isNegative: Bool, slowly: () -> Double) {
    if let magnitude = digits.whole, let whole = Self.signed(magnitude, isNegative: isNegative) {
      isInteger = true
      integer = whole
      double = Double(whole)
      return
    }
    isInteger = false
    integer = 0
    guard !digits.isTruncated, digits.mantissa < 1 << 53, digits.exponent.magnitude <= 22 else {
      double = slowly()
      return
    }
    let mantissa = Double(digits.mantissa)
    let power = Self.powersOfTen[Int(digits.exponent.magnitude)]
    let magnitude = digits.exponent < 0 ? mantissa / power : mantissa * power
    double = isNegative ? -magnitude : magnitude
  }

  private static func signed(_ magnitude: UInt64, isNegative: Bool) -> Int64? {
    if magnitude <= UInt64(Int64.max) { return isNegative ? -Int64(magnitude) : Int64(magnitude) }
    return isNegative && magnitude == 1 << 63 ? Int64.min : nil
  }

  /// All powers of ten that are exact as a `Double`.
  static let powersOfTen: InlineArray<23, Double> = [
    1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20,
    1e21, 1e22,
  ]
}

/// A decimal's digits as a whole number, and the power of ten that it is to be multiplied by.
private struct Digits {
  var mantissa: UInt64 = 0
  var fractionLength = 0
  var power = 0
  /// There are more than 19 significant digits: `mantissa` does not hold them all.
  var isTruncated = false

  var exponent: Int { power &- fractionLength }

  /// Appends the digits at `start`; past 19 of them the mantissa means nothing.
  @inline(__always)
  mutating func take(_ bytes: PaddedBytes, from start: Int) -> Int {
    var place = start
    while true {
      let digit = bytes[place] &- UInt8(ascii: "0")
      if digit > 9 { return place }
      mantissa = mantissa &* 10 &+ UInt64(digit)
      place &+= 1
    }
  }

  /// Takes the exponent whose `e` stands at `start`, if digits follow it.
  mutating func takeExponent(_ bytes: PaddedBytes, from start: Int) -> Int {
    var place = start + 1
    let isNegative = bytes[place] == UInt8(ascii: "-")
    if isNegative || bytes[place] == UInt8(ascii: "+") { place += 1 }
    let first = place
    while case let digit = bytes[place] &- UInt8(ascii: "0"), digit <= 9 {
      // A million outweighs all digits that a line can hold.
      if power < 1_000_000 { power = power * 10 + Int(digit) }
      place += 1
    }
    if isNegative { power = -power }
    return place == first ? start : place
  }

  /// Reads the digits and the point at `start` once more, without the zeros that lead and trail.
  mutating func takeCarefully(_ bytes: PaddedBytes, from start: Int) {
    mantissa = 0
    fractionLength = 0
    var count = 0
    var zeros = 0
    var isFraction = false
    var place = start
    while true {
      let digit = bytes[place] &- UInt8(ascii: "0")
      if digit <= 9 {
        if isFraction { fractionLength += 1 }
        if digit > 0 {
          for _ in 0..<zeros where count > 0 { append(0, &count) }
          append(UInt64(digit), &count)
        }
        zeros = digit == 0 ? zeros + 1 : 0
      } else if bytes[place] == UInt8(ascii: "."), !isFraction {
        isFraction = true
      } else {
        break
      }
      place += 1
    }
    fractionLength -= zeros
  }

  private mutating func append(_ digit: UInt64, _ count: inout Int) {
    isTruncated = count >= 19
    if !isTruncated { mantissa = mantissa * 10 + digit }
    count += 1
  }

  /// The number's magnitude if it is whole and fits.
  var whole: UInt64? {
    if isTruncated { return nil }
    if exponent == 0 || mantissa == 0 { return mantissa }
    var value = mantissa
    // At most 20 rounds: a digit that is not 0 is reached, or an overflow.
    for _ in 0..<exponent.magnitude {
      if exponent < 0 {
        let (quotient, digit) = value.quotientAndRemainder(dividingBy: 10)
        if digit != 0 { return nil }
        value = quotient
      } else {
        let (product, overflow) = value.multipliedReportingOverflow(by: 10)
        if overflow { return nil }
        value = product
      }
    }
    return value
  }
}
