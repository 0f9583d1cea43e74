import Bytes

extension LineReader {
  /// Reads any line, whatever it holds.
  @usableFromInline @inline(never)
  func readSlowly(_ bytes: PaddedBytes, at start: Int, into sample: inout Sample) -> Int {
    let lineFeed = Line(bytes: bytes, start: start, end: bytes.count).first(0x0A, from: start)
    let hasReturn = lineFeed > start && bytes[lineFeed - 1] == 0x0D
    let line = Line(bytes: bytes, start: start, end: hasReturn ? lineFeed - 1 : lineFeed)
    sample = Sample()
    sample.lineStart = start
    if line.start == line.end { return lineFeed + 1 }
    do throws(LineFault) {
      if line.end - start > Self.longestLine { throw LineFault(.tooLong, at: Self.longestLine) }
      if line.has("_e{", at: start) {
        try readEvent(line, &sample)
      } else if line.has("_sc|", at: start) {
        try readServiceCheck(line, &sample)
      } else {
        try readMetric(line, &sample)
      }
    } catch {
      sample.form = .refused
      sample.fault = error
    }
    return lineFeed + 1
  }

  private func readMetric(_ line: Line, _ sample: inout Sample) throws(LineFault) {
    let bytes = line.bytes
    // The line's LF or the sentinel bounds the scan; a CR before it is no separator.
    let colon = bytes.firstSeparator(from: line.start)
    if colon == line.start, bytes[colon] == UInt8(ascii: ":") { throw line.fault(.emptyName, at: colon) }
    guard bytes[colon] == UInt8(ascii: ":"), colon + 1 < line.end else {
      throw line.fault(.noValue, at: min(bytes[colon] == UInt8(ascii: ":") ? colon + 1 : colon, line.end))
    }
    let valueStart = colon + 1
    sample.form = .single
    sample.nameStart = line.start
    sample.nameEnd = colon
    sample.valueStart = valueStart

    var number = DecimalNumber()
    let numberEnd = number.read(bytes, from: valueStart)
    let pipe = line.first(UInt8(ascii: "|"), from: numberEnd)
    if pipe == line.end { throw line.fault(.badType, at: pipe) }
    sample.valueEnd = pipe
    var typeEnd = pipe + 1
    sample.kind = try MetricType.read(line, &typeEnd)
    if typeEnd < line.end, bytes[typeEnd] == UInt8(ascii: ":") {
      return try readPackedTypes(line, &sample)
    }
    if sample.kind == .set {
      try Self.requireMember(line, valueStart..<pipe)
    } else if numberEnd == pipe, numberEnd > valueStart, number.double.isFinite {
      sample.set(number)
      sample.isRelative = isDelta(sample.kind, beginningWith: bytes[valueStart])
    } else {
      try readValues(line, valueStart..<pipe, &sample)
    }
    try readSections(line, from: typeEnd, &sample)
  }

  /// Whether a number that begins so is added to its gauge.
  func isDelta(_ kind: SampleKind, beginningWith byte: UInt8) -> Bool {
    kind == .gauge && signedGaugesAreDeltas && (byte == UInt8(ascii: "-") || byte == UInt8(ascii: "+"))
  }

  static func requireMember(_ line: Line, _ member: Range<Int>) throws(LineFault) {
    if member.isEmpty { throw line.fault(.badValue, at: member.lowerBound) }
    try line.requireText(member, else: .badValue)
  }

  /// Values that are not one number: packed numbers, or a key.
  private func readValues(_ line: Line, _ values: Range<Int>, _ sample: inout Sample) throws(LineFault) {
    let isLone = line.first(UInt8(ascii: ":"), from: values.lowerBound) >= values.upperBound
    if !isLone {
      var packed = PackedNumbers(line.bytes, values)
      while packed.next() {}
      if packed.fault == nil {
        sample.form = .several
        return
      }
      if sample.kind != .counter || strict { throw line.fault(.badValue, at: packed.fault ?? values.lowerBound) }
    } else if sample.kind != .counter || strict || NumberLookalike.matches(line.bytes, values) {
      throw line.fault(.badValue, at: values.lowerBound)
    }
    try readKey(line, values, &sample)
  }

  /// `key` or `key:number`.
  private func readKey(_ line: Line, _ values: Range<Int>, _ sample: inout Sample) throws(LineFault) {
    var lastColon = values.upperBound - 1
    while lastColon > values.lowerBound, line.bytes[lastColon] != UInt8(ascii: ":") { lastColon -= 1 }
    var keyEnd = values.upperBound
    sample.set(whole: 1)
    if lastColon > values.lowerBound, let count = DecimalNumber(line.bytes, from: lastColon + 1, to: keyEnd) {
      sample.set(count)
      keyEnd = lastColon
    }
    // `a::1`: the last field is the count, and no key is left.
    if line.bytes[values.lowerBound] == UInt8(ascii: ":"), lastColon <= values.lowerBound {
      throw line.fault(.badValue, at: values.lowerBound)
    }
    sample.nameEnd = keyEnd
  }
}

/// The one or two letters behind the values.
enum MetricType {
  /// Reads the type at `place` and moves `place` behind it, where a `|`, a `:` or the line's end stands.
  static func read(_ line: Line, _ place: inout Int) throws(LineFault) -> SampleKind {
    let start = place
    let kind: SampleKind
    switch line.bytes[start] {
    case UInt8(ascii: "c"): kind = .counter
    case UInt8(ascii: "g"): kind = .gauge
    case UInt8(ascii: "h"): kind = .histogram
    case UInt8(ascii: "d"): kind = .distribution
    case UInt8(ascii: "s"): kind = .set
    case UInt8(ascii: "m") where line.bytes[start + 1] == UInt8(ascii: "s"):
      kind = .timer
      place += 1
    default: throw line.fault(.badType, at: start)
    }
    place += 1
    guard place == line.end || line.bytes[place] == UInt8(ascii: "|") || line.bytes[place] == UInt8(ascii: ":") else {
      throw line.fault(.badType, at: start)
    }
    return kind
  }
}

extension Sample {
  mutating func set(_ number: DecimalNumber) {
    isInteger = number.isInteger
    integer = number.integer
    double = number.double
  }

  mutating func set(whole number: Int64) {
    isInteger = true
    integer = number
    double = Double(number)
  }
}
