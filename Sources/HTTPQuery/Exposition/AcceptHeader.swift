/// What a client would like to be answered with (RFC 9110, section 12.5.1).
///
///     application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6 , text/plain;version=0.0.4;q=0.3 , */*;q=0.2
///     type        /subtype        parameters                          weight
///
/// A range that is no `type/subtype`, or whose weight is no number from 0 to 1, counts for nothing.
package struct AcceptHeader: Sendable {
  /// One of the ranges, in lower case, with the parameters that a choice depends on.
  struct MediaRange: Equatable {
    var type = ""
    var subtype = ""
    var version: String?
    var escaping: String?
    /// Thousandths, 0 (not this) to 1000.
    var weight = 1_000
  }

  /// In the order that they stand in.
  let ranges: [MediaRange]

  init(_ value: [UInt8]) {
    var reader = ParameterReader(value)
    var ranges: [MediaRange] = []
    while let parts = reader.nextElement() {
      if let range = Self.range(parts) { ranges.append(range) }
    }
    self.ranges = ranges
  }

  /// Whether HTML is asked for by name, as browsers do and `curl` does not.
  package var wantsHTML: Bool {
    ranges.contains { $0.type == "text" && $0.subtype == "html" && $0.weight > 0 }
  }

  private static func range(_ parts: [[UInt8]]) -> MediaRange? {
    var range = MediaRange()
    for (place, part) in parts.enumerated() {
      let separator = place == 0 ? UInt8(ascii: "/") : UInt8(ascii: "=")
      guard let middle = part.firstIndex(of: separator) else {
        if place == 0 { return nil }
        continue
      }
      let name = String(decoding: part[..<middle], as: UTF8.self)
      let value = String(decoding: part[(middle + 1)...], as: UTF8.self)
      switch name {
      case _ where place == 0: (range.type, range.subtype) = (name, value)
      case "version": range.version = value
      case "escaping": range.escaping = value
      case "q":
        guard let weight = thousandths(part[(middle + 1)...]) else { return nil }
        range.weight = weight
      default: break
      }
    }
    return range.type.isEmpty || range.subtype.isEmpty ? nil : range
  }

  /// `0[.ddd]` or `1[.000]`; digits past the third are dropped.
  private static func thousandths(_ text: ArraySlice<UInt8>) -> Int? {
    guard let first = text.first, first == UInt8(ascii: "0") || first == UInt8(ascii: "1") else { return nil }
    var weight = Int(first - UInt8(ascii: "0")) * 1_000
    var place = 100
    for (index, byte) in text.dropFirst().enumerated() {
      if index == 0 {
        if byte != UInt8(ascii: ".") { return nil }
      } else {
        if !byte.isDigit { return nil }
        weight += Int(byte - UInt8(ascii: "0")) * place
        place /= 10
      }
    }
    return weight > 1_000 ? nil : weight
  }
}

/// Cuts a field value into elements between commas and each into parts between semicolons, with the blanks around them and around
/// `=` gone, letters in lower case, and quoted strings undone (RFC 9110, section 5.6).
private struct ParameterReader {
  private let bytes: [UInt8]
  private var place = 0

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  /// The parts of the next element, or nil at the end.
  mutating func nextElement() -> [[UInt8]]? {
    if place >= bytes.count { return nil }
    var parts: [[UInt8]] = [[]]
    var isQuoted = false
    while place < bytes.count {
      var byte = bytes[place]
      place += 1
      if byte == UInt8(ascii: "\"") {
        isQuoted.toggle()
        continue
      }
      if isQuoted {
        if byte == UInt8(ascii: "\\"), place < bytes.count {
          byte = bytes[place]
          place += 1
        }
      } else if byte == UInt8(ascii: ",") {
        return parts
      } else if byte == UInt8(ascii: ";") {
        parts.append([])
        continue
      } else if byte.isBlank {
        continue
      }
      parts[parts.count - 1].append(byte.lowercased)
    }
    return parts
  }
}
