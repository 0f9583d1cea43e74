/// Text being written, as bytes: what the exposition, the JSON answers and `explain` append to.
///
/// Inlined into its callers: a page of a million series is some ten appends a series.
/// - Complexity: every append is amortised O(its own length).
@frozen @usableFromInline
package struct ByteWriter {
  /// What has been written.
  @usableFromInline package internal(set) var bytes: [UInt8]

  /// - Parameter capacity: bytes to reserve at once.
  @inlinable
  package init(capacity: Int = 0) {
    bytes = []
    bytes.reserveCapacity(capacity)
  }

  /// Bytes written.
  @inlinable
  package var count: Int { bytes.count }

  /// Forgets the text and keeps the memory.
  @inlinable
  package mutating func removeAll() { bytes.removeAll(keepingCapacity: true) }

  /// Forgets all but the first `count` bytes.
  @inlinable
  package mutating func truncate(to count: Int) { bytes.removeLast(bytes.count - count) }

  /// Forgets the first `count` bytes.
  package mutating func removeFirst(_ count: Int) { bytes.removeFirst(count) }

  /// Appends what is given as it is, as do those below.
  @inlinable
  package mutating func append(_ byte: UInt8) { bytes.append(byte) }
  @inlinable
  package mutating func append(_ text: StaticString) {
    text.withUTF8Buffer { unsafe bytes.append(contentsOf: $0) }
  }
  package mutating func append(_ text: String) { bytes.append(contentsOf: text.utf8) }
  @inlinable
  package mutating func append(_ text: [UInt8]) { bytes.append(contentsOf: text) }
  package mutating func append(_ text: ArraySlice<UInt8>) { bytes.append(contentsOf: text) }
  @inlinable
  package mutating func append(_ text: Span<UInt8>) {
    // Safe: the buffer is read within the call.
    unsafe text.withUnsafeBufferPointer { unsafe bytes.append(contentsOf: $0) }
  }

  /// A whole number in decimal.
  @inlinable
  package mutating func append(_ number: Int64) {
    if number < 0 { bytes.append(UInt8(ascii: "-")) }
    append(number.magnitude)
  }

  /// A whole number in decimal.
  @inlinable
  package mutating func append(_ number: UInt64) {
    if number < 10 { return bytes.append(UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: number)) }
    var digits: InlineArray<20, UInt8> = .init(repeating: 0)
    var rest = number
    var first = 20
    while rest != 0 {
      let (quotient, digit) = rest.quotientAndRemainder(dividingBy: 10)
      first -= 1
      digits[first] = UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: digit)
      rest = quotient
    }
    for place in first..<20 { bytes.append(digits[place]) }
  }

  /// The shortest decimal that reads back as `number`; whole numbers below 2^53 without a point. Not finite: as Prometheus writes it
  /// (`NaN`, `+Inf`, `-Inf`; text format 0.0.4).
  package mutating func append(_ number: Double) {
    if let whole = Int64(exactly: number), whole.magnitude < 1 << 53 { return append(whole) }
    if number.isNaN { return append("NaN" as StaticString) }
    if number.isInfinite { return append(number < 0 ? "-Inf" : "+Inf" as StaticString) }
    append(number.description)
  }
}
