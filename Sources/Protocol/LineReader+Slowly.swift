import Bytes

extension LineReader {
  /// Reads any line, whatever it holds.
  @inline(never)
  func readSlowly(_ bytes: PaddedBytes, at start: Int, into sample: inout Sample) -> Int {
    let separator = bytes.firstSeparator(from: start)
    let lineFeed = Line(bytes: bytes, start: start, end: bytes.count).first(0x0A, from: separator)
    let hasReturn = lineFeed > start && bytes[lineFeed - 1] == 0x0D
    let line = Line(bytes: bytes, start: start, end: hasReturn ? lineFeed - 1 : lineFeed)
    sample = Sample()
    sample.lineStart = start
    if line.start == line.end { return lineFeed + 1 }
    do throws(LineFault) {
      if line.end - start > Self.longestLine { throw LineFault(.tooLong, at: Self.longestLine) }
      if bytes[start] == UInt8(ascii: "_"), line.has("_e{", at: start) {
        try readEvent(line, &sample)
      } else if bytes[start] == UInt8(ascii: "_"), line.has("_sc|", at: start) {
        try readServiceCheck(line, &sample)
      } else {
        try readMetric(line, separator: separator, &sample)
      }
    } catch {
      sample.form = .refused
      sample.fault = error
    }
    return lineFeed + 1
  }

  @inline(__always)
  private func readMetric(_ line: Line, separator: Int, _ sample: inout Sample) throws(LineFault) {
    let bytes = line.bytes
    guard bytes[separator] == UInt8(ascii: ":") else { throw line.fault(.noValue, at: min(separator, line.end)) }
    let colon = separator
    if colon == line.start { throw line.fault(.emptyName, at: colon) }
    if colon + 1 == line.end { throw line.fault(.noValue, at: line.end) }
    let valueStart = colon + 1
    sample.form = .single
    sample.nameStart = line.start
    sample.nameEnd = colon
    sample.valueStart = valueStart

    var number = DecimalNumber()
    let numberEnd = number.read(bytes, from: valueStart)
    let pipe = bytes[numberEnd] == UInt8(ascii: "|") ? numberEnd : line.first(UInt8(ascii: "|"), from: numberEnd)
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
  @inlinable @inline(__always)
  func isDelta(_ kind: SampleKind, beginningWith byte: UInt8) -> Bool {
    kind == .gauge && signedGaugesAreDeltas && (byte == UInt8(ascii: "-") || byte == UInt8(ascii: "+"))
  }

  static func requireMember(_ line: Line, _ member: Range<Int>) throws(LineFault) {
    if member.isEmpty { throw line.fault(.badValue, at: member.lowerBound) }
    try line.requireText(member, else: .badValue)
  }

  /// Values that are not one number: packed numbers, or a key.
  private func readValues(_ line: Line, _ values: Range<Int>, _ sample: inout Sample) throws(LineFault) {
    let start = values.lowerBound
    let mayBeKey = sample.kind == .counter && !strict
    if line.first(UInt8(ascii: ":"), from: start) >= values.upperBound {
      let isKey =
        mayBeKey
        && (Self.isKey(beginningWith: line.bytes[start], length: values.count)
          || !NumberLookalike.matches(line.bytes, values))
      guard isKey else { throw line.fault(.badValue, at: start) }
      sample.set(whole: 1)
      sample.nameEnd = values.upperBound
      return
    }
    var packed = PackedNumbers(line.bytes, values)
    while packed.next() {}
    if let fault = packed.fault {
      guard mayBeKey, !NumberLookalike.matchesAll(line.bytes, fault..<values.upperBound) else {
        throw line.fault(.badValue, at: fault)
      }
      readKey(line, values, &sample)
    } else {
      sample.form = .several
    }
  }

  /// `key:number`, or a key with colons.
  private func readKey(_ line: Line, _ values: Range<Int>, _ sample: inout Sample) {
    var lastColon = values.upperBound - 1
    while line.bytes[lastColon] != UInt8(ascii: ":") { lastColon -= 1 }
    sample.set(whole: 1)
    sample.nameEnd = values.upperBound
    if let count = DecimalNumber(line.bytes, from: lastColon + 1, to: values.upperBound) {
      sample.set(count)
      sample.nameEnd = lastColon
    }
  }
}

extension PaddedBytes {
  /// The first `:`, `|` or LF at or after `start`; the sentinel is one, so there is one.
  func firstSeparator(from start: Int) -> Int {
    var place = start
    while true {
      let mask = SeparatorWindow(self, from: place).all
      if mask != 0 { return place &+ mask.trailingZeroBitCount }
      place &+= 32
    }
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
