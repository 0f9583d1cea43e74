import Protocol

/// Writes a payload: what the journal keeps in one piece.
///
///     offset  bytes  head
///          0      1  version, 1
///          1      1  1: a slice of a snapshot
///          2      4  check of all the rest (`JournalCheck`)
///          6      8  seconds since 1970
///         14      4  numbering: numbers mean the same only in payloads of the same one
///
///     record   zigzag(number - number before) << 5 | tag, then by tag
///       0      counter         whole
///       1      counter         whole8 value
///       2      base            whole
///       3      base            whole8 value
///       4      gauge           value
///       5      timer           value (count) value (sum) number (of weights) value *
///       6      late count      second whole8 value
///       7      late value      second value (the sample) value (its weight)
///       8      samples         second value (sum) value (least) value (greatest) text (`BucketRun`)
///       9      members         second text (`HyperLogLog.Members`)
///      10      define          1 byte (`SampleKind`), of timers 8 bytes (`TimerBounds.fingerprint`), text (normal spelling)
///      11      left
///      12, 13  snapshot        begins, ends
///      14      series          number (its age in seconds)
///      15, 16  recent          samples, members; as 8 and 9
///      17      history         text (History+Encoding.swift)
///      18      family          1 byte (`SampleKind`), text (name), whole8 value value, whole8 value (`JournalFamilyTotals`)
///      19      family history  1 byte (`SampleKind`), text (name), text
///      20      raise           whole8 value
///
///     number   LEB128                             whole8   8 bytes
///     whole    zigzag                             text     number (of bytes), bytes
///     second   zigzag(second - second before)     value    zigzag << 1 if it is whole; else 1 and 8 bytes
///
/// So a counter that changed takes 2 to 9 bytes. Everything of 8 bytes is little-endian.
struct JournalRecordWriter {
  static let version: UInt8 = 1
  static let headBytes = 18

  /// What a record says, in its head's lowest bits.
  enum Tag: UInt64 {
    case counter, counterParts, base, baseParts, gauge, timer, lateCount, lateValue, samples, members, define, left
    case snapshotBegins, snapshotEnds, series, recentSamples, recentMembers, history, family, familyHistory, raise

    static let bits: UInt64 = 5
  }

  private(set) var bytes: [UInt8]
  private var number: UInt32 = 0
  private var second: UInt32 = 0

  /// An empty payload.
  init(capacity: Int = 0) {
    bytes = []
    bytes.reserveCapacity(capacity)
    bytes += repeatElement(0, count: Self.headBytes)
  }

  /// Whether nothing has been written behind the head.
  var isEmpty: Bool { bytes.count == Self.headBytes }

  /// Fills the head in: the payload is ready.
  consuming func sealed(isSnapshot: Bool, wall: Int64, numbering: UInt32) -> [UInt8] {
    bytes[0] = Self.version
    bytes[1] = isSnapshot ? 1 : 0
    for byte in 0..<8 { bytes[6 + byte] = UInt8(truncatingIfNeeded: wall >> Int64(8 * byte)) }
    for byte in 0..<4 { bytes[14 + byte] = UInt8(truncatingIfNeeded: numbering >> UInt32(8 * byte)) }
    return Self.checked(bytes)
  }

  /// The payload with its check made to fit.
  static func checked(_ payload: consuming [UInt8]) -> [UInt8] {
    let check = JournalCheck.of(payload)
    for byte in 0..<4 { payload[2 + byte] = UInt8(truncatingIfNeeded: check >> UInt32(8 * byte)) }
    return payload
  }

  // MARK: Records

  /// A counter's total: by far the most frequent record.
  @inline(__always)
  mutating func appendCounter(_ number: UInt32, _ total: Total) { append(.counter, .counterParts, number, total) }

  mutating func append(_ record: JournalRecord) {
    switch record {
    case .define(let number, let kind, let bounds, let spelling):
      begin(.define, number)
      bytes.append(kind.rawValue)
      if kind.isTimer { bytes.appendLong(bounds) }
      append(text: spelling)
    case .left(let number): begin(.left, number)
    case .counter(let number, let whole, let fraction):
      append(.counter, .counterParts, number, Total(whole: whole, fraction: fraction))
    case .raise(let number, let whole, let fraction, let baseWhole, let baseFraction):
      begin(.raise, number)
      append(parts: Total(whole: whole, fraction: fraction))
      append(parts: Total(whole: baseWhole, fraction: baseFraction))
    case .base(let number, let whole, let fraction):
      append(.base, .baseParts, number, Total(whole: whole, fraction: fraction))
    case .gauge(let number, let value):
      begin(.gauge, number)
      append(value: value)
    case .timer(let number, let count, let sum, let weights):
      begin(.timer, number)
      append(value: count)
      append(value: sum)
      bytes.appendNumber(UInt64(weights.count))
      for weight in weights { append(value: weight) }
    case .lateCount(let number, let second, let whole, let fraction):
      begin(.lateCount, number)
      append(second: second)
      append(parts: Total(whole: whole, fraction: fraction))
    case .lateValue(let number, let second, let value, let weight):
      begin(.lateValue, number)
      append(second: second)
      append(value: value)
      append(value: weight)
    case .samples(let number, let second, let sum, let least, let greatest, let run):
      begin(.samples, number)
      append(second: second)
      for value in [sum, least, greatest] { append(value: value) }
      append(text: run)
    case .recentSamples(let number, let second, let sum, let least, let greatest, let run):
      begin(.recentSamples, number)
      append(second: second)
      for value in [sum, least, greatest] { append(value: value) }
      append(text: run)
    case .members(let number, let second, let members):
      begin(.members, number)
      append(second: second)
      append(text: members)
    case .recentMembers(let number, let second, let members):
      begin(.recentMembers, number)
      append(second: second)
      append(text: members)
    case .snapshotBegins: begin(.snapshotBegins, number)
    case .snapshotEnds: begin(.snapshotEnds, number)
    case .series(let number, let age):
      begin(.series, number)
      bytes.appendNumber(age)
    case .history(let number, let history):
      begin(.history, number)
      append(text: history)
    case .family(let kind, let name, let totals):
      begin(.family, number)
      bytes.append(kind.rawValue)
      append(text: name)
      append(parts: Total(whole: totals.whole, fraction: totals.fraction))
      append(value: totals.sum)
      append(parts: Total(whole: totals.baseWhole, fraction: totals.baseFraction))
    case .familyHistory(let kind, let name, let history):
      begin(.familyHistory, number)
      bytes.append(kind.rawValue)
      append(text: name)
      append(text: history)
    }
  }

  // MARK: Pieces

  @inline(__always)
  private mutating func begin(_ tag: Tag, _ number: UInt32) {
    bytes.appendNumber(zigzag(Int64(number) - Int64(self.number)) << Tag.bits | tag.rawValue)
    self.number = number
  }

  @inline(__always)
  private mutating func append(_ whole: Tag, _ parts: Tag, _ number: UInt32, _ total: Total) {
    if _fastPath(total.fraction == 0) {
      begin(whole, number)
      bytes.appendNumber(zigzag(total.whole))
    } else {
      begin(parts, number)
      append(parts: total)
    }
  }

  private mutating func append(parts total: Total) {
    bytes.appendLong(UInt64(bitPattern: total.whole))
    append(value: total.fraction)
  }

  private mutating func append(value: Double) { bytes.appendValue(value) }

  private mutating func append(second: UInt32) {
    bytes.appendNumber(zigzag(Int64(second) - Int64(self.second)))
    self.second = second
  }

  private mutating func append(text: [UInt8]) {
    bytes.appendNumber(UInt64(text.count))
    bytes += text
  }
}

/// Tells a payload from one with other bytes: FNV-1a over words of 8 bytes, folded to 32 bits.
///
/// A file's frames have a checksum of their own. This one is the payload's, whatever carries it: records stand on each other's
/// shoulders, so that of a payload with a wrong byte nothing must be believed.
enum JournalCheck {
  /// The check of a payload, whose own place is left out.
  /// - Complexity: O(bytes), about 0.4 ns each.
  static func of(_ bytes: [UInt8]) -> UInt32 {
    let prime: UInt64 = 0x100_0000_01B3
    var hash = (0xCBF2_9CE4_8422_2325 ^ (UInt64(bytes[0]) | UInt64(bytes[1]) << 8)) &* prime
    // Safe: the array lends its own bytes; words are loaded within them.
    unsafe bytes.withUnsafeBytes { bytes in
      var at = min(6, bytes.count)
      while at + 8 <= bytes.count {
        hash = unsafe (hash ^ UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: at, as: UInt64.self))) &* prime
        // High bits would never reach the low ones.
        hash ^= hash >> 47
        at += 8
      }
      while at < bytes.count {
        hash = unsafe (hash ^ UInt64(bytes[at])) &* prime
        at += 1
      }
      hash = (hash ^ UInt64(bytes.count)) &* prime
    }
    return UInt32(truncatingIfNeeded: hash ^ hash >> 32)
  }
}
