import Bytes
import Foundation

@testable import Protocol

/// A number ends where the grammar says, is strtod(3)'s to the last bit, and is whole exactly when its digits say so.
func checkNumber(_ bytes: [UInt8]) throws(Broken) {
  let text = bytes.prefix { $0 != 0x0A }
  let written = WrittenNumber(text)
  var number = DecimalNumber()
  let (end, whole) = PaddedText(text).read { padded in
    (number.read(padded, from: 0), DecimalNumber(padded, from: 0, to: padded.count))
  }
  try hold(end == written.length, "\(written.text) ends at \(end)")
  guard end > 0 else { return try hold(whole == nil, "a number was made of nothing") }
  let expected = strtod(written.text, nil)
  try hold(number.double == expected, "\(written.text) is \(expected), not \(number.double)")
  try hold(number.isInteger == (written.integer != nil), "\(written.text): isInteger is \(number.isInteger)")
  try hold(number.integer == written.integer ?? 0, "\(written.text) is not \(number.integer)")
  let isAll = end == text.count && expected.isFinite
  try hold(whole == (isAll ? number : nil), "\(written.text): \(whole == nil ? "not" : "") read as a whole field")
}

/// The number at the start of a text by the plainest way to read it: its digits as a list, and the power of ten of the last one.
private struct WrittenNumber {
  var text = ""
  private var isNegative = false
  private var digits: [UInt8] = []
  private var power = 0

  var length: Int { text.utf8.count }

  init(_ bytes: ArraySlice<UInt8>) {
    var rest = bytes
    func takeDigits() -> ArraySlice<UInt8> {
      let digits = rest.prefix { (0x30...0x39).contains($0) }
      rest = rest.dropFirst(digits.count)
      return digits
    }
    if let sign = rest.first, sign == UInt8(ascii: "-") || sign == UInt8(ascii: "+") {
      isNegative = sign == UInt8(ascii: "-")
      rest = rest.dropFirst()
    }
    digits += takeDigits()
    if rest.first == UInt8(ascii: ".") {
      rest = rest.dropFirst()
      let fraction = takeDigits()
      digits += fraction
      power = -fraction.count
    }
    if digits.isEmpty { return }
    let mantissa = rest
    if let letter = rest.first, letter | 0x20 == UInt8(ascii: "e") {
      rest = rest.dropFirst()
      let sign = rest.first
      if sign == UInt8(ascii: "-") || sign == UInt8(ascii: "+") { rest = rest.dropFirst() }
      let exponent = takeDigits()
      if exponent.isEmpty {
        rest = mantissa
      } else {
        // What does not fit is beyond all digits that a test has.
        let size = Int(String(decoding: exponent, as: UTF8.self)) ?? 1_000_000_000_000
        power += (sign == UInt8(ascii: "-") ? -1 : 1) * min(size, 1_000_000_000_000)
      }
    }
    text = String(decoding: bytes[bytes.startIndex..<rest.startIndex], as: UTF8.self)
  }

  /// The number if it is whole and fits.
  var integer: Int64? {
    var digits = digits.drop { $0 == UInt8(ascii: "0") }
    var power = power
    while digits.last == UInt8(ascii: "0") {
      digits.removeLast()
      power += 1
    }
    if digits.isEmpty { return 0 }
    guard power >= 0, digits.count + power <= 19 else { return nil }
    return Int64(
      (isNegative ? "-" : "") + String(decoding: digits, as: UTF8.self) + String(repeating: "0", count: power))
  }
}
