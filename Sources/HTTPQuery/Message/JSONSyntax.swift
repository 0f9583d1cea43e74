/// Whether bytes are one JSON text (RFC 8259), and if not, where they cease to be, in the words of Python's decoder.
///
/// FastAPI's clients read place and reason in a 422, and the library's decoder tells neither; it also takes a comma before a closing
/// bracket and control characters within strings, which FastAPI refuses. Nothing is decoded here.
/// - Complexity: O(bytes); a bit of memory for each level of nesting, of which there are at most `deepest`.
struct JSONSyntax {
  struct Fault: Error, Equatable {
    /// In bytes.
    var place: Int
    var message: StaticString

    static func == (left: Self, right: Self) -> Bool {
      left.place == right.place && "\(left.message)" == "\(right.message)"
    }
  }

  /// Levels of nesting that the decoder goes along with.
  static let deepest = 500

  private let bytes: [UInt8]
  private var place = 0
  /// Of the containers that are open: whether it is an object.
  private var open: [Bool] = []

  /// The first fault, if there is one.
  static func fault(in bytes: [UInt8]) -> Fault? {
    var syntax = JSONSyntax(bytes: bytes)
    do throws(Fault) { try syntax.run() } catch { return error }
    return nil
  }

  private init(bytes: [UInt8]) { self.bytes = bytes }

  private var next: UInt8? { place < bytes.count ? bytes[place] : nil }

  private mutating func run() throws(Fault) {
    var expectsValue = true
    while true {
      skipBlanks()
      if expectsValue {
        expectsValue = try beginValue()
      } else if let isObject = open.last {
        if next == (isObject ? UInt8(ascii: "}") : UInt8(ascii: "]")) {
          place += 1
          open.removeLast()
        } else if next == UInt8(ascii: ",") {
          place += 1
          if isObject { try readKey() }
          expectsValue = true
        } else {
          throw Fault(place: place, message: "Expecting ',' delimiter")
        }
      } else if place < bytes.count {
        throw Fault(place: place, message: "Extra data")
      } else {
        return
      }
    }
  }

  /// Reads a value, or what stands before the first value of a container.
  /// - Returns: whether a value comes next.
  private mutating func beginValue() throws(Fault) -> Bool {
    switch next {
    case UInt8(ascii: "{"), UInt8(ascii: "["):
      let isObject = next == UInt8(ascii: "{")
      if open.count == Self.deepest { throw Fault(place: place, message: "Nested too deeply") }
      place += 1
      skipBlanks()
      if next == (isObject ? UInt8(ascii: "}") : UInt8(ascii: "]")) {
        place += 1
        return false
      }
      open.append(isObject)
      if isObject { try readKey() }
      return true
    case UInt8(ascii: "\""): try readString()
    case UInt8(ascii: "t"): try readWord("true")
    case UInt8(ascii: "f"): try readWord("false")
    case UInt8(ascii: "n"): try readWord("null")
    default: try readNumber()
    }
    return false
  }

  private mutating func readKey() throws(Fault) {
    skipBlanks()
    guard next == UInt8(ascii: "\"") else {
      throw Fault(place: place, message: "Expecting property name enclosed in double quotes")
    }
    try readString()
    skipBlanks()
    guard next == UInt8(ascii: ":") else { throw Fault(place: place, message: "Expecting ':' delimiter") }
    place += 1
  }

  private mutating func readString() throws(Fault) {
    let start = place
    place += 1
    while let byte = next {
      switch byte {
      case UInt8(ascii: "\""):
        place += 1
        return
      case UInt8(ascii: "\\"): try readEscape(of: start)
      case 0..<0x20: throw Fault(place: place, message: "Invalid control character at")
      default: place += 1
      }
    }
    throw Fault(place: start, message: "Unterminated string starting at")
  }

  private mutating func readEscape(of start: Int) throws(Fault) {
    guard place + 1 < bytes.count else { throw Fault(place: start, message: "Unterminated string starting at") }
    switch bytes[place + 1] {
    case UInt8(ascii: "u"):
      for digit in place + 2..<place + 6 where digit >= bytes.count || bytes[digit].hexValue == nil {
        throw Fault(place: place + 1, message: "Invalid \\uXXXX escape")
      }
      place += 6
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"),
      UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
      place += 2
    default: throw Fault(place: place, message: "Invalid \\escape")
    }
  }

  private mutating func readWord(_ word: String) throws(Fault) {
    guard bytes[place...].starts(with: word.utf8) else { throw Fault(place: place, message: "Expecting value") }
    place += word.utf8.count
  }

  /// `[-] int [frac] [exp]`; what follows a whole part but continues no number is left to whoever reads on.
  private mutating func readNumber() throws(Fault) {
    let start = place
    if next == UInt8(ascii: "-") { place += 1 }
    guard next?.isDigit == true else { throw Fault(place: start, message: "Expecting value") }
    if next == UInt8(ascii: "0") { place += 1 } else { skipDigits() }
    if next == UInt8(ascii: "."), place + 1 < bytes.count, bytes[place + 1].isDigit {
      place += 1
      skipDigits()
    }
    if next == UInt8(ascii: "e") || next == UInt8(ascii: "E") {
      var digit = place + 1
      if digit < bytes.count, bytes[digit] == UInt8(ascii: "+") || bytes[digit] == UInt8(ascii: "-") { digit += 1 }
      if digit < bytes.count, bytes[digit].isDigit {
        place = digit
        skipDigits()
      }
    }
  }

  private mutating func skipDigits() {
    while next?.isDigit == true { place += 1 }
  }

  private mutating func skipBlanks() {
    while let byte = next, byte.isBlank || byte == .lineFeed || byte == .carriageReturn { place += 1 }
  }
}
