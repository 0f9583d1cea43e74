import Bytes

/// What a line of the usual shape says: one value of any kind, perhaps a rate, perhaps tags, in this order.
///
///     name:12.5|ms|@0.5|#env:prod,host:web1
///     name:-3|g   name:alice|s|#env:prod   name:key:5|c
///
/// Small, and made where it is used up: as a `Sample` it would be written to memory and read again.
@frozen @usableFromInline
package struct UsualLine {
  @usableFromInline package var kind: SampleKind
  /// The gauge's value is added to what it was.
  @usableFromInline package var isRelative = false
  /// The value, of which it is not always known whether it is whole.
  @usableFromInline package var number = DecimalNumber()
  @usableFromInline package var rate = 1.0
  /// The name, with its key, begins with the line.
  @usableFromInline package var nameEnd: Int
  /// What stands after `|#`; both 0 if there is none.
  @usableFromInline package var tagsStart = 0
  @usableFromInline package var tagsEnd = 0
  /// A set's member.
  @usableFromInline package var valueStart: Int
  @usableFromInline package var valueEnd: Int
  /// Where the next line begins.
  @usableFromInline package var next: Int

  @inlinable @inline(__always)
  init(kind: SampleKind, nameEnd: Int, valueStart: Int, valueEnd: Int, next: Int) {
    self.kind = kind
    self.nameEnd = nameEnd
    self.valueStart = valueStart
    self.valueEnd = valueEnd
    self.next = next
  }

  /// What a line of another shape says that holds one sample.
  package init(_ sample: Sample) {
    kind = sample.kind
    isRelative = sample.isRelative
    number.isInteger = sample.isInteger
    number.integer = sample.integer
    number.double = sample.double
    rate = sample.rate
    nameEnd = sample.nameEnd
    tagsStart = sample.tagsStart
    tagsEnd = sample.tagsEnd
    valueStart = sample.valueStart
    valueEnd = sample.valueEnd
    next = 0
  }
}

extension LineReader {
  /// Reads the line that begins at `start`, whatever it holds.
  /// - Parameter window: the separators from `start`.
  /// - Precondition: `start < bytes.count`.
  /// - Returns: where the next line begins; beyond `bytes.count` if this one had no LF of its own.
  package func read(_ bytes: PaddedBytes, at start: Int, _ window: SeparatorWindow, into sample: inout Sample) -> Int {
    guard let line = readUsual(bytes, at: start, window) else { return readSlowly(bytes, at: start, into: &sample) }
    sample = Sample()
    sample.form = .single
    sample.kind = line.kind
    sample.isRelative = line.isRelative
    sample.set(line.number.settled)
    sample.rate = line.rate
    sample.lineStart = start
    sample.nameStart = start
    sample.nameEnd = line.nameEnd
    sample.tagsStart = line.tagsStart
    sample.tagsEnd = line.tagsEnd
    sample.valueStart = line.valueStart
    sample.valueEnd = line.valueEnd
    return line.next
  }

  /// The same for a caller that has not looked for separators yet.
  package func read(_ bytes: PaddedBytes, at start: Int, into sample: inout Sample) -> Int {
    read(bytes, at: start, SeparatorWindow(bytes, from: start), into: &sample)
  }

  /// Reads the line that begins at `start` if it is of the usual shape and sound.
  ///
  /// None is read otherwise than `readSlowly` reads it, which gets all others, those included that are refused.
  /// - Parameter window: the separators from `start`.
  @inlinable @inline(__always)
  package func readUsual(_ bytes: PaddedBytes, at start: Int, _ window: SeparatorWindow) -> UsualLine? {
    var scan = SeparatorScan(bytes, from: start, window)
    let colon = scan.nextSeparator()
    if bytes[colon] != UInt8(ascii: ":") || colon == start || bytes[start] == UInt8(ascii: "_") { return nil }
    let pipe = scan.nextEnd()
    let tail = bytes.word(at: pipe)
    guard tail & 0xFF == UInt64(UInt8(ascii: "|")), let kind = Self.usualKind(tail) else { return nil }
    let end = pipe &+ (kind == .timer ? 3 : 2)
    var line = UsualLine(kind: kind, nameEnd: colon, valueStart: colon &+ 1, valueEnd: pipe, next: end &+ 1)
    if kind == .set {
      if pipe == line.valueStart || !bytes.isText(from: line.valueStart, to: pipe) { return nil }
    } else if let number = DecimalNumber(shortFrom: bytes, line.valueStart, pipe) {
      line.number = number
      line.isRelative = isDelta(kind, beginningWith: bytes[line.valueStart])
    } else {
      let keyed = kind == .counter ? keyed(bytes, line.valueStart, pipe) : KeyedCount()
      if keyed.nameEnd == 0 { return nil }
      line.nameEnd = keyed.nameEnd
      line.number = keyed.count
    }
    if bytes[end] != UInt8(ascii: "\n") {
      let sections = Self.usualSections(bytes, from: end)
      if sections.end == 0 { return nil }
      line.rate = sections.rate
      line.tagsStart = sections.tagsStart
      line.tagsEnd = sections.tagsEnd
      line.next = sections.end &+ 1
    }
    return line.next &- start <= Self.longestLine &+ 1 ? line : nil
  }

  /// The kind that stands behind the first byte of `tail`, if it may be one; what stands behind it is not looked at.
  ///
  /// A branch for each kind would be guessed wrong as often as kinds change from line to line.
  @inlinable @inline(__always)
  static func usualKind(_ tail: UInt64) -> SampleKind? {
    // By half the letter's code: c g m h d s are at 1, 3, 6, 4, 2, 9.
    let kinds: UInt64 = 0x6666_6656_6263_1406
    // By kind: counter, gauge, timer, histogram, distribution, set; of what stands for none one whose place is taken.
    let letters: UInt64 = 0x63_7364_686D_6763
    let letter = (tail &>> 8) & 0xFF
    let kind = (kinds &>> ((letter &<< 1) & 0x3C)) & 0xF
    if (letters &>> (kind &* 8)) & 0xFF != letter { return nil }
    if kind == UInt64(SampleKind.timer.rawValue), (tail &>> 16) & 0xFF != UInt64(UInt8(ascii: "s")) { return nil }
    // Safe: a kind is its raw value, and this one is at most 5.
    return unsafe unsafeBitCast(UInt8(truncatingIfNeeded: kind), to: SampleKind.self)
  }

  /// A key's end and its count; `nameEnd` is 0 if there is none.
  @frozen @usableFromInline
  struct KeyedCount {
    @usableFromInline var nameEnd = 0
    @usableFromInline var count = DecimalNumber()

    @inlinable
    init() {}
  }

  /// Reads a key, or a key and its count, of which the first byte tells that it is no number and no number gone wrong.
  @inline(never) @usableFromInline
  func keyed(_ bytes: PaddedBytes, _ start: Int, _ end: Int) -> KeyedCount {
    var keyed = KeyedCount()
    if strict || bytes[start] <= UInt8(ascii: ":") { return keyed }
    var colon = start
    while colon < end, bytes[colon] != UInt8(ascii: ":") { colon &+= 1 }
    if !Self.isKey(beginningWith: bytes[start], length: colon &- start) { return keyed }
    if colon == end {
      keyed.count = DecimalNumber(whole: 1)
    } else if let count = DecimalNumber(shortFrom: bytes, colon &+ 1, end) {
      keyed.count = count
    } else {
      return keyed
    }
    keyed.nameEnd = colon
    return keyed
  }

  /// Rate and tags; `end` is the place of the line's LF, or 0 if it is not of the usual shape.
  @frozen @usableFromInline
  struct UsualSections {
    @usableFromInline var rate = 1.0
    @usableFromInline var tagsStart = 0
    @usableFromInline var tagsEnd = 0
    @usableFromInline var end = 0
  }

  /// Reads what stands behind the type.
  @inline(never) @usableFromInline
  static func usualSections(_ bytes: PaddedBytes, from pipe: Int) -> UsualSections {
    var sections = UsualSections()
    if bytes[pipe] != UInt8(ascii: "|") { return sections }
    var end = pipe
    if bytes[end &+ 1] == UInt8(ascii: "@") {
      let start = end &+ 2
      end = bytes.end(from: start)
      guard let rate = DecimalNumber(shortFrom: bytes, start, end), rate.double > 0 else { return sections }
      sections.rate = rate.double
    }
    if bytes[end] == UInt8(ascii: "|"), bytes[end &+ 1] == UInt8(ascii: "#") {
      sections.tagsStart = end &+ 2
      end = bytes.end(from: end &+ 2)
      sections.tagsEnd = end
      if bytes[end &- 1] == UInt8(ascii: "\r") { return sections }
    }
    if bytes[end] == UInt8(ascii: "\n") { sections.end = end }
    return sections
  }
}

extension DecimalNumber {
  /// The same number, whole if it is.
  var settled: DecimalNumber {
    if isInteger || double.magnitude >= 0x1p53 { return self }
    let whole = Int64(double)
    return Double(whole) == double ? DecimalNumber(whole: whole) : self
  }
}
