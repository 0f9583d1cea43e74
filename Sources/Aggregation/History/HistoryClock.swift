/// The moment, as history takes it: the time of day decides the bucket, the reader's clock who was counted last.
struct HistoryClock {
  /// Seconds since 1970, which an operator may set back and forth.
  var wall: UInt32 = 0
  /// The reader's clock in seconds, which never goes back.
  var second: Int64 = 0

  init() {}

  /// - Parameter wall: clamped to what 32 bits hold: 1970 to 2106.
  init(wall: Int64, second: Int64) {
    self.wall = Self.clamped(wall)
    self.second = second
  }

  static func clamped(_ wall: Int64) -> UInt32 { UInt32(min(max(1, wall), Int64(UInt32.max) - 1)) }
}

/// How long history keeps what, and which window an answer looks back over.
package enum HistorySpan {
  /// Seconds that are kept one by one, minutes, hours, and minutes of sketches and members.
  package static let seconds: Int64 = 600
  /// Minutes for which minutes are kept.
  package static let minutes: Int64 = 1_440
  /// Hours for which hours are kept.
  package static let hours: Int64 = 168
  static let blobMinutes: Int64 = 60
  /// Minutes are kept for an hour more, so that windows stay exact after the clock was set back by less.
  static let spareMinutes: Int64 = 60
  /// Farther ahead of the clock a sample's time is not believed.
  package static let secondsAhead: Int64 = 60

  /// Whether a sample's own time lets it into history.
  package static func includes(_ second: Int64, at wall: Int64) -> Bool {
    let ahead = second.subtractingReportingOverflow(wall)
    return !ahead.overflow && ahead.partialValue <= secondsAhead && ahead.partialValue >= -hours * 3_600
  }

  /// The seconds since 1970 at which a window for counts begins: with a minute up to 24 hours, with an hour beyond.
  package static func start(ofCounts seconds: Int64, before wall: Int64) -> Int64 {
    aligned(wall - seconds, to: seconds <= minutes * 60 ? 60 : 3_600)
  }

  /// The same for distinct members and quantiles: with a minute in the last hour, with an hour beyond.
  package static func start(ofSketches seconds: Int64, before wall: Int64) -> Int64 {
    aligned(wall - seconds, to: seconds <= blobMinutes * 60 ? 60 : 3_600)
  }

  private static func aligned(_ second: Int64, to step: Int64) -> Int64 {
    let floor = second / step * step
    return max(0, floor > second ? floor - step : floor)
  }
}
