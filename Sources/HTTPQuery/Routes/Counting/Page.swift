/// The name of a page: what a visit is counted by.
///
/// UTF-8 without control characters, as the key of a datagram's `visit:page1|c`.
package enum Page {
  /// Longest page that may be asked for by name, in characters.
  static let longest = 512
  /// Longest URL that a page is taken from, in characters: twice what browsers and proxies are sure to pass on.
  static let longestURL = 2_048
  /// The same as a regular expression, for messages and for the OpenAPI document.
  private static let pattern = "^[^\\x00-\\x1f\\x7f]+$"

  /// What is wrong with a page, if anything is.
  /// - Parameter location: where it stood.
  static func fault(_ page: String, at location: [InputFault.Step]) -> InputFault? {
    if page.unicodeScalars.count > longest { return .tooLong(page, longest, at: location) }
    if !page.utf8.isEmpty && !page.utf8.contains(where: isControl) { return nil }
    var fault = InputFault(
      "string_pattern_mismatch", at: location, message: "String should match pattern '\(pattern)'",
      input: .string(page))
    fault.context = ("pattern", .string(pattern))
    return fault
  }

  /// What of a visit's `page_url` becomes the page (`--page-from`).
  package enum Source: String, CaseIterable, Sendable {
    /// The path, percent-decoded: `https://shop.example/a%20b/?x=1#top` is `/a b/`, `https://shop.example` is `/`.
    case path
    /// All of it, as it came.
    case url
  }

  /// The page of a URL; any text has one.
  ///
  /// A text without a scheme counts as a path, an empty path as `/`. Where decoding would give no text or control characters, the path stays
  /// as it came; control characters that came as they are become percent-encoded, as browsers write them.
  static func of(_ url: String, _ source: Source) -> String {
    encodingControls(source == .url ? (url.isEmpty ? "/" : url) : path(of: url))
  }

  private static func path(of url: String) -> String {
    var rest = Array(url.utf8)[...]
    if let end = schemeEnd(rest) {
      rest = rest[end...].drop { $0 != UInt8(ascii: "/") && $0 != UInt8(ascii: "?") && $0 != UInt8(ascii: "#") }
      if rest.first != UInt8(ascii: "/") { return "/" }
    }
    let path = rest.prefix { $0 != UInt8(ascii: "?") && $0 != UInt8(ascii: "#") }
    if path.isEmpty { return "/" }
    guard let decoded = decode(path), !decoded.contains(where: isControl),
      let page = String(validating: decoded, as: UTF8.self)
    else { return String(decoding: path, as: UTF8.self) }
    return page
  }

  private static func isControl(_ byte: UInt8) -> Bool { byte < 0x20 || byte == 0x7F }

  private static func encodingControls(_ page: String) -> String {
    if !page.utf8.contains(where: isControl) { return page }
    var encoded: [UInt8] = []
    for byte in page.utf8 {
      if isControl(byte) {
        encoded += Array("%\(byte < 16 ? "0" : "")\(String(byte, radix: 16, uppercase: true))".utf8)
      } else {
        encoded.append(byte)
      }
    }
    return String(decoding: encoded, as: UTF8.self)
  }

  /// Behind `scheme://` (RFC 3986, section 3) or a leading `//`.
  private static func schemeEnd(_ url: ArraySlice<UInt8>) -> Int? {
    var place = url.startIndex
    if let first = url.first, first.isLetter {
      while place < url.endIndex, url[place].isLetter || url[place].isDigit || "+-.".utf8.contains(url[place]) {
        place += 1
      }
      guard place < url.endIndex, url[place] == UInt8(ascii: ":") else { return nil }
      place += 1
    }
    return url[place...].starts(with: "//".utf8) ? place + 2 : nil
  }

  private static func decode(_ path: ArraySlice<UInt8>) -> [UInt8]? {
    var decoded: [UInt8] = []
    var place = path.startIndex
    while place < path.endIndex {
      var byte = path[place]
      if byte == UInt8(ascii: "%") {
        guard place + 2 < path.endIndex, let high = path[place + 1].hexValue, let low = path[place + 2].hexValue else {
          return nil
        }
        byte = high << 4 | low
        place += 2
      }
      decoded.append(byte)
      place += 1
    }
    return decoded
  }
}
