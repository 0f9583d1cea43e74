import Aggregation
import Bytes
import Protocol

/// What `/stats/{metric}` says when everything is found.
struct MetricAnswer {
  private let state: QueryState
  private let name: [UInt8]
  private let window: StatsWindow
  private let found: [Found]
  /// What could be had of the store; nil: this agent's own counts are wanted.
  private let parts: SharedParts?

  /// What this agent knows of the metric's one kind.
  struct Found {
    let kind: SampleKind
    fileprivate var seriesCount = 0
    /// With a filter: how many of the series that fit have a history, and their total. Without one the metric's own are looked at, which
    /// are whole: what left is in the family's total and in no series.
    fileprivate var withHistory: Int?
    fileprivate var total: (whole: Int64?, value: Double) = (0, 0)
    /// Of a timer.
    fileprivate var sum = 0.0
    fileprivate var recent = HistoryAmount()
    fileprivate var plot: HistoryPlot?
    fileprivate var sketches: HistoryBlobPlot<Sketch>?
    fileprivate var members: HistoryBlobPlot<HyperLogLog.Ranks>?
    /// An object with the top series.
    fileprivate var top: ByteWriter

    /// Nothing, of a kind that has a history.
    init(_ kind: SampleKind, _ window: StatsWindow) {
      self.kind = kind
      if kind == .set {
        members = .init(from: window.sketchStart, to: window.wall)
      } else {
        plot = window.plot
      }
      if kind.isTimer { sketches = .init(from: window.sketchStart, to: window.wall) }
      top = JSONWriter.object { json in
        json.key("top")
        json.array { _ in }
      }
    }

    /// - Parameter recent: what it counted in the window.
    init(_ scan: FamilyScan, _ family: Family, recent: HistoryAmount, isFiltered: Bool, top: ByteWriter) {
      kind = scan.kind
      seriesCount = scan.seriesCount
      withHistory = isFiltered && kind.hasHistory ? scan.withHistory : nil
      total = isFiltered ? scan.total : family.total
      sum = isFiltered ? scan.sum : family.sum
      self.recent = recent
      plot = scan.plot
      sketches = scan.sketches
      members = scan.members
      self.top = top
    }

    /// Where others' parts of it are.
    func keys(_ metric: [UInt8], _ window: StatsWindow) -> [SharedKey] {
      let parts: [SharedKey.Part] =
        switch kind {
        case .counter, .event: [.total] + (plot.map { window.span.counts(step: $0.step) } ?? [])
        case .timer, .histogram, .distribution: window.sketchSpan.samples
        case .set: window.sketchSpan.members
        case .gauge, .serviceCheck: []
        }
      return parts.map { SharedKey(kind, metric: metric, $0) }
    }
  }

  init(_ state: QueryState, _ name: [UInt8], _ window: StatsWindow, _ found: [Found], _ parts: SharedParts? = nil) {
    self.state = state
    self.name = name
    self.window = window
    self.found = found
    self.parts = parts
  }

  var response: Response {
    .json(
      JSONWriter.object(capacity: 4_096) { json in
        json.member("name", String(decoding: name, as: UTF8.self))
        json.member("timeframe_hours", window.hours)
        json.member("window_seconds", window.seconds)
        json.members(of: parts, state)
        if found.count == 1 { return write(found[0], to: &json) }
        json.key("types")
        json.array { json in
          for one in found { json.object { write(one, to: &$0) } }
        }
      })
  }

  private func write(_ found: Found, to json: inout JSONWriter) {
    json.member("type", found.kind.label)
    json.member("series", found.seriesCount)
    if let withHistory = found.withHistory { json.member("series_with_history", withHistory) }
    if found.kind.isTimer {
      writeTimer(found, to: &json)
    } else if found.kind.isSummed {
      writeCounter(found, to: &json)
    }
    if let members = found.members { writeMembers(members, to: &json) }
    if found.kind.isTimer, let plot = found.plot { json.points(plot, isTimer: true) }
    if let sketches = found.sketches { writeQuantiles(sketches, to: &json) }
    json.members(of: found.top)
  }

  // MARK: Counters

  private func writeCounter(_ found: Found, to json: inout JSONWriter) {
    let isFiltered = found.withHistory != nil
    let counts = MetricCounts(state: state, window: window, parts: parts)
    json.member("total", total: isFiltered ? found.total : counts.total(name, found.kind))
    var recent = found.recent
    guard var plot = found.plot else { return }
    parts?.forEachCount(found.kind, name, in: window.span.counts(step: plot.step), from: window.countStart) {
      recent.add($1)
      plot.add($1, at: $0)
    }
    writeRecent(recent.count, seconds: window.seconds, to: &json)
    json.points(plot, isTimer: false)
  }

  private func writeRecent(_ count: (whole: Int64?, value: Double), seconds: Int64, to json: inout JSONWriter) {
    json.member("recent", total: count)
    json.member("rate", count.value / Double(max(1, seconds)))
  }

  // MARK: Timers

  /// Count and sum since the start, and of the window; extremes and quantiles of the window, null while it is empty. All in the lines'
  /// own unit. Of all agents' samples the count is that of the quantiles' window.
  private func writeTimer(_ found: Found, to json: inout JSONWriter) {
    json.key("unit")
    if found.kind == .timer { json.string("ms") } else { json.null() }
    json.member("count", total: found.total)
    json.member("sum", found.sum)
    var others = Sketch()
    parts?.addSamples(found.kind, name, window.sketchSpan, to: &others)
    var recent = found.recent
    recent.add(others)
    writeRecent(recent.count, seconds: parts == nil ? window.seconds : window.sketchSeconds, to: &json)
    json.member("recent_sum", recent.sum)
    var sketch = found.sketches?.all ?? Sketch()
    sketch.merge(others)
    json.member("quantile_window_seconds", window.sketchSeconds)
    // Extremes of nothing are infinite, which JSON writes as null.
    json.member("min", sketch.least)
    json.member("max", sketch.greatest)
    json.member("quantiles") { json in
      for share in state.settings.quantiles {
        json.key("\(share)".utf8)
        json.number(sketch.quantile(share) ?? .nan)
      }
    }
  }

  /// The quantiles of each step, null where it is empty.
  private func writeQuantiles(_ sketches: HistoryBlobPlot<Sketch>, to json: inout JSONWriter) {
    json.member("quantile_history") { json in
      json.member("step", sketches.step)
      json.member("start", sketches.start)
      json.member("quantiles") { json in
        for share in state.settings.quantiles {
          json.key("\(share)".utf8)
          json.array { json in for step in sketches.steps { json.number(step?.quantile(share) ?? .nan) } }
        }
      }
    }
  }

  // MARK: Sets

  private func writeMembers(_ members: HistoryBlobPlot<HyperLogLog.Ranks>, to json: inout JSONWriter) {
    var all = members.all
    parts?.addMembers(name, window.sketchSpan, to: &all)
    json.member("distinct", all.cardinality)
    json.member("distinct_window_seconds", window.sketchSeconds)
    json.history(members.steps, from: members.start, step: members.step) { step, json in
      json.number(step?.cardinality ?? 0)
    }
  }
}

extension JSONWriter {
  /// Each point: the second at which it begins, the count, and of timers the sum.
  mutating func points(_ plot: HistoryPlot, isTimer: Bool) {
    history(plot.amounts, from: plot.start, step: plot.step) { amount, json in
      json.number(amount.count)
      if isTimer { json.number(amount.sum) }
    }
  }

  /// Points a step apart, each an array of the second at which it begins and what `write` says of it.
  fileprivate mutating func history<Point>(
    _ points: [Point], from start: Int64, step: Int64, _ write: (Point, inout JSONWriter) -> Void
  ) {
    member("history") { json in
      json.member("step", step)
      json.key("points")
      json.array { json in
        for (place, point) in points.enumerated() {
          json.array { json in
            json.number(start + Int64(place) * step)
            write(point, &json)
          }
        }
      }
    }
  }
}
