import Protocol

/// What one record of a payload says. Numbers name series; they are given by `define`.
///
/// Totals and values are those of the moment, never differences, so that saying them again changes nothing. What a sketch or a set got
/// within a flush, and samples that bore their own time, are told once each and go to history alone.
package enum JournalRecord: Sendable {
  /// From here on the number names this series.
  /// - `bounds`: of timers, which bounds their weights are for (`TimerBounds.fingerprint`).
  case define(number: UInt32, kind: SampleKind, bounds: UInt64, spelling: [UInt8])
  /// The series left.
  case left(number: UInt32)
  /// A counter's total, its whole part and the rest.
  case counter(number: UInt32, whole: Int64, fraction: Double)
  /// What a counter's total was when it was last reset.
  case base(number: UInt32, whole: Int64, fraction: Double)
  case gauge(number: UInt32, value: Double)
  /// A timer's totals, and the weights by bound.
  case timer(number: UInt32, count: Double, sum: Double, weights: [Double])
  /// A count with a time of its own; `second` is nil where history does not reach it.
  case lateCount(number: UInt32, second: UInt32?, whole: Int64, fraction: Double)
  /// A timer's sample with a time of its own.
  case lateValue(number: UInt32, second: UInt32?, value: Double, weight: Double)
  /// What a timer got at a second: its buckets (`BucketRun`) with their extremes.
  case samples(number: UInt32, second: UInt32, sum: Double, least: Double, greatest: Double, run: [UInt8])
  /// What a set got at a second (`HyperLogLog.Members`).
  case members(number: UInt32, second: UInt32, members: [UInt8])

  // Of snapshots only.

  /// All before this is void; everything live follows.
  case snapshotBegins
  /// What has not been told of since the snapshot began is gone.
  case snapshotEnds
  /// What follows of the series stands for all that was known of it; it last changed so many seconds before the payload.
  case series(number: UInt32, age: UInt32)
  /// Samples of a timer that its quantiles still look back on; otherwise as `samples`.
  case recentSamples(number: UInt32, second: UInt32, sum: Double, least: Double, greatest: Double, run: [UInt8])
  /// The same of a set's members.
  case recentMembers(number: UInt32, second: UInt32, members: [UInt8])
  /// A part of the series' history (History+Encoding.swift).
  case history(number: UInt32, bytes: [UInt8])
  /// What all series of a metric, those that left too, have counted; it stands for all that was known of it.
  case family(kind: SampleKind, name: [UInt8], totals: JournalFamilyTotals)
  /// A part of the metric's history.
  case familyHistory(kind: SampleKind, name: [UInt8], bytes: [UInt8])
}

/// A metric's totals: of counters the samples, of timers their number and sum; and of counters what they were at the resets.
package struct JournalFamilyTotals: Equatable, Sendable {
  package var whole: Int64 = 0
  package var fraction = 0.0
  package var sum = 0.0
  package var baseWhole: Int64 = 0
  package var baseFraction = 0.0
}
