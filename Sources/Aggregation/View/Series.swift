import Protocol

/// Names a series in the merged view for as long as it lives.
package typealias SeriesID = UInt32
/// Names a family in the merged view for as long as it lives.
package typealias FamilyID = UInt32

/// One series over all tables, 48 bytes.
package struct Series: BitwiseCopyable {
  /// Counters: the whole part of the total. Gauges: the stamp of the newest absolute value. Timers, sets: the number of their state.
  var whole: Int64
  /// Counters: the part of the total that is no whole number. Gauges: the value.
  var fraction: Double
  /// Where the normal spelling stands in the arena.
  var spelling: UInt32
  var spellingLength: UInt16
  /// Records that feed it, and how many of them the budget paid for.
  var records: UInt16
  var paidRecords: UInt16
  var isLive: Bool
  package var kind: SampleKind
  package var family: FamilyID
  /// Neighbours in the family, id + 1; 0 is none.
  var next: UInt32
  var previous: UInt32
  /// Seconds of the reader's clock at the last change.
  package var changed: UInt32

  /// A counter's total. Exact while it is whole; `whole` is nil once a fraction or an overflow has come in.
  package var total: (whole: Int64?, value: Double) {
    fraction == 0 ? (whole, Double(whole)) : (nil, Double(whole) + fraction)
  }
  /// A gauge's value.
  package var gauge: Double { fraction }
}

/// All series of one name and kind.
package struct Family: BitwiseCopyable {
  var name: UInt32
  var nameLength: UInt16
  var isLive: Bool
  package var kind: SampleKind
  /// Neighbours in the order of appearance, id + 1; 0 is none.
  var next: UInt32
  var previous: UInt32
  /// First and last series, id + 1; 0 is none.
  var first: UInt32
  var last: UInt32
  package var seriesCount: UInt32
  /// Seconds of the reader's clock at the last change.
  package var changed: UInt32
  /// What all its series, those that left too, have counted: samples' sum for counters, number of samples for timers.
  var whole: Int64
  var fraction: Double
  /// Timers: the sum of all values.
  package var sum: Double
  /// Its list of busiest series, number + 1; 0 is none.
  var busiest: UInt32 = 0

  /// As `Series.total`, over the family.
  package var total: (whole: Int64?, value: Double) {
    fraction == 0 ? (whole, Double(whole)) : (nil, Double(whole) + fraction)
  }
}
