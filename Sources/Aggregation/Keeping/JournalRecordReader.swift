import Protocol

/// Reads a payload record by record (JournalRecordWriter.swift has the layout). Whatever the bytes, it ends and gives records in which
/// numbers are finite and texts lie within the payload.
package struct JournalRecordReader {
  /// Seconds since 1970 of what the payload holds.
  package let wall: Int64
  /// The payload is a slice of a snapshot.
  package let isSnapshot: Bool
  /// Numbers mean the same only in payloads of the same numbering.
  package let numbering: UInt32
  /// What follows could not be read.
  package private(set) var isMalformed = false

  private typealias Tag = JournalRecordWriter.Tag
  private var reader: HistoryByteReader
  private var number: UInt32 = 0
  private var second: UInt32 = 0

  /// Nil if the payload is damaged or was made by a later version.
  package init?(_ payload: [UInt8]) {
    if payload.count < JournalRecordWriter.headBytes || payload[0] != JournalRecordWriter.version { return nil }
    if payload[1] > 1 || Self.number(payload[2..<6]) != UInt64(JournalCheck.of(payload)) { return nil }
    isSnapshot = payload[1] == 1
    wall = Int64(bitPattern: Self.number(payload[6..<14]))
    numbering = UInt32(truncatingIfNeeded: Self.number(payload[14..<18]))
    reader = HistoryByteReader(payload, from: JournalRecordWriter.headBytes)
  }

  private static func number(_ bytes: ArraySlice<UInt8>) -> UInt64 {
    bytes.reversed().reduce(0) { $0 << 8 | UInt64($1) }
  }

  /// The next record; nil at the end or where the payload is malformed.
  package mutating func next() -> JournalRecord? {
    if isMalformed || reader.isAtEnd { return nil }
    if let record = record() { return record }
    isMalformed = true
    return nil
  }

  private mutating func record() -> JournalRecord? {
    guard let head = reader.number(), let tag = Tag(rawValue: head & (1 << Tag.bits - 1)) else { return nil }
    let sum = Int64(number).addingReportingOverflow(unzigzag(head >> Tag.bits))
    guard !sum.overflow, let number = UInt32(exactly: sum.partialValue) else { return nil }
    self.number = number
    switch tag {
    case .counter: return reader.number().map { .counter(number: number, whole: unzigzag($0), fraction: 0) }
    case .counterParts: return parts().map { .counter(number: number, whole: $0.whole, fraction: $0.fraction) }
    case .base: return reader.number().map { .base(number: number, whole: unzigzag($0), fraction: 0) }
    case .baseParts: return parts().map { .base(number: number, whole: $0.whole, fraction: $0.fraction) }
    case .raise:
      guard let more = parts(), let base = parts() else { return nil }
      return .raise(
        number: number, whole: more.whole, fraction: more.fraction, baseWhole: base.whole, baseFraction: base.fraction)
    case .gauge: return value().map { .gauge(number: number, value: $0) }
    case .timer: return timer()
    case .lateCount:
      guard let second = seconds(), let amount = parts() else { return nil }
      return .lateCount(number: number, second: second, whole: amount.whole, fraction: amount.fraction)
    case .lateValue:
      guard let second = seconds(), let value = reader.value(), let weight = reader.value(), weight > 0 else {
        return nil
      }
      return .lateValue(number: number, second: second, value: value, weight: weight)
    case .samples, .recentSamples: return samples(tag)
    case .members, .recentMembers: return members(tag)
    case .define: return define()
    case .left: return .left(number: number)
    case .snapshotBegins: return .snapshotBegins
    case .snapshotEnds: return .snapshotEnds
    case .series: return reader.number().map { .series(number: number, age: $0) }
    case .history: return text().map { .history(number: number, bytes: $0) }
    case .family: return family()
    case .familyHistory:
      guard let kind = kind(), let name = text(), let bytes = text() else { return nil }
      return .familyHistory(kind: kind, name: name, bytes: bytes)
    }
  }

  private mutating func define() -> JournalRecord? {
    guard let kind = kind() else { return nil }
    var bounds: UInt64 = 0
    if kind.isTimer {
      guard let fingerprint = reader.long() else { return nil }
      bounds = fingerprint
    }
    return text().map { .define(number: number, kind: kind, bounds: bounds, spelling: $0) }
  }

  private mutating func timer() -> JournalRecord? {
    guard let count = value(), let sum = value(), let weights = reader.number() else { return nil }
    var all: [Double] = []
    // One by one: a number that is no weights' must not reserve memory.
    for _ in 0..<weights {
      guard let weight = value() else { return nil }
      all.append(weight)
    }
    return .timer(number: number, count: count, sum: sum, weights: all)
  }

  private mutating func samples(_ tag: Tag) -> JournalRecord? {
    guard let second = seconds(), let sum = value(), let least = value(), let greatest = value(), least <= greatest,
      let run = text(), BucketRun.isSound(run)
    else { return nil }
    return tag == .samples
      ? .samples(number: number, second: second, sum: sum, least: least, greatest: greatest, run: run)
      : .recentSamples(number: number, second: second, sum: sum, least: least, greatest: greatest, run: run)
  }

  private mutating func members(_ tag: Tag) -> JournalRecord? {
    guard let second = seconds(), let members = text(), HyperLogLog.Members.areSound(members) else { return nil }
    return tag == .members
      ? .members(number: number, second: second, members: members)
      : .recentMembers(number: number, second: second, members: members)
  }

  private mutating func family() -> JournalRecord? {
    guard let kind = kind(), let name = text(), let total = parts(), let sum = value(), let base = parts() else {
      return nil
    }
    return .family(
      kind: kind, name: name,
      totals: JournalFamilyTotals(
        whole: total.whole, fraction: total.fraction, sum: sum, baseWhole: base.whole, baseFraction: base.fraction))
  }

  // MARK: Pieces

  private mutating func kind() -> SampleKind? { reader.byte().flatMap { SampleKind(rawValue: $0) } }

  private mutating func text() -> [UInt8]? { reader.number().flatMap { reader.take(Int(clamping: $0)) } }

  private mutating func parts() -> Total? {
    guard let whole = reader.long(), let fraction = value() else { return nil }
    return Total(whole: Int64(bitPattern: whole), fraction: fraction)
  }

  private mutating func value() -> Double? { reader.value() }

  private mutating func seconds() -> UInt32? {
    guard let code = reader.number() else { return nil }
    let sum = Int64(second).addingReportingOverflow(unzigzag(code))
    guard !sum.overflow, let next = UInt32(exactly: sum.partialValue) else { return nil }
    second = next
    return next
  }
}
