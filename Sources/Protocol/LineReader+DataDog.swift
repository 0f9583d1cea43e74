import Bytes

/// Events and service checks of DogStatsD (Datadog, "DogStatsD datagram format").
extension LineReader {
  /// `_e{<title length>,<text length>}:<title>|<text>|…`, lengths in bytes as they stand in the line.
  func readEvent(_ line: Line, _ sample: inout Sample) throws(LineFault) {
    let bytes = line.bytes
    var place = line.start + 3
    let titleLength = try Self.readLength(line, &place)
    guard bytes[place] == UInt8(ascii: ",") else { throw line.fault(.malformed, at: place) }
    place += 1
    let textLength = try Self.readLength(line, &place)
    guard line.has("}:", at: place) else { throw line.fault(.malformed, at: place) }
    let title = place + 2
    if titleLength == 0 { throw line.fault(.emptyName, at: title) }
    let text = title + titleLength + 1
    guard text <= line.end, bytes[text - 1] == UInt8(ascii: "|") else {
      throw line.fault(.malformed, at: min(text - 1, line.end))
    }
    let end = text + textLength
    guard end == line.end || end < line.end && bytes[end] == UInt8(ascii: "|") else {
      throw line.fault(.malformed, at: min(end, line.end))
    }
    try line.requireText(title..<text - 1, else: .badName)
    try line.requireText(text..<end, else: .badValue)
    sample.form = .single
    sample.kind = .event
    sample.nameStart = title
    sample.nameEnd = text - 1
    sample.valueStart = text
    sample.valueEnd = end
    sample.set(whole: 1)
    try readFields(line, from: end, &sample)
  }

  /// `_sc|<name>|<status>|…`, status 0 to 3: ok, warning, critical, unknown.
  func readServiceCheck(_ line: Line, _ sample: inout Sample) throws(LineFault) {
    let name = line.start + 4
    let nameEnd = line.first(UInt8(ascii: "|"), from: name)
    if name == nameEnd { throw line.fault(.emptyName, at: name) }
    if nameEnd == line.end { throw line.fault(.noValue, at: nameEnd) }
    try line.requireText(name..<nameEnd, else: .badName)
    let status = line.bytes[nameEnd + 1] &- UInt8(ascii: "0")
    let end = line.first(UInt8(ascii: "|"), from: nameEnd + 1)
    guard end == nameEnd + 2, status <= 3 else { throw line.fault(.badValue, at: nameEnd + 1) }
    sample.form = .single
    sample.kind = .serviceCheck
    sample.nameStart = name
    sample.nameEnd = nameEnd
    sample.valueStart = nameEnd + 1
    sample.valueEnd = end
    sample.set(whole: Int64(status))
    try readFields(line, from: end, &sample)
  }

  /// Reads the sections of an event or a service check; `from` is at a `|` or at the line's end.
  private func readFields(_ line: Line, from: Int, _ sample: inout Sample) throws(LineFault) {
    var pipe = from
    while pipe < line.end {
      let start = pipe + 1
      if line.has("d:", at: start) {
        pipe = line.first(UInt8(ascii: "|"), from: start)
        sample.timestamp = try Self.readTimestamp(line, start + 2..<pipe)
      } else if DataDogField(line, at: start, of: sample.kind) != nil {
        pipe = line.first(UInt8(ascii: "|"), from: start)
        try line.requireText(start..<pipe, else: .badValue)
      } else {
        pipe = try Self.readCommonSection(line, at: start, &sample)
      }
    }
  }

  private static func readLength(_ line: Line, _ place: inout Int) throws(LineFault) -> Int {
    let start = place
    var length = 0
    while case let digit = line.bytes[place] &- UInt8(ascii: "0"), digit <= 9 {
      length = min(length * 10 + Int(digit), LineReader.longestLine + 1)
      place += 1
    }
    if place == start { throw line.fault(.malformed, at: place) }
    return length
  }
}

/// A field of an event or a service check that is text.
enum DataDogField: CaseIterable {
  case hostname, aggregationKey, priority, sourceType, alertType, message

  /// The name under which `explain` shows it.
  var label: StaticString {
    switch self {
    case .hostname: "hostname"
    case .aggregationKey: "aggregation_key"
    case .priority: "priority"
    case .sourceType: "source_type"
    case .alertType: "alert_type"
    case .message: "message"
    }
  }

  /// The field whose section begins at `start`.
  init?(_ line: Line, at start: Int, of kind: SampleKind) {
    guard start + 1 < line.end, line.bytes[start + 1] == UInt8(ascii: ":") else { return nil }
    switch (line.bytes[start], kind) {
    case (UInt8(ascii: "h"), _): self = .hostname
    case (UInt8(ascii: "k"), .event): self = .aggregationKey
    case (UInt8(ascii: "p"), .event): self = .priority
    case (UInt8(ascii: "s"), .event): self = .sourceType
    case (UInt8(ascii: "t"), .event): self = .alertType
    case (UInt8(ascii: "m"), .serviceCheck): self = .message
    default: return nil
    }
  }
}
