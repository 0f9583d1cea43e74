/// A sketch as history keeps it: extremes and buckets, without count and sum, which stand in the points.
///
///     offset  bytes
///          0     16  least and greatest value (Double, little-endian)
///         16      …  the buckets (`BucketRun`)
extension Sketch {
  private static let head = 16

  /// Nothing is written of an empty sketch.
  func append(to bytes: inout [UInt8]) {
    if run.isEmpty { return }
    bytes.appendLong(least.bitPattern)
    bytes.appendLong(greatest.bitPattern)
    bytes += run
  }

  /// - Parameter bytes: as `append` or `join` wrote them.
  init(bytes: [UInt8]) {
    self.init()
    if bytes.count <= Self.head { return }
    let (least, greatest) = Self.extremes(bytes)
    // Safe: the array lends its own bytes, and a run ends with them.
    unsafe bytes.withUnsafeBytes {
      unsafe merge(run: UnsafeRawBufferPointer(rebasing: $0[Self.head...]), sum: 0, least: least, greatest: greatest)
    }
  }

  /// Adds samples whose buckets are those of `run` to a sketch's bytes, which may be empty.
  static func join(_ bytes: inout [UInt8], _ run: [UInt8], least: Double, greatest: Double) {
    if run.isEmpty { return }
    if bytes.count <= head {
      bytes.removeAll(keepingCapacity: true)
      bytes.appendLong(least.bitPattern)
      bytes.appendLong(greatest.bitPattern)
      bytes += run
      return
    }
    let extremes = extremes(bytes)
    let joined = BucketRun.joined(Array(bytes[head...]), run)
    bytes.removeAll(keepingCapacity: true)
    bytes.appendLong(min(extremes.least, least).bitPattern)
    bytes.appendLong(max(extremes.greatest, greatest).bitPattern)
    bytes += joined
  }

  /// Adds one sketch's bytes to another's.
  static func join(_ bytes: inout [UInt8], _ other: [UInt8]) {
    if other.count <= head { return }
    let extremes = extremes(other)
    join(&bytes, Array(other[head...]), least: extremes.least, greatest: extremes.greatest)
  }

  /// A sketch's bytes that come from outside, once they are found to be such; nil if they are not.
  static func checked(_ bytes: [UInt8]) -> [UInt8]? {
    if bytes.isEmpty { return bytes }
    if bytes.count < head { return nil }
    let extremes = extremes(bytes)
    if !extremes.least.isFinite || !extremes.greatest.isFinite { return nil }
    return BucketRun.isSound(bytes, from: head) ? bytes : nil
  }

  private static func extremes(_ bytes: [UInt8]) -> (least: Double, greatest: Double) {
    var reader = HistoryByteReader(bytes)
    let least = reader.long() ?? 0
    let greatest = reader.long() ?? 0
    return (Double(bitPattern: least), Double(bitPattern: greatest))
  }
}

extension BucketRun {
  /// Whether bytes from outside, from `start` on, are a run.
  static func isSound(_ bytes: [UInt8], from start: Int = 0) -> Bool {
    var reader = HistoryByteReader(bytes, from: start)
    var number = Int64(lowestNumber)
    while !reader.isAtEnd {
      guard let code = reader.number(), code >> 2 < 1 << 20 else { return false }
      number += Int64(code >> 2) + 1
      var weight = 1.0
      switch code & 3 {
      case 0: break
      case 1:
        guard let whole = reader.number(), whole < 1 << 53 else { return false }
        weight = Double(whole)
      case 2:
        guard let bits = reader.long() else { return false }
        weight = Double(bitPattern: bits)
      default: return false
      }
      if number > -Int64(lowestNumber) || !(weight > 0 && weight.isFinite) { return false }
    }
    return true
  }

  /// Two runs in one.
  static func joined(_ left: [UInt8], _ right: [UInt8]) -> [UInt8] {
    // Safe: the arrays lend their own bytes, and the room is as large as both.
    unsafe left.withUnsafeBytes { left in
      unsafe right.withUnsafeBytes { right in
        unsafe [UInt8](unsafeUninitializedCapacity: max(1, left.count + right.count)) { bytes, count in
          guard let start = bytes.baseAddress else { return }
          count = unsafe merge(left, right, into: UnsafeMutableRawPointer(start))
        }
      }
    }
  }
}

extension [UInt8] {
  /// LEB128.
  @inline(__always)
  mutating func appendNumber(_ number: UInt64) {
    var rest = number
    while rest >= 0x80 {
      append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    append(UInt8(truncatingIfNeeded: rest))
  }

  /// 8 bytes, little-endian.
  mutating func appendLong(_ number: UInt64) {
    for byte in 0..<8 { append(UInt8(truncatingIfNeeded: number >> UInt64(8 * byte))) }
  }

  /// A double: zigzag << 1 (LEB128) if it is whole, else 1 and its 8 bytes.
  mutating func appendValue(_ value: Double) {
    // A zero with a sign is no whole number here: it comes back as it was.
    if value.magnitude < 0x1p53, value == value.rounded(.towardZero), value != 0 || value.sign == .plus {
      appendNumber(zigzag(Int64(value)) << 1)
    } else {
      append(1)
      appendLong(value.bitPattern)
    }
  }
}

/// Reads what history has written; nil where the bytes end early.
struct HistoryByteReader {
  private let bytes: [UInt8]
  private var at = 0

  init(_ bytes: [UInt8], from start: Int = 0) {
    self.bytes = bytes
    at = start
  }

  var isAtEnd: Bool { at >= bytes.count }

  @inline(__always)
  mutating func byte() -> UInt8? {
    if at >= bytes.count { return nil }
    at += 1
    return bytes[at - 1]
  }

  @inline(__always)
  mutating func number() -> UInt64? {
    var number: UInt64 = 0
    var shift: UInt64 = 0
    while let byte = byte() {
      number |= UInt64(byte & 0x7F) << shift
      if byte < 0x80 { return number }
      shift += 7
      if shift > 63 { return nil }
    }
    return nil
  }

  mutating func long() -> UInt64? {
    if at + 8 > bytes.count { return nil }
    var number: UInt64 = 0
    for byte in 0..<8 { number |= UInt64(bytes[at + byte]) << UInt64(8 * byte) }
    at += 8
    return number
  }

  /// As `appendValue` writes it; nil for one that is not finite, too.
  mutating func value() -> Double? {
    guard let code = number() else { return nil }
    if code & 1 == 0 { return Double(unzigzag(code >> 1)) }
    return long().map { Double(bitPattern: $0) }.flatMap { $0.isFinite ? $0 : nil }
  }

  mutating func take(_ count: Int) -> [UInt8]? {
    if count < 0 || count > bytes.count - at { return nil }
    at += count
    return Array(bytes[(at - count)..<at])
  }
}
