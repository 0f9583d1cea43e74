import Protocol

/// What one record of a payload says. Numbers name series; they are given by `define`.
///
/// Totals and values are those of the moment, never differences, so that saying them again changes nothing. What a sketch or a set got
/// within a flush, samples that bore their own time, and raises are told once each.
package enum JournalRecord: Equatable, Sendable {
  /// From here on the number names this series.
  /// - `bounds`: of timers, which bounds their weights are for (`TimerBounds.fingerprint`); 0 otherwise.
  case define(number: UInt32, kind: SampleKind, bounds: UInt64, spelling: [UInt8])
  /// The series left.
  case left(number: UInt32)
  /// A counter's total, its whole part and the rest.
  case counter(number: UInt32, whole: Int64, fraction: Double)
  /// A counter has got so much more that was counted nobody knows when, of which its last reset is at `base`; its metric is told of for
  /// itself.
  case raise(number: UInt32, whole: Int64, fraction: Double, baseWhole: Int64, baseFraction: Double)
  /// What a counter's total was when it was last reset.
  case base(number: UInt32, whole: Int64, fraction: Double)
  /// A gauge's or a service check's value.
  case gauge(number: UInt32, value: Double)
  /// A timer's totals, and the weights by bound.
  case timer(number: UInt32, count: Double, sum: Double, weights: [Double])
  /// A count with a time of its own; `second` is 0 where history does not reach it.
  case lateCount(number: UInt32, second: UInt32, whole: Int64, fraction: Double)
  /// A timer's sample with a time of its own; as above.
  case lateValue(number: UInt32, second: UInt32, value: Double, weight: Double)
  /// What a timer got at a second: its buckets (`BucketRun`), their sum and extremes.
  case samples(number: UInt32, second: UInt32, sum: Double, least: Double, greatest: Double, run: [UInt8])
  /// What a set got at a second (`HyperLogLog.Members`).
  case members(number: UInt32, second: UInt32, members: [UInt8])

  // Of snapshots only.

  /// All that lives is told anew from here on.
  case snapshotBegins
  /// What has not been told of since the snapshot began is gone.
  case snapshotEnds
  /// What follows of the series in this slice stands for all that was known of it; it last changed so many seconds before.
  case series(number: UInt32, age: UInt64)
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

/// What a payload is: changes since the one before, or a slice of a snapshot, and which.
package enum JournalPart: Sendable {
  case changes
  case snapshotBegins, snapshot, snapshotEnds
}

/// Bytes to be kept, and how they belong together with those around them.
package struct JournalPayload: Sendable {
  package var bytes: [UInt8]
  /// All payloads since the last that ended a batch are to be applied together with this one.
  package var endsBatch: Bool
  package var part: JournalPart
}

extension JournalRecord: CustomStringConvertible {
  /// For people who look into a journal.
  package var description: String {
    switch self {
    case .define(let number, let kind, _, let spelling):
      "\(number) is \(kind.label) \(String(decoding: spelling.map(SeriesLabels.plain), as: UTF8.self))"
    case .left(let number): "\(number) left"
    case .counter(let number, let whole, let fraction): "\(number) total \(Self.text(whole, fraction))"
    case .raise(let number, let whole, let fraction, let baseWhole, let baseFraction):
      "\(number) raised by \(Self.text(whole, fraction)), reset at \(Self.text(baseWhole, baseFraction))"
    case .base(let number, let whole, let fraction): "\(number) reset at \(Self.text(whole, fraction))"
    case .gauge(let number, let value): "\(number) value \(value)"
    case .timer(let number, let count, let sum, let weights):
      "\(number) count \(count) sum \(sum)" + (weights.isEmpty ? "" : " weights \(weights)")
    case .lateCount(let number, let second, let whole, let fraction):
      "\(number) at \(second) \(Self.text(whole, fraction))"
    case .lateValue(let number, let second, let value, let weight):
      "\(number) at \(second) value \(value) weight \(weight)"
    case .samples(let number, let second, let sum, let least, let greatest, let run):
      "\(number) at \(second) samples from \(least) to \(greatest), sum \(sum), \(run.count) bytes"
    case .members(let number, let second, let members): "\(number) at \(second) members, \(members.count) bytes"
    case .snapshotBegins: "snapshot begins"
    case .snapshotEnds: "snapshot ends"
    case .series(let number, let age): "\(number) all of it, changed \(age) s ago"
    case .recentSamples(let number, let second, let sum, let least, let greatest, let run):
      "\(number) at \(second) recent samples from \(least) to \(greatest), sum \(sum), \(run.count) bytes"
    case .recentMembers(let number, let second, let members):
      "\(number) at \(second) recent members, \(members.count) bytes"
    case .history(let number, let bytes): "\(number) history, \(bytes.count) bytes"
    case .family(let kind, let name, let totals):
      "metric \(kind.label) \(String(decoding: name, as: UTF8.self)) total \(Self.text(totals.whole, totals.fraction)) sum \(totals.sum) resets \(Self.text(totals.baseWhole, totals.baseFraction))"
    case .familyHistory(let kind, let name, let bytes):
      "metric \(kind.label) \(String(decoding: name, as: UTF8.self)) history, \(bytes.count) bytes"
    }
  }

  private static func text(_ whole: Int64, _ fraction: Double) -> String {
    fraction == 0 ? "\(whole)" : "\(whole) and \(fraction)"
  }
}
