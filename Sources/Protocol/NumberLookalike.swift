import Bytes

/// Tells values that were meant as a number and went wrong from keys. Counting them as keys would hide a sender's fault.
///
///     signs alone          +  --
///     not a number         nan  -NaN  inf  +Infinity
///     hexadecimal          0x1F  -0X
///     digits, grouped      1_000  1,000.5
///     several signs        --1  +-.5x
///     not finite           1e999
enum NumberLookalike {
  /// Whether every field between colons in `range` is a number, looks like one, or is empty, and the last is none: packed numbers with a
  /// broken one among them. A last field that is a number is the count of the key before it, however that looks, unless
  /// there is nothing before the first colon.
  static func matchesAll(_ bytes: PaddedBytes, _ range: Range<Int>) -> Bool {
    var start = range.lowerBound
    while true {
      // With nearly all keys this is the end of it.
      if start < range.upperBound, beginsKey(bytes[start]) { return false }
      var end = start
      while end < range.upperBound, bytes[end] != UInt8(ascii: ":") { end += 1 }
      if !matches(bytes, start..<end) { return false }
      if end == range.upperBound {
        return bytes[range.lowerBound] == UInt8(ascii: ":") || DecimalNumber(bytes, from: start, to: end) == nil
      }
      start = end + 1
    }
  }

  /// Whether the text in `range` is one of these, a number, or empty.
  static func matches(_ bytes: PaddedBytes, _ range: Range<Int>) -> Bool {
    var body = range
    while let first = body.first, isSign(bytes[first]) { body = first + 1..<range.upperBound }
    guard let first = body.first else { return true }
    let signs = first - range.lowerBound
    if isDigit(bytes[first]) || bytes[first] == UInt8(ascii: "."), signs > 1 {
      let second = first + 1
      if isDigit(bytes[first]) || second < body.upperBound && isDigit(bytes[second]) { return true }
    }
    var number = DecimalNumber()
    return isWord(bytes, body, "nan") || isWord(bytes, body, "inf") || isWord(bytes, body, "infinity")
      || isHexadecimal(bytes, body) || isGrouped(bytes, body) || number.read(bytes, from: first) == body.upperBound
  }

  private static func isWord(_ bytes: PaddedBytes, _ range: Range<Int>, _ word: StaticString) -> Bool {
    guard range.count == word.utf8CodeUnitCount else { return false }
    for offset in 0..<range.count {
      // Safe: `offset` is below the word's length.
      if unsafe bytes[range.lowerBound + offset] | 0x20 != word.utf8Start[offset] { return false }
    }
    return true
  }

  private static func isHexadecimal(_ bytes: PaddedBytes, _ range: Range<Int>) -> Bool {
    guard range.count >= 2, bytes[range.lowerBound] == UInt8(ascii: "0"),
      bytes[range.lowerBound + 1] | 0x20 == UInt8(ascii: "x")
    else { return false }
    return range.dropFirst(2).allSatisfy { place in
      isDigit(bytes[place]) || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(bytes[place] | 0x20)
    }
  }

  /// Digits with `_` or `,` between, and a fraction if there is one.
  private static func isGrouped(_ bytes: PaddedBytes, _ range: Range<Int>) -> Bool {
    var isFraction = false
    for place in range where !isDigit(bytes[place]) {
      guard place > range.lowerBound, isDigit(bytes[place - 1]) else { return false }
      switch bytes[place] {
      case UInt8(ascii: "."):
        if isFraction { return false }
        isFraction = true
      case UInt8(ascii: "_"), UInt8(ascii: ","):
        if place + 1 == range.upperBound || !isDigit(bytes[place + 1]) { return false }
      default: return false
      }
    }
    return true
  }

  /// Whether nothing that looks like a number begins so.
  private static func beginsKey(_ byte: UInt8) -> Bool {
    let letter = byte | 0x20
    return byte > UInt8(ascii: ":") && letter != UInt8(ascii: "n") && letter != UInt8(ascii: "i")
  }

  private static func isDigit(_ byte: UInt8) -> Bool { byte &- UInt8(ascii: "0") <= 9 }
  private static func isSign(_ byte: UInt8) -> Bool { byte == UInt8(ascii: "+") || byte == UInt8(ascii: "-") }
}
