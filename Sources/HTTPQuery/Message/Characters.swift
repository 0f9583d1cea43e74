// Classes of bytes and the few comparisons that HTTP's grammar is made of (RFC 9110, section 5.6; RFC 3986, section 2).

extension UInt8 {
  static let lineFeed = UInt8(ascii: "\n")
  static let carriageReturn = UInt8(ascii: "\r")
  static let space = UInt8(ascii: " ")
  static let tab = UInt8(ascii: "\t")

  /// SP or HTAB, the only white space within a line (RFC 9110, section 5.6.3).
  var isBlank: Bool { self == .space || self == .tab }

  var isDigit: Bool { self >= UInt8(ascii: "0") && self <= UInt8(ascii: "9") }

  var isLetter: Bool { lowercased >= UInt8(ascii: "a") && lowercased <= UInt8(ascii: "z") }

  /// A character of methods, field names, codings (RFC 9110, section 5.6.2: `tchar`).
  var isToken: Bool {
    switch self {
    case UInt8(ascii: "!"), UInt8(ascii: "#")...UInt8(ascii: "'"), UInt8(ascii: "*"), UInt8(ascii: "+"),
      UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "^")...UInt8(ascii: "`"), UInt8(ascii: "|"), UInt8(ascii: "~"):
      true
    default: isDigit || isLetter
    }
  }

  /// A byte that may stand in a field's value: all but control bytes; HTAB may (RFC 9110, section 5.5).
  var isFieldContent: Bool { self >= 0x20 && self != 0x7F || self == .tab }

  /// A to Z as a to z.
  var lowercased: UInt8 { self >= UInt8(ascii: "A") && self <= UInt8(ascii: "Z") ? self | 0x20 : self }

  /// The value of a hexadecimal digit.
  var hexValue: UInt8? {
    switch self {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): self - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): self - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): self - UInt8(ascii: "A") + 10
    default: nil
    }
  }
}

extension Span<UInt8> {
  /// Whether these are the bytes of `text`.
  func equals(_ text: String) -> Bool {
    guard count == text.utf8.count else { return false }
    var place = 0
    for byte in text.utf8 {
      if self[place] != byte { return false }
      place += 1
    }
    return true
  }

  /// Whether these are the bytes of `lowercase`, letters A to Z counting as a to z.
  func equalsIgnoringCase(_ lowercase: String) -> Bool {
    guard count == lowercase.utf8.count else { return false }
    var place = 0
    for byte in lowercase.utf8 {
      if self[place].lowercased != byte { return false }
      place += 1
    }
    return true
  }

  /// Where `byte` first stands in `range`.
  func firstIndex(of byte: UInt8, in range: Range<Int>) -> Int? {
    var place = range.lowerBound
    while place < range.upperBound {
      if self[place] == byte { return place }
      place += 1
    }
    return nil
  }

  /// `range` without the blanks at its ends.
  func trimmingBlanks(_ range: Range<Int>) -> Range<Int> {
    var (first, last) = (range.lowerBound, range.upperBound)
    while first < last && self[first].isBlank { first += 1 }
    while first < last && self[last - 1].isBlank { last -= 1 }
    return first..<last
  }

  /// Hands on each element of a comma-separated list (RFC 9110, section 5.6.1) without the blanks around it, empty ones included.
  /// Commas within quotes are not looked for: the lists read this way hold tokens.
  func forEachListElement<Failure>(in range: Range<Int>, _ body: (Range<Int>) throws(Failure) -> Void) throws(Failure) {
    var start = range.lowerBound
    while true {
      let end = firstIndex(of: UInt8(ascii: ","), in: start..<range.upperBound) ?? range.upperBound
      try body(trimmingBlanks(start..<end))
      if end == range.upperBound { return }
      start = end + 1
    }
  }
}
