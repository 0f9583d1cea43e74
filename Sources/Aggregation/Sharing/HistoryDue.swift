/// The seconds since 1970 from which a metric's history is to be told to others.
struct HistoryDue {
  var counts: UInt32
  /// Of members and samples: not before `counts`.
  var values: UInt32

  static let none = HistoryDue(counts: .max, values: .max)

  func lowered(to other: HistoryDue) -> HistoryDue {
    HistoryDue(counts: min(counts, other.counts), values: min(values, other.values))
  }

  func lowered(to second: UInt32) -> HistoryDue { lowered(to: HistoryDue(counts: second, values: second)) }
}

/// Hours since 1970, a bit each, which those have in common that lie 256 hours apart: history is not so long.
struct HourSet {
  private var bits = SIMD4<UInt64>.zero

  var isEmpty: Bool { bits == .zero }

  func contains(_ hour: Int64) -> Bool { bits[Self.word(hour)] & Self.bit(hour) != 0 }

  mutating func insert(_ hour: Int64) { bits[Self.word(hour)] |= Self.bit(hour) }

  mutating func formUnion(_ other: HourSet) { bits |= other.bits }

  private static func word(_ hour: Int64) -> Int { Int(hour >> 6 & 3) }
  private static func bit(_ hour: Int64) -> UInt64 { 1 << UInt64(hour & 63) }
}

/// What of a metric's history is told at once: all since some second, and some hours before that.
struct HistoryStretch {
  let due: HistoryDue
  let hours: HourSet

  /// Nothing that begins earlier is told.
  var start: Int64 { hours.isEmpty ? Int64(due.counts) / 3_600 * 3_600 : 0 }

  func hasCounts(ofHour hour: Int64) -> Bool { hour >= Int64(due.counts) / 3_600 || hours.contains(hour) }
  func hasCounts(ofMinute minute: Int64) -> Bool { minute >= Int64(due.counts) / 60 || hours.contains(minute / 60) }
  func hasValues(ofHour hour: Int64) -> Bool { hour >= Int64(due.values) / 3_600 || hours.contains(hour) }
}
