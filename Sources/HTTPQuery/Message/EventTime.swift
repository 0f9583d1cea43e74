/// When a visit or purchase happened, as its sender or a proxy on the way tells in a header field.
///
/// The sender's own fields are asked first. `x-timestamp`, `timestamp`, `x-client-time`, `x-request-time`: ISO 8601, or seconds since 1970.
/// `x-request-start`, `x-queue-start`, `x-request-received`, `x-forwarded-start`: a number since 1970, perhaps behind `t=`, in seconds, ms or
/// µs by its magnitude, since proxies differ.
enum EventTime {
  /// The field's value is no time.
  struct Bad: Error {}

  private static let ofSenders = ["x-timestamp", "timestamp", "x-client-time", "x-request-time"]
  private static let ofProxies = ["x-request-start", "x-queue-start", "x-request-received", "x-forwarded-start"]

  /// Whole seconds since 1970 by the first field that is there; nil if none is.
  /// - Throws: `Bad` if that one says no time.
  static func read(_ headers: borrowing HeaderFields) throws(Bad) -> Int64? {
    // Most requests have none of them, and a glance at the names tells.
    guard headers.mayHaveEventTime else { return nil }
    for name in ofSenders {
      if let text = headers[name] { return try orBad(seconds(text) ?? iso8601(text)) }
    }
    for name in ofProxies {
      if let text = headers[name] { return try orBad(scaled(text)) }
    }
    return nil
  }

  private static func orBad(_ second: Int64?) throws(Bad) -> Int64 {
    guard let second else { throw Bad() }
    return second
  }

  /// A number of seconds, perhaps with a fraction.
  private static func seconds(_ text: String) -> Int64? {
    guard let number = decimal(text[...]), number < 1e11 else { return nil }
    return Int64(number)
  }

  private static func scaled(_ text: String) -> Int64? {
    guard let number = decimal(text.hasPrefix("t=") ? text.dropFirst(2) : text[...]), number < 1e17 else { return nil }
    // Seconds reach 1e11 in the year 5138, and 1e11 ms were in 1973.
    return Int64(number < 1e11 ? number : number < 1e14 ? number / 1e3 : number / 1e6)
  }

  private static func decimal(_ text: Substring) -> Double? {
    guard let first = text.utf8.first, first.isDigit, text.utf8.allSatisfy({ $0.isDigit || $0 == UInt8(ascii: ".") })
    else { return nil }
    return Double(text)
  }

  /// `2025-06-27T20:14:12Z`, `…12.5+02:00`, with a blank for the T; without a zone it is UTC.
  private static func iso8601(_ text: String) -> Int64? {
    let bytes = Array(text.utf8)
    func number(_ place: Int, _ digits: Int, _ range: ClosedRange<Int64>) -> Int64? {
      guard place + digits <= bytes.count, bytes[place..<place + digits].allSatisfy(\.isDigit) else { return nil }
      let value = bytes[place..<place + digits].reduce(0) { $0 * 10 + Int64($1 - UInt8(ascii: "0")) }
      return range.contains(value) ? value : nil
    }
    guard bytes.count >= 19, bytes[4] == UInt8(ascii: "-"), bytes[7] == UInt8(ascii: "-"),
      bytes[10] == UInt8(ascii: "T") || bytes[10] == UInt8(ascii: "t") || bytes[10] == .space,
      bytes[13] == UInt8(ascii: ":"), bytes[16] == UInt8(ascii: ":"),
      let year = number(0, 4, 1970...9999), let month = number(5, 2, 1...12), let day = number(8, 2, 1...31),
      let hour = number(11, 2, 0...23), let minute = number(14, 2, 0...59), let second = number(17, 2, 0...60)
    else { return nil }
    var place = 19
    if place < bytes.count, bytes[place] == UInt8(ascii: ".") {
      place += 1
      let start = place
      while place < bytes.count, bytes[place].isDigit { place += 1 }
      if place == start { return nil }
    }
    var offset: Int64 = 0
    if place < bytes.count, bytes[place] == UInt8(ascii: "+") || bytes[place] == UInt8(ascii: "-") {
      let colon = place + 3 < bytes.count && bytes[place + 3] == UInt8(ascii: ":") ? 1 : 0
      guard let hours = number(place + 1, 2, 0...23), let minutes = number(place + 3 + colon, 2, 0...59) else {
        return nil
      }
      offset = (hours * 60 + minutes) * 60 * (bytes[place] == UInt8(ascii: "-") ? -1 : 1)
      place += 5 + colon
    } else if place < bytes.count, bytes[place] == UInt8(ascii: "Z") || bytes[place] == UInt8(ascii: "z") {
      place += 1
    }
    if place != bytes.count { return nil }
    return days(year, month, day) * 86_400 + hour * 3_600 + minute * 60 + second - offset
  }

  /// Days from 1970-01-01 (Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms", days_from_civil).
  private static func days(_ year: Int64, _ month: Int64, _ day: Int64) -> Int64 {
    let year = month <= 2 ? year - 1 : year
    let era = year / 400
    let yearOfEra = year - era * 400
    let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
    return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
  }
}

extension HeaderFields {
  /// Whether a field's name begins like one that tells a time.
  fileprivate var mayHaveEventTime: Bool {
    for field in fields {
      let first = storage[field.name.lowerBound].lowercased
      if first == UInt8(ascii: "x") || first == UInt8(ascii: "t") { return true }
    }
    return false
  }
}
