/// A total as the shared store keeps it: a whole number in decimal, exact up to 2^63, or one with a fraction, as `Double` spells it.
package enum SharedNumber: Equatable, Sendable, CustomStringConvertible {
  case whole(Int64)
  /// Finite.
  case real(Double)

  /// What nobody has counted yet.
  package static let zero = SharedNumber.whole(0)

  /// As a counter keeps its sum: whole, and what is no whole number.
  package init(whole: Int64, fraction: Double) {
    self = fraction == 0 ? .whole(whole) : Self(real: Double(whole) + fraction)
  }

  private init(real: Double) { self = .real(real.isFinite ? real : .greatestFiniteMagnitude * (real < 0 ? -1 : 1)) }

  /// Reads what an agent wrote; nil if it is no finite number.
  package init?(_ text: [UInt8]) {
    let text = String(decoding: text, as: UTF8.self)
    if let whole = Int64(text) {
      self = .whole(whole)
    } else if let real = Double(text), real.isFinite {
      self = .real(real)
    } else {
      return nil
    }
  }

  /// As it is written: the shortest digits that read back as the same.
  package var description: String {
    switch self {
    case .whole(let number): "\(number)"
    case .real(let number): "\(number)"
    }
  }

  /// Rounded, where it is whole and beyond 2^53.
  package var value: Double {
    switch self {
    case .whole(let number): Double(number)
    case .real(let number): number
    }
  }

  /// Exact as long as it is whole and fits; else rounded, and never beyond what is finite.
  package static func + (left: Self, right: Self) -> Self { join(left, right, Int64.addingReportingOverflow, +) }
  /// As the sum.
  package static func - (left: Self, right: Self) -> Self { join(left, right, Int64.subtractingReportingOverflow, -) }

  /// Exact of whole numbers.
  package static func < (left: Self, right: Self) -> Bool {
    if case (.whole(let left), .whole(let right)) = (left, right) { return left < right }
    return left.value < right.value
  }

  /// Exact while both are whole and so is what comes of them.
  private static func join(
    _ left: Self, _ right: Self, _ exactly: (Int64) -> (Int64) -> (partialValue: Int64, overflow: Bool),
    _ roughly: (Double, Double) -> Double
  ) -> Self {
    if case (.whole(let left), .whole(let right)) = (left, right) {
      let (result, overflow) = exactly(left)(right)
      if !overflow { return .whole(result) }
    }
    return Self(real: roughly(left.value, right.value))
  }
}
