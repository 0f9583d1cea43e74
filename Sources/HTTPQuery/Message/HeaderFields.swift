/// The header fields of a request, kept as the bytes that came, with a table of where each name and value lies.
///
///     storage  Host: localhost\r\nAccept: */*\r\n
///     fields   name 0..<4, value 6..<15; name 17..<23, value 25..<28
package struct HeaderFields: Sendable {
  /// One field line; offsets into `storage`, the value without the blanks around it.
  struct Field {
    var name: Range<Int>
    var value: Range<Int>
  }

  var storage: [UInt8] = []
  var fields: [Field] = []

  /// Field lines.
  package var count: Int { fields.count }

  /// The value of a field; of one that stands several times the values joined by ", " (RFC 9110, section 5.3). What is not UTF-8 is
  /// repaired.
  /// - Parameter name: in lower case; the request may have written it in any.
  /// - Complexity: O(fields).
  package subscript(name: String) -> String? {
    bytes(of: name).map { String(decoding: $0, as: UTF8.self) }
  }

  /// As the subscript, the bytes as they came.
  func bytes(of name: String) -> [UInt8]? {
    var found: [UInt8]?
    for field in fields where storage.span.extracting(field.name).equalsIgnoringCase(name) {
      if found == nil {
        found = Array(storage[field.value])
      } else {
        found?.append(contentsOf: [UInt8(ascii: ","), .space])
        found?.append(contentsOf: storage[field.value])
      }
    }
    return found
  }
}
