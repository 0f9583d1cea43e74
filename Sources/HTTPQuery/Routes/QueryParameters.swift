import Bytes

/// A request's query parameters, read one by one; what is wrong with them is collected, so that one answer names all of it.
struct QueryParameters {
  private let request: Request
  private(set) var faults: [InputFault] = []

  init(_ request: Request) { self.request = request }

  /// The answer to faults, if there are any.
  var refusal: Response? { faults.isEmpty ? nil : .invalid(faults) }

  /// A whole number within `range`.
  mutating func integer(_ name: String, default standard: Int, in range: ClosedRange<Int>) -> Int {
    guard let text = request.parameter(name) else { return standard }
    guard let number = Int(String(decoding: text, as: UTF8.self)) else {
      refuse("int_parsing", name, "Input should be a valid integer, unable to parse string as an integer", text)
      return standard
    }
    if number < range.lowerBound {
      refuse("greater_than_equal", name, "Input should be greater than or equal to \(range.lowerBound)", text)
    } else if number > range.upperBound {
      refuse("less_than_equal", name, "Input should be less than or equal to \(range.upperBound)", text)
    }
    return number
  }

  /// A number within `range`.
  mutating func number(_ name: String, default standard: Double, in range: ClosedRange<Double>) -> Double {
    guard let text = request.parameter(name) else { return standard }
    // `Double` would read `0x10` and `nan` as well.
    guard text.allSatisfy({ "0123456789.+-eE".utf8.contains($0) }),
      let number = Double(String(decoding: text, as: UTF8.self))
    else {
      refuse("float_parsing", name, "Input should be a valid number, unable to parse string as a number", text)
      return standard
    }
    if number < range.lowerBound {
      refuse("greater_than_equal", name, "Input should be greater than or equal to \(plain(range.lowerBound))", text)
    } else if number > range.upperBound {
      refuse("less_than_equal", name, "Input should be less than or equal to \(plain(range.upperBound))", text)
    }
    return range.contains(number) ? number : standard
  }

  private func plain(_ number: Double) -> String {
    Int(exactly: number).map { "\($0)" } ?? "\(number)"
  }

  /// One of some words; the first stands for none.
  mutating func word(_ name: String, of words: [String]) -> String {
    guard let text = request.parameter(name) else { return words[0] }
    let word = String(decoding: text, as: UTF8.self)
    if words.contains(word) { return word }
    let choice = words.map { "'\($0)'" }
    refuse(
      "literal_error", name,
      "Input should be \(choice.dropLast().joined(separator: ", ")) or \(choice[choice.count - 1])", text)
    return words[0]
  }

  /// A pattern; nil if there is none.
  mutating func glob(_ name: String) -> Glob? {
    guard let text = request.parameter(name) else { return nil }
    return pattern(text, in: text, name)
  }

  /// All `match=label:glob`.
  mutating func labelMatches() -> [SeriesFilter.LabelMatch] {
    var matches: [SeriesFilter.LabelMatch] = []
    for pair in request.query where pair.name == "match" {
      guard let colon = pair.value.firstIndex(of: UInt8(ascii: ":")), colon > 0 else {
        refuse("value_error", "match", "Value error, a match is label:glob", pair.value)
        continue
      }
      if let glob = pattern(Array(pair.value[(colon + 1)...]), in: pair.value, "match") {
        matches.append(.init(label: Array(pair.value[..<colon]), glob: glob))
      }
    }
    return matches
  }

  /// A text; nil if there is none.
  func text(_ name: String) -> [UInt8]? { request.parameter(name) }

  /// Notes that a parameter is needed and not there.
  mutating func miss(_ name: String) { faults.append(.missing(query: name)) }

  mutating func refuse(_ type: StaticString, _ name: String, _ message: String, _ text: [UInt8]) {
    faults.append(InputFault(type, query: name, message: message, input: text))
  }

  private mutating func pattern(_ text: [UInt8], in whole: [UInt8], _ name: String) -> Glob? {
    if let glob = Glob(text) { return glob }
    refuse("string_too_long", name, "String should have at most \(Glob.longest) characters", whole)
    return nil
  }
}

extension InputFault {
  /// A query parameter that is needed and not there.
  static func missing(query name: String) -> InputFault {
    var input = ByteWriter()
    input.append("null" as StaticString)
    return InputFault("missing", at: [.name("query"), .name(name)], message: "Field required", input: input)
  }
}
