// The lines that a request is made of, read on their own: pure functions from bytes to ranges, numbers or a fault.

extension RequestParser {
  /// `method SP target SP version` (RFC 9112, section 3), one SP each.
  static func parts(
    _ bytes: Span<UInt8>, _ line: Range<Int>
  ) throws(Status) -> (method: Range<Int>, target: Range<Int>, version: Range<Int>) {
    guard let methodEnd = bytes.firstIndex(of: .space, in: line),
      let targetEnd = bytes.firstIndex(of: .space, in: (methodEnd + 1)..<line.upperBound)
    else { throw .badRequest }
    let target = (methodEnd + 1)..<targetEnd
    if target.count > Limits.target { throw .uriTooLong }
    return (line.lowerBound..<methodEnd, target, (targetEnd + 1)..<line.upperBound)
  }

  static func method(_ token: Span<UInt8>) throws(Status) -> Method {
    if token.isEmpty { throw .badRequest }
    for place in token.indices where !token[place].isToken { throw .badRequest }
    guard let method = Method(token) else { throw .notImplemented }
    return method
  }

  /// `HTTP/1.0` and `HTTP/1.1`; a later 1.x is spoken to as 1.1 (RFC 9110, section 2.5).
  static func version(_ text: Span<UInt8>) throws(Status) -> Request.Version {
    guard text.count == 8, text.extracting(0..<5).equals("HTTP/"), text[5].isDigit, text[6] == UInt8(ascii: "."),
      text[7].isDigit
    else { throw .badRequest }
    if text[5] != UInt8(ascii: "1") { throw .versionNotSupported }
    return text[7] == UInt8(ascii: "0") ? .http10 : .http11
  }

  /// `name ":" blanks value blanks` (RFC 9112, section 5). A line that begins with a blank would be a folded one (section 5.2): its
  /// blank is no character of a name, nor is one before the colon.
  static func field(_ bytes: Span<UInt8>, _ line: Range<Int>) throws(Status) -> HeaderFields.Field {
    var nameEnd = line.lowerBound
    while nameEnd < line.upperBound && bytes[nameEnd].isToken { nameEnd += 1 }
    guard nameEnd > line.lowerBound && nameEnd < line.upperBound && bytes[nameEnd] == UInt8(ascii: ":") else {
      throw .badRequest
    }
    let value = bytes.trimmingBlanks((nameEnd + 1)..<line.upperBound)
    for place in value where !bytes[place].isFieldContent { throw .badRequest }
    return .init(name: line.lowerBound..<nameEnd, value: value)
  }

  /// `1*HEXDIG [chunk-ext]` (RFC 9112, section 7.1). Extensions are skipped, but may hold no control byte.
  static func chunkSize(_ bytes: Span<UInt8>, _ line: Range<Int>) throws(Status) -> Int {
    var size = 0
    var place = line.lowerBound
    while place < line.upperBound, let digit = bytes[place].hexValue {
      if size > Int.max >> 8 { throw .badRequest }
      size = size << 4 | Int(digit)
      place += 1
    }
    if place == line.lowerBound { throw .badRequest }
    // Blanks may stand before an extension only.
    let rest = bytes.trimmingBlanks(place..<line.upperBound)
    if rest.isEmpty ? place < line.upperBound : bytes[rest.lowerBound] != UInt8(ascii: ";") { throw .badRequest }
    for place in rest where !bytes[place].isFieldContent { throw .badRequest }
    return size
  }
}
