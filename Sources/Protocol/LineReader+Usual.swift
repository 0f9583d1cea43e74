import Bytes

extension LineReader {
  /// Reads the line that begins at `start`, whatever it holds.
  ///
  /// Lines of the usual shape are read here: one value of any kind, perhaps a rate, perhaps tags, in this order.
  ///
  ///     name:12.5|ms|@0.5|#env:prod,host:web1
  ///     name:-3|g   name:alice|s|#env:prod   name:key:5|c
  ///
  /// Of these it reads none otherwise than `readSlowly`, which gets all others, those included that are refused.
  /// - Parameter window: the separators from `start`.
  /// - Precondition: `start < bytes.count`.
  /// - Returns: where the next line begins; beyond `bytes.count` if this one had no LF of its own.
  package func read(_ bytes: PaddedBytes, at start: Int, _ window: SeparatorWindow, into sample: inout Sample) -> Int {
    var scan = SeparatorScan(bytes, from: start, window)
    let colon = scan.nextSeparator()
    if bytes[colon] == UInt8(ascii: ":"), colon > start, bytes[start] != UInt8(ascii: "_") {
      let pipe = scan.nextEnd()
      if bytes[pipe] == UInt8(ascii: "|") {
        sample = Sample()
        sample.form = .single
        sample.lineStart = start
        sample.nameStart = start
        sample.nameEnd = colon
        sample.valueStart = colon &+ 1
        sample.valueEnd = pipe
        if takeValue(bytes, &sample) {
          let end = scan.nextEnd()
          // What stands between the two is the type, whose first letter was looked at.
          if end &- pipe == (sample.kind == .timer ? 3 : 2) {
            if bytes[end] == UInt8(ascii: "\n"), end &- start <= Self.longestLine { return end &+ 1 }
            if let next = Self.takeSections(bytes, from: end, &sample) { return next }
          }
        }
      }
    }
    return readSlowly(bytes, at: start, into: &sample)
  }

  /// The same for a caller that has not looked for separators yet.
  package func read(_ bytes: PaddedBytes, at start: Int, into sample: inout Sample) -> Int {
    read(bytes, at: start, SeparatorWindow(bytes, from: start), into: &sample)
  }

  /// Reads type and value, the place of which is known.
  /// - Returns: false if the line is not of the usual shape.
  @inline(__always)
  private func takeValue(_ bytes: PaddedBytes, _ sample: inout Sample) -> Bool {
    let start = sample.valueStart
    let pipe = sample.valueEnd
    let kind: SampleKind
    switch bytes[pipe &+ 1] {
    case UInt8(ascii: "c"): kind = .counter
    case UInt8(ascii: "m"):
      if bytes[pipe &+ 2] != UInt8(ascii: "s") { return false }
      kind = .timer
    case UInt8(ascii: "g"): kind = .gauge
    case UInt8(ascii: "s"): kind = .set
    case UInt8(ascii: "h"): kind = .histogram
    case UInt8(ascii: "d"): kind = .distribution
    default: return false
    }
    sample.kind = kind
    if kind == .set { return pipe > start && bytes.firstBadText(in: start..<pipe) == nil }
    if let number = DecimalNumber(shortFrom: bytes, start, pipe) {
      sample.set(number)
      sample.isRelative = isDelta(kind, beginningWith: bytes[start])
      return true
    }
    return kind == .counter && takeKey(bytes, &sample)
  }

  /// A key, or a key and its count, of which the first byte tells that it is no number and no number gone wrong.
  private func takeKey(_ bytes: PaddedBytes, _ sample: inout Sample) -> Bool {
    let start = sample.valueStart
    let end = sample.valueEnd
    if strict || bytes[start] <= UInt8(ascii: ":") { return false }
    var colon = start
    while colon < end, bytes[colon] != UInt8(ascii: ":") { colon &+= 1 }
    if !Self.isKey(beginningWith: bytes[start], length: colon &- start) { return false }
    sample.nameEnd = colon
    if colon == end {
      sample.set(whole: 1)
    } else if let count = DecimalNumber(shortFrom: bytes, colon &+ 1, end) {
      sample.set(count)
    } else {
      return false
    }
    return true
  }

  /// Reads what stands behind the type: a rate and tags.
  /// - Returns: where the next line begins; nil if the line is not of the usual shape.
  private static func takeSections(_ bytes: PaddedBytes, from pipe: Int, _ sample: inout Sample) -> Int? {
    var end = pipe
    if bytes[end &+ 1] == UInt8(ascii: "@") {
      let start = end &+ 2
      end = bytes.end(from: start)
      guard let rate = DecimalNumber(shortFrom: bytes, start, end), rate.double > 0 else { return nil }
      sample.rate = rate.double
    }
    if bytes[end] == UInt8(ascii: "|"), bytes[end &+ 1] == UInt8(ascii: "#") {
      sample.tagsStart = end &+ 2
      end = bytes.end(from: end &+ 2)
      sample.tagsEnd = end
      if bytes[end &- 1] == UInt8(ascii: "\r") { return nil }
    }
    guard bytes[end] == UInt8(ascii: "\n"), end &- sample.lineStart <= longestLine else { return nil }
    return end &+ 1
  }
}
