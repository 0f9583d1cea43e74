import Bytes

extension LineReader {
  /// Hands on the samples of a `.several` line, one by one and in order, each as `.single`.
  ///
  /// - Precondition: `sample` was read from `bytes` by this reader.
  /// - Complexity: O(length of the values), no allocation.
  package func forEachSample(in bytes: PaddedBytes, of sample: Sample, _ body: (Sample) -> Void) {
    var one = sample
    one.form = .single
    let line = Line(bytes: bytes, start: sample.lineStart, end: sample.valueEnd)
    if line.first(UInt8(ascii: "|"), from: sample.valueStart) < sample.valueEnd {
      var items = PackedTypes(line, from: sample.valueStart)
      // The line was read before, so that no item is at fault: what remains is the end.
      while (try? items.next(self, &one)) == true { body(one) }
    } else {
      var numbers = PackedNumbers(bytes, sample.valueStart..<sample.valueEnd)
      while numbers.next() {
        one.set(numbers.number)
        one.valueStart = numbers.start
        one.valueEnd = numbers.end
        body(one)
      }
    }
  }

  /// `a:1|c|@0.5:2|ms|@0.1:3|g`, the packing of old statsd: each value has its type and perhaps its rate, and no other section.
  func readPackedTypes(_ line: Line, _ sample: inout Sample) throws(LineFault) {
    sample.form = .several
    sample.valueEnd = line.end
    var items = PackedTypes(line, from: sample.valueStart)
    var item = sample
    while try items.next(self, &item) {}
  }
}

/// The numbers of `1:2:3`; empty items are skipped, but the first is a number.
struct PackedNumbers {
  private let bytes: PaddedBytes
  private let values: Range<Int>
  private var place: Int
  private(set) var number = DecimalNumber()
  /// Where the last number stood.
  private(set) var start = 0
  private(set) var end = 0
  /// Where an item stood that is no finite number.
  private(set) var fault: Int?

  init(_ bytes: PaddedBytes, _ values: Range<Int>) {
    self.bytes = bytes
    self.values = values
    place = values.lowerBound
  }

  /// Moves to the next number; false at the end or at a fault.
  mutating func next() -> Bool {
    while place > values.lowerBound, place < values.upperBound, bytes[place] == UInt8(ascii: ":") { place += 1 }
    if place >= values.upperBound && place > values.lowerBound { return false }
    start = place
    end = number.read(bytes, from: start)
    guard end > start, end == values.upperBound || bytes[end] == UInt8(ascii: ":"), number.double.isFinite else {
      fault = start
      return false
    }
    place = end + 1
    return true
  }
}

/// The items of `1|c|@0.5:2|ms`, each a value, its type, and perhaps its rate.
///
/// As etsy/statsd reads them: it cuts a line at every colon, and what stands between two is read alone. So no section is shared, and tags,
/// whose colons would cut as well, have no place.
struct PackedTypes {
  private let line: Line
  private var place: Int

  init(_ line: Line, from start: Int) {
    self.line = line
    place = start
  }

  /// Reads the next item into `sample`; false at the end.
  mutating func next(_ reader: LineReader, _ sample: inout Sample) throws(LineFault) -> Bool {
    if place > line.end { return false }
    let bytes = line.bytes
    let pipe = line.first(UInt8(ascii: "|"), from: place)
    if pipe == line.end { throw line.fault(.badType, at: pipe) }
    var end = pipe + 1
    sample.kind = try MetricType.read(line, &end)
    sample.valueStart = place
    sample.valueEnd = pipe
    sample.isRelative = false
    sample.rate = 1
    if sample.kind == .set {
      try LineReader.requireMember(line, place..<pipe)
    } else if let number = DecimalNumber(bytes, from: place, to: pipe) {
      sample.set(number)
      sample.isRelative = reader.isDelta(sample.kind, beginningWith: bytes[place])
    } else {
      throw line.fault(.badValue, at: place)
    }
    if end < line.end, bytes[end] == UInt8(ascii: "|") {
      let rate = end + 1
      guard bytes[rate] == UInt8(ascii: "@") else { throw line.fault(.malformed, at: rate) }
      (sample.rate, end) = try LineReader.readRate(line, at: rate)
      if end < line.end, bytes[end] == UInt8(ascii: "|") { throw line.fault(.malformed, at: end + 1) }
      guard end == line.end || bytes[end] == UInt8(ascii: ":") else { throw line.fault(.badRate, at: rate + 1) }
    }
    place = end + 1
    return true
  }
}
