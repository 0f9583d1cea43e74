import Bytes

extension LineReader {
  /// Reads the sections of a metric; `from` is behind the type, at a `|` or at the line's end.
  func readSections(_ line: Line, from: Int, _ sample: inout Sample) throws(LineFault) {
    var pipe = from
    var hasRate = false
    while pipe < line.end {
      let start = pipe + 1
      switch line.bytes[start] {
      case UInt8(ascii: "@"):
        let (rate, end) = try Self.readRate(line, at: start)
        guard end == line.end || line.bytes[end] == UInt8(ascii: "|") else {
          // The rate of the first of several values with types.
          if pipe == from, line.bytes[end] == UInt8(ascii: ":") { return try readPackedTypes(line, &sample) }
          throw line.fault(.badRate, at: start + 1)
        }
        if !hasRate { sample.rate = rate }
        hasRate = true
        pipe = end
      case UInt8(ascii: "T"):
        pipe = line.first(UInt8(ascii: "|"), from: start)
        let timestamp = try Self.readTimestamp(line, start + 1..<pipe)
        if sample.timestamp == Sample.noTimestamp { sample.timestamp = timestamp }
      default:
        pipe = try Self.readCommonSection(line, at: start, &sample)
      }
    }
  }

  /// Reads a section that metrics, events and service checks share: tags, origin, empty, or one that nobody knows yet.
  /// - Returns: where it ends.
  static func readCommonSection(_ line: Line, at start: Int, _ sample: inout Sample) throws(LineFault) -> Int {
    let end = line.first(UInt8(ascii: "|"), from: start)
    if start == end { return end }
    if line.bytes[start] == UInt8(ascii: "#") {
      if sample.tagsStart > 0 { throw line.fault(.badTags, at: start) }
      sample.tagsStart = start + 1
      sample.tagsEnd = end
    } else if line.first(UInt8(ascii: ":"), from: start) >= end {
      throw line.fault(.malformed, at: start)
    } else if !line.has("c:", at: start) && !line.has("e:", at: start) && !line.has("card:", at: start) {
      sample.skippedSections += 1
    }
    return end
  }

  /// The rate behind the `@` at `start`, and where it ends.
  static func readRate(_ line: Line, at start: Int) throws(LineFault) -> (rate: Double, end: Int) {
    var number = DecimalNumber()
    let end = number.read(line.bytes, from: start + 1)
    guard end > start + 1, number.double > 0, number.double.isFinite else { throw line.fault(.badRate, at: start + 1) }
    return (number.double, end)
  }

  /// Seconds since 1970: digits and nothing else.
  static func readTimestamp(_ line: Line, _ range: Range<Int>) throws(LineFault) -> Int64 {
    var seconds: Int64 = 0
    for place in range {
      let digit = line.bytes[place] &- UInt8(ascii: "0")
      let (tens, overflow) = seconds.multipliedReportingOverflow(by: 10)
      let (sum, carry) = tens.addingReportingOverflow(Int64(digit))
      if digit > 9 || overflow || carry { throw line.fault(.badTimestamp, at: range.lowerBound) }
      seconds = sum
    }
    if range.isEmpty { throw line.fault(.badTimestamp, at: range.lowerBound) }
    return seconds
  }
}
