/// The bounds of `--buckets`, in the unit of a timer's lines.
///
/// Kept outside of any array, so that a block may carry them without counting references.
@safe
package struct TimerBounds: @unchecked Sendable {  // never written after init
  private let bounds: UnsafeMutablePointer<Double>?
  private let count: Int
  /// Tells these bounds from others, in a journal too (FNV-1a over their bits).
  let fingerprint: UInt64

  /// Never freed: a process has two of them, for `ms` and for the rest.
  /// - Parameter values: rising; empty: no weights by bound are kept.
  package init(_ values: [Double]) {
    count = values.count
    fingerprint = values.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ $1.bitPattern) &* 0x100_0000_01B3 }
    if values.isEmpty {
      unsafe bounds = nil
    } else {
      unsafe bounds = .allocate(capacity: count)
      // Safe: just allocated for so many.
      for (index, value) in values.enumerated() { unsafe (bounds! + index).initialize(to: value) }
    }
  }

  /// Weights that a block keeps: one for each bound, and one for what is above all.
  @inline(__always)
  var places: Int { count == 0 ? 0 : count &+ 1 }

  /// The first bound that `value` does not exceed.
  func place(of value: Double) -> Int {
    guard let bounds = unsafe bounds else { return 0 }
    var place = 0
    // Safe: below count.
    while place < count, unsafe value > bounds[place] { place += 1 }
    return place
  }
}
