/// A sketch as history keeps it: extremes and buckets, without count and sum, which stand in the points.
///
///     offset  bytes
///          0     16  least and greatest value (Double, little-endian)
///         16      …  for each bucket in ascending order: numbers since the one before (the first: zigzag), LEB128;
///                    weight << 1, LEB128, if it is whole, else 1 and 4 bytes (Float)
extension Sketch {
  /// Nothing is written of an empty sketch.
  func append(to bytes: inout [UInt8]) {
    if buckets.isEmpty { return }
    bytes.appendLong(least.bitPattern)
    bytes.appendLong(greatest.bitPattern)
    var before: Int32?
    for bucket in buckets {
      if let before {
        bytes.appendNumber(UInt64(bucket.number - before))
      } else {
        bytes.appendNumber(zigzag(Int64(bucket.number)))
      }
      before = bucket.number
      if bucket.weight.magnitude < 0x1p40, bucket.weight == bucket.weight.rounded() {
        bytes.appendNumber(UInt64(max(0, bucket.weight)) << 1)
      } else {
        bytes.appendNumber(1)
        let bits = bucket.weight.bitPattern
        for byte in 0..<4 { bytes.append(UInt8(truncatingIfNeeded: bits >> UInt32(8 * byte))) }
      }
    }
  }

  /// - Parameter bytes: as `append` wrote them; what is cut short ends where it is cut.
  init(bytes: [UInt8]) {
    var reader = HistoryByteReader(bytes)
    self.init()
    guard let least = reader.long(), let greatest = reader.long() else { return }
    var buckets: [Bucket] = []
    var total = 0.0
    var before: Int64?
    while let code = reader.number() {
      let number = before.map { $0 &+ Int64(truncatingIfNeeded: code) } ?? unzigzag(code)
      guard let weight = Self.weight(&reader), let whole = Int32(exactly: number) else { break }
      before = number
      total += Double(weight)
      buckets.append(Bucket(number: whole, weight: weight))
    }
    if buckets.isEmpty { return }
    self.init(
      count: total.finite, sum: 0, least: Double(bitPattern: least), greatest: Double(bitPattern: greatest),
      buckets: buckets)
  }

  private static func weight(_ reader: inout HistoryByteReader) -> Float? {
    guard let code = reader.number() else { return nil }
    if code & 1 == 0 { return Float(code >> 1) }
    var bits: UInt32 = 0
    for byte in 0..<4 {
      guard let next = reader.byte() else { return nil }
      bits |= UInt32(next) << UInt32(8 * byte)
    }
    return Float(bitPattern: bits)
  }

  /// Adds one sketch's bytes to another's.
  static func join(_ bytes: inout [UInt8], _ other: [UInt8]) {
    var sketch = Sketch(bytes: bytes)
    sketch.merge(Sketch(bytes: other))
    bytes.removeAll(keepingCapacity: true)
    sketch.append(to: &bytes)
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
}

/// Reads what history has written; nil where the bytes end early.
struct HistoryByteReader {
  private let bytes: [UInt8]
  private var at = 0

  init(_ bytes: [UInt8]) { self.bytes = bytes }

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

  mutating func take(_ count: Int) -> [UInt8]? {
    if count < 0 || count > bytes.count - at { return nil }
    at += count
    return Array(bytes[(at - count)..<at])
  }
}
