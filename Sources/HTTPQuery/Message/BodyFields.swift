import Bytes

/// The fields of a JSON body, read one by one by pydantic's rules; what is wrong with them is collected, so that one answer names all of
/// it in the order of asking.
///
/// The rules are those of pydantic 2 as FastAPI applies them: a text is a string and nothing else; a whole number may also be written as a
/// number without a fraction, as a string that reads as one, or as a truth value.
struct BodyFields {
  private let members: [String: JSONValue]
  private(set) var faults: [InputFault] = []

  /// The answer to faults, if there are any.
  var refusal: Response? { faults.isEmpty ? nil : .invalid(faults) }

  enum Reading {
    case fields(BodyFields)
    case refused(Response)
  }

  /// The fields of a request's body; 422 for no body, one that is no JSON or no object, or of a type that is not JSON; 400 for what is not
  /// UTF-8.
  static func read(_ request: Request) -> Reading {
    if request.body.isEmpty {
      return .refused(
        .invalid([InputFault("missing", at: [.name("body")], message: "Field required", input: .null)]))
    }
    guard let text = String(validating: request.body, as: UTF8.self) else {
      return .refused(.fault(.badRequest, "There was an error parsing the body"))
    }
    // What does not say that it is JSON is a text, as FastAPI takes it, so that a page elsewhere cannot write with a plain form.
    if !isJSON(request.headers["content-type"]) { return .refused(noObject(.string(text))) }
    switch decode(request.body) {
    case .object(let members)?: return .fields(BodyFields(members: members))
    case let value?: return .refused(noObject(value))
    case nil: return .refused(invalid(request.body))
    }
  }

  private init(members: [String: JSONValue]) { self.members = members }

  private static func noObject(_ value: JSONValue) -> Response {
    .invalid([
      InputFault(
        "model_attributes_type", at: [.name("body")],
        message: "Input should be a valid dictionary or object to extract fields from", input: value)
    ])
  }

  /// `application/json`, or a type with that syntax (RFC 6839, section 3.1), whatever its parameters.
  private static func isJSON(_ contentType: String?) -> Bool {
    guard let type = contentType?.prefix(while: { $0 != ";" && $0 != " " }).lowercased() else { return false }
    return type == "application/json" || type.hasPrefix("application/") && type.hasSuffix("+json")
  }

  private static func decode(_ body: [UInt8]) -> JSONValue? {
    JSONSyntax.fault(in: body) == nil ? JSONValue(body) : nil
  }

  private static func invalid(_ body: [UInt8]) -> Response {
    let fault = JSONSyntax.fault(in: body) ?? .init(place: 0, message: "Expecting value")
    // Python counts characters.
    let place = body[..<fault.place].count { $0 & 0xC0 != 0x80 }
    var answer = InputFault(
      "json_invalid", at: [.name("body"), .index(place)], message: "JSON decode error", input: .object([:]))
    answer.context = ("error", .string("\(fault.message)"))
    return .invalid([answer])
  }

  // MARK: Fields

  /// A text that must be there; empty if it is not, or is none.
  /// - Parameter longest: in characters.
  mutating func text(_ name: String, longest: Int = .max) -> String {
    guard let value = members[name] else {
      missing(name)
      return ""
    }
    let text = string(value, name)
    if text.utf8.count > longest, text.unicodeScalars.count > longest {
      faults.append(.tooLong(text, longest, at: [.name("body"), .name(name)]))
    }
    return text
  }

  /// A text that may be missing or null.
  mutating func optionalText(_ name: String) -> String? {
    guard let value = members[name], value != .null else { return nil }
    return string(value, name)
  }

  /// A whole number of 64 bits that must be there; 0 if it is not, or is none.
  /// - Parameter bound: it must be greater than this.
  mutating func integer(_ name: String, above bound: Int64? = nil) -> Int64 {
    guard let value = members[name] else {
      missing(name)
      return 0
    }
    let number: Int64
    switch Self.integer(value) {
    case .whole(let found): number = found
    case .fault(let type, let message):
      refuse(type, name, message, value)
      return 0
    }
    if let bound, number <= bound {
      refuse("greater_than", name, "Input should be greater than \(bound)", value, context: ("gt", .integer(bound)))
    }
    return number
  }

  mutating func refuse(
    _ type: StaticString, _ name: String, _ message: String, _ value: JSONValue,
    context: (name: StaticString, value: JSONValue)? = nil
  ) {
    var fault = InputFault(type, at: [.name("body"), .name(name)], message: message, input: value)
    fault.context = context
    faults.append(fault)
  }

  private mutating func missing(_ name: String) {
    refuse("missing", name, "Field required", .object(members))
  }

  private mutating func string(_ value: JSONValue, _ name: String) -> String {
    if case .string(let text) = value { return text }
    refuse("string_type", name, "Input should be a valid string", value)
    return ""
  }

  private enum Number {
    case whole(Int64)
    case fault(StaticString, String)

    static let tooLarge = fault(
      "int_parsing_size", "Unable to parse input string as an integer, exceeded maximum size")
  }

  private static func integer(_ value: JSONValue) -> Number {
    switch value {
    case .integer(let number): .whole(number)
    case .bool(let bool): .whole(bool ? 1 : 0)
    case .string(let text): integer(text)
    case .number(let number) where number.magnitude >= 0x1p63: .tooLarge
    case .number(let number):
      if let whole = Int64(exactly: number) {
        .whole(whole)
      } else {
        .fault("int_from_float", "Input should be a valid integer, got a number with a fractional part")
      }
    case .null, .array, .object: .fault("int_type", "Input should be a valid integer")
    }
  }

  /// Blanks around it, a sign, `_` between digits, and `.0` behind them may stand there.
  private static func integer(_ text: String) -> Number {
    let refused = Number.fault(
      "int_parsing", "Input should be a valid integer, unable to parse string as an integer")
    var digits = Array(text.utf8)[...]
    while let first = digits.first, first.isBlank || 0x0A...0x0D ~= first { digits.removeFirst() }
    while let last = digits.last, last.isBlank || 0x0A...0x0D ~= last { digits.removeLast() }
    if let point = digits.firstIndex(of: UInt8(ascii: ".")) {
      guard point + 1 < digits.endIndex, digits[(point + 1)...].allSatisfy({ $0 == UInt8(ascii: "0") }) else {
        return refused
      }
      digits = digits[..<point]
    }
    var sign: [UInt8] = []
    if let first = digits.first, first == UInt8(ascii: "-") || first == UInt8(ascii: "+") {
      sign = [first]
      digits.removeFirst()
    }
    let groups = digits.split(separator: UInt8(ascii: "_"), omittingEmptySubsequences: false)
    guard groups.allSatisfy({ !$0.isEmpty && $0.allSatisfy(\.isDigit) }) else { return refused }
    return Int64(String(decoding: sign + groups.joined(), as: UTF8.self)).map { .whole($0) } ?? .tooLarge
  }
}

extension InputFault {
  /// A text of more characters than there may be.
  static func tooLong(_ text: String, _ longest: Int, at location: [Step]) -> InputFault {
    var fault = InputFault(
      "string_too_long", at: location, message: "String should have at most \(longest) characters", input: .string(text)
    )
    fault.context = ("max_length", .integer(Int64(longest)))
    return fault
  }

  init(_ type: StaticString, at location: [Step], message: String, input: JSONValue) {
    self.init(type, at: location, message: message, input: input.text.text)
  }
}
