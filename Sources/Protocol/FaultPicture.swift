import Bytes

/// A refused line with a caret under the place of its fault, for people.
///
///     visit:nan|c
///           ^
///
/// Control bytes and what is not UTF-8 are shown as one `·` a byte, so that the caret stands where it should in a fixed-width font.
struct FaultPicture {
  /// Characters shown of a long line: what stands around the fault.
  private static let width = 72

  private let characters: [Unicode.Scalar]
  private let caret: Int

  /// - Parameter offset: the fault's place in bytes from the line's start; at most the line's length.
  init(_ line: [UInt8], at offset: Int) {
    var characters: [Unicode.Scalar] = []
    var caret: Int?
    var place = 0
    while place < line.count {
      if place >= offset && caret == nil { caret = characters.count }
      let (scalar, length) = Self.scalar(line[place...])
      characters.append(scalar)
      place += length
      // A fault within a character stands under it.
      if place > offset && caret == nil { caret = characters.count - 1 }
    }
    let at = caret ?? characters.count
    let first = max(0, min(at - Self.width / 2, characters.count - Self.width))
    self.characters = Array(characters[first..<min(characters.count, first + Self.width)])
    self.caret = at - first
  }

  /// The line, LF, and the caret under it.
  var text: String {
    var text = String(String.UnicodeScalarView(characters))
    text += "\n"
    text += String(repeating: " ", count: caret)
    text += "^"
    return text
  }

  /// What stands for a byte that cannot be shown.
  static let placeholder: Unicode.Scalar = "·"

  /// The first character of `bytes` as it is shown, and its length in bytes.
  static func scalar(_ bytes: ArraySlice<UInt8>) -> (Unicode.Scalar, Int) {
    var validator = UTF8Validator()
    var length = 0
    for byte in bytes.prefix(4) {
      guard validator.accept(byte) else { break }
      length += 1
      if validator.isComplete {
        let text = String(decoding: bytes.prefix(length), as: UTF8.self)
        if let scalar = text.unicodeScalars.first, scalar.value >= 0x20, scalar.value != 0x7F {
          return (scalar, length)
        }
        break
      }
    }
    return (placeholder, 1)
  }
}
