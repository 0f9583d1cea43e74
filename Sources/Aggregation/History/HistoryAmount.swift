/// What was counted within some time: a count, whole as long as it can be, and of timers the sum of the values.
package struct HistoryAmount: BitwiseCopyable, Sendable {
  var whole: Int64 = 0
  var fraction = 0.0
  /// Of timers: the sum of value * weight.
  package internal(set) var sum = 0.0

  /// Nothing.
  package init() {}

  init(whole: Int64, fraction: Double = 0, sum: Double = 0) {
    self.whole = whole
    self.fraction = fraction
    self.sum = sum
  }

  /// A weight of samples with their sum.
  init(weight: Double, sum: Double) {
    let isWhole = weight == weight.rounded() && weight.magnitude < 0x1p53
    self.init(whole: isWhole ? Int64(weight) : 0, fraction: isWhole ? 0 : weight, sum: sum)
  }

  /// The count; `whole` is nil once a fraction or an overflow has come in.
  package var count: (whole: Int64?, value: Double) {
    fraction == 0 ? (whole, Double(whole)) : (nil, Double(whole) + fraction)
  }

  var isZero: Bool { whole == 0 && fraction == 0 && sum == 0 }

  /// Adds another's counts and sums.
  package mutating func add(_ other: HistoryAmount) {
    let total = whole.addingReportingOverflow(other.whole)
    if _fastPath(!total.overflow) {
      whole = total.partialValue
      if _slowPath(other.fraction != 0) { fraction = (fraction + other.fraction).finite }
    } else {
      fraction = (fraction + Double(other.whole) + other.fraction).finite
    }
    sum = (sum + other.sum).finite
  }
}

/// An amount in one bucket of time.
struct HistoryPoint: BitwiseCopyable {
  /// Seconds, minutes or hours since 1970, by the track that it stands in.
  var bucket: UInt32
  var amount: HistoryAmount
}
