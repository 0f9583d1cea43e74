/// A request's target, taken apart (RFC 9112, section 3.2).
///
///     /visits/a%2Fb?top=5&match=page:a*           origin-form
///     http://localhost:8080/visits/a%2Fb?top=5    absolute-form
///     *                                           asterisk-form, with OPTIONS only
///
/// Bytes that RFC 3986 wants encoded are taken raw where nothing can be mistaken for something else: `curl '…/explain?line=visit:a|c'`
/// and `curl …/visits/café` send them so. Control bytes, spaces and `#` are refused.
struct RequestTarget {
  var path: [String] = []
  var query: [Request.QueryPair] = []
  var isAsterisk = false
  /// Host and port of an absolute-form, valid.
  var authority: Range<Int>?

  /// - Throws: `badRequest` for what is no target, for a `%` without two hexadecimal digits, for a path that is not UTF-8 or holds NUL.
  init(_ bytes: Span<UInt8>, in range: Range<Int>) throws(Status) {
    for place in range where bytes[place] <= .space || bytes[place] == 0x7F || bytes[place] == UInt8(ascii: "#") {
      throw .badRequest
    }
    if range.count == 1 && bytes[range.lowerBound] == UInt8(ascii: "*") {
      isAsterisk = true
      return
    }
    var rest = range
    if let start = Self.authorityStart(bytes, range) {
      var end = start
      while end < range.upperBound && bytes[end] != UInt8(ascii: "/") && bytes[end] != UInt8(ascii: "?") { end += 1 }
      guard Authority.isValid(bytes.extracting(start..<end)) else { throw .badRequest }
      authority = start..<end
      rest = end..<range.upperBound
    } else if rest.isEmpty || bytes[rest.lowerBound] != UInt8(ascii: "/") {
      throw .badRequest
    }
    let mark = bytes.firstIndex(of: UInt8(ascii: "?"), in: rest) ?? rest.upperBound
    path = try Self.segments(bytes, rest.lowerBound..<mark)
    if mark < rest.upperBound { query = try Self.pairs(bytes, (mark + 1)..<rest.upperBound) }
  }

  /// Where the authority begins if the target has a scheme of ours.
  private static func authorityStart(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Int? {
    for scheme in ["http://", "https://"] where range.count >= scheme.utf8.count {
      let end = range.lowerBound + scheme.utf8.count
      if bytes.extracting(range.lowerBound..<end).equalsIgnoringCase(scheme) { return end }
    }
    return nil
  }

  /// Splits at `/`, then decodes, so that `%2F` stays within its segment.
  private static func segments(_ bytes: Span<UInt8>, _ range: Range<Int>) throws(Status) -> [String] {
    if range.count <= 1 { return [] }
    var found: [String] = []
    var start = range.lowerBound + 1
    while true {
      let end = bytes.firstIndex(of: UInt8(ascii: "/"), in: start..<range.upperBound) ?? range.upperBound
      let decoded = try decode(bytes, start..<end, plusIsSpace: false)
      guard !decoded.contains(0), let segment = String(validating: decoded, as: UTF8.self) else { throw .badRequest }
      found.append(segment)
      if end == range.upperBound { return found }
      start = end + 1
    }
  }

  /// `name=value` pairs between `&` (WHATWG URL, section 5.1: application/x-www-form-urlencoded); empty ones are skipped.
  private static func pairs(_ bytes: Span<UInt8>, _ range: Range<Int>) throws(Status) -> [Request.QueryPair] {
    var found: [Request.QueryPair] = []
    var start = range.lowerBound
    while start < range.upperBound {
      let end = bytes.firstIndex(of: UInt8(ascii: "&"), in: start..<range.upperBound) ?? range.upperBound
      if end > start {
        let equals = bytes.firstIndex(of: UInt8(ascii: "="), in: start..<end) ?? end
        let name = try decode(bytes, start..<equals, plusIsSpace: true)
        let value = try decode(bytes, min(equals + 1, end)..<end, plusIsSpace: true)
        found.append(.init(name: String(decoding: name, as: UTF8.self), value: value))
      }
      start = end + 1
    }
    return found
  }

  /// Percent-decodes (RFC 3986, section 2.1).
  private static func decode(_ bytes: Span<UInt8>, _ range: Range<Int>, plusIsSpace: Bool) throws(Status) -> [UInt8] {
    var decoded: [UInt8] = []
    decoded.reserveCapacity(range.count)
    var place = range.lowerBound
    while place < range.upperBound {
      var byte = bytes[place]
      if byte == UInt8(ascii: "%") {
        guard place + 2 < range.upperBound, let high = bytes[place + 1].hexValue, let low = bytes[place + 2].hexValue
        else {
          throw .badRequest
        }
        byte = high << 4 | low
        place += 2
      } else if plusIsSpace && byte == UInt8(ascii: "+") {
        byte = .space
      }
      decoded.append(byte)
      place += 1
    }
    return decoded
  }
}
