import FoundationEssentials

/// A JSON text that came in, decoded.
enum JSONValue: Equatable, Sendable {
  case null
  case bool(Bool)
  case integer(Int64)
  /// A number with a fraction, or one that 64 bits do not hold.
  case number(Double)
  case string(String)
  case array([JSONValue])
  case object([String: JSONValue])

  /// - Parameter bytes: UTF-8 that has passed `JSONSyntax`.
  /// - Returns: nil for what the decoder does not take all the same: half of a surrogate pair, a number beyond all doubles.
  init?(_ bytes: [UInt8]) {
    guard let value = try? JSONDecoder().decode(JSONValue.self, from: Data(bytes)) else { return nil }
    self = value
  }

  /// Writes it as JSON; the members of objects by their names.
  func write(to json: inout JSONWriter) {
    switch self {
    case .null: json.null()
    case .bool(let value): json.bool(value)
    case .integer(let value): json.number(value)
    case .number(let value): json.number(value)
    case .string(let value): json.string(value)
    case .array(let values): json.array { json in for value in values { value.write(to: &json) } }
    case .object(let members):
      json.object { json in
        for name in members.keys.sorted() {
          json.key(name.utf8)
          members[name]?.write(to: &json)
        }
      }
    }
  }

  /// As JSON.
  var text: JSONWriter {
    var json = JSONWriter(capacity: 64)
    write(to: &json)
    return json
  }
}

extension JSONValue: Decodable {
  init(from decoder: any Decoder) throws {
    // What comes most is asked for first, since each question in vain costs an error made and dropped.
    if let members = try? [String: JSONValue](from: decoder) {
      self = .object(members)
      return
    }
    let value = try decoder.singleValueContainer()
    if let text = try? value.decode(String.self) {
      self = .string(text)
    } else if let number = try? value.decode(Int64.self) {
      self = .integer(number)
    } else if value.decodeNil() {
      self = .null
    } else if let bool = try? value.decode(Bool.self) {
      self = .bool(bool)
    } else if let number = try? value.decode(Double.self) {
      self = .number(number)
    } else {
      self = .array(try value.decode([JSONValue].self))
    }
  }
}
