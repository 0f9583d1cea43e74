import Aggregation

/// The time that an answer looks back over, up to the last gather.
struct StatsWindow: Equatable {
  /// As it was asked for, or 1.
  let hours: Double
  /// The time of day in seconds since 1970.
  let wall: Int64
  /// Seconds since 1970 at which the window begins: with a minute up to 24 hours, with an hour beyond.
  let countStart: Int64
  /// The same for distinct members and quantiles: with a minute up to an hour, with an hour beyond.
  private(set) var sketchStart: Int64
  /// What several agents share is looked at.
  private(set) var isShared = false

  init(_ parameters: inout QueryParameters, wall: Int64) {
    self.init(hours: parameters.number("timeframe_hours", default: 1, in: 0.1...Double(HistorySpan.hours)), wall: wall)
  }

  init(hours: Double, wall: Int64) {
    self.hours = hours
    self.wall = wall
    let seconds = Int64((hours * 3_600).rounded())
    countStart = HistorySpan.start(ofCounts: seconds, before: wall)
    sketchStart = HistorySpan.start(ofSketches: seconds, before: wall)
  }

  /// The same window of what several agents share, who tell each other of members and samples by the hour, and of
  /// counts by the minute.
  var shared: StatsWindow {
    var window = self
    window.sketchStart -= sketchStart % 3_600
    window.isShared = true
    return window
  }

  /// Where others' counts of the window are.
  var span: SharedSpan { SharedSpan(from: countStart, wall: wall) }
  /// Where the members and samples of a shared window are.
  var sketchSpan: SharedSpan { SharedSpan(from: sketchStart, wall: wall) }

  /// To plot its counts.
  var plot: HistoryPlot { HistoryPlot(from: countStart, to: wall, finestStep: isShared ? 60 : 1) }

  var seconds: Int64 { wall - countStart }
  var sketchSeconds: Int64 { wall - sketchStart }
}
