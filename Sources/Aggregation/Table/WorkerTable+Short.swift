import Bytes
import Protocol

/// The way of a short line: from its bytes to its record in one piece, with nothing in memory between the steps.
extension WorkerTable {
  /// Counts a timer's, a gauge's or a set's line without rate and tags, if its series is known.
  /// - Returns: where the next line begins; nil if this one is another, and then nothing has changed.
  @inline(__always)
  mutating func countShort(_ bytes: PaddedBytes, _ start: Int, _ window: SeparatorWindow) -> Int? {
    guard let line = reader.readShort(bytes, at: start, window), let kind = line.kind else { return nil }
    var value = 0.0
    if kind == .set {
      if !reader.hasMember(bytes, line) { return nil }
    } else {
      guard let number = reader.shortValue(bytes, line) else { return nil }
      value = number
    }
    let number = find(bytes, start, line.nameEnd &- start, kind)
    if _slowPath(number < 0) { return nil }
    tally.lines &+= 1
    book(kind)
    let record = touch(number)
    switch kind {
    case .timer:
      addToTimer(record, value)
      return line.valueEnd &+ 4
    case .set:
      // Safe: the member lies within `bytes`.
      unsafe addToSet(
        record,
        UnsafeRawBufferPointer(
          start: bytes.address(of: line.nameEnd &+ 1), count: line.valueEnd &- line.nameEnd &- 1))
    default: setGauge(record, value)
    }
    return line.valueEnd &+ 3
  }

  /// The number of the record of a short line's series, -1 if this spelling of it is not known.
  @inline(__always)
  private mutating func find(_ bytes: PaddedBytes, _ start: Int, _ length: Int, _ kind: SampleKind) -> Int {
    // Safe: the name lies within `bytes`, whose slack covers the loads.
    let words = unsafe hasher.words(of: bytes.address(of: start), count: length)
    let wanted = SeriesRecord.head(length: length, kind: kind.rawValue)
    return find(words, hasher.hash(words, salt: UInt64(kind.rawValue)), wanted)
  }
}
