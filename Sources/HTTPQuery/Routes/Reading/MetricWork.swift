import Aggregation
import Bytes
import Protocol

/// `/stats/{metric}`: everything about one name; where metrics of several kinds share it, one entry each.
final class MetricWork {
  private static let slice = 50_000

  private let state: QueryState
  private let reading: ConsistentRead
  private let name: [UInt8]
  private let window: StatsWindow
  private let isFiltered: Bool
  /// So many of the top series show their points.
  private let topPoints: Int
  private var scans: [FamilyScan]
  private var scanned = 0

  static func answer(_ state: QueryState, _ call: Route.Call) -> Route.Answer {
    var parameters = QueryParameters(call.request)
    let top = parameters.integer("top", default: 10, in: 0...1_000)
    let topPoints = parameters.integer("top_points", default: 0, in: 0...50)
    let filter = SeriesFilter(matches: parameters.labelMatches())
    let window = StatsWindow(&parameters, wall: state.view.wall)
    let ranksByRecent = parameters.word("by", of: ["total", "recent"]) == "recent"
    if let refusal = parameters.refusal { return .ready(refusal) }
    let name = Array(call.values[0].utf8)
    let scans = SampleKind.allCases.compactMap { kind in
      state.view.family(named: name, kind: kind).map {
        FamilyScan($0, in: state.view, top: top, filter: filter, window: window, ranksByRecent: ranksByRecent)
      }
    }
    if scans.isEmpty { return .ready(.fault(.notFound)) }
    let work = MetricWork(state, name, window, scans, isFiltered: !filter.matches.isEmpty, topPoints: topPoints)
    return .work { work.step().map { .ready($0) } }
  }

  private init(
    _ state: QueryState, _ name: [UInt8], _ window: StatsWindow, _ scans: [FamilyScan], isFiltered: Bool, topPoints: Int
  ) {
    self.state = state
    reading = ConsistentRead(state)
    self.name = name
    self.window = window
    self.scans = scans
    self.isFiltered = isFiltered
    self.topPoints = topPoints
  }

  private func step() -> Response? {
    var budget = Self.slice
    while scanned < scans.count {
      if !scans[scanned].step(&state.view, budget: &budget) { return nil }
      scanned += 1
    }
    return .json(
      JSONWriter.object(capacity: 4_096) { json in
        json.member("name", String(decoding: name, as: UTF8.self))
        json.member("timeframe_hours", window.hours)
        json.member("window_seconds", window.seconds)
        if scans.count == 1 { return write(scans[0], to: &json) }
        json.key("types")
        json.array { json in
          for scan in scans { json.object { write(scan, to: &$0) } }
        }
      })
  }

  private func write(_ scan: FamilyScan, to json: inout JSONWriter) {
    json.member("type", scan.kind.label)
    json.member("series", scan.seriesCount)
    // Without a filter the metric's own history is looked at, which is whole.
    if isFiltered && scan.kind.hasHistory { json.member("series_with_history", scan.withHistory) }
    if scan.kind.isTimer {
      writeTimer(scan, to: &json)
    } else if scan.kind.isSummed {
      json.key("total")
      // What left is in the family's total and in no series.
      json.number(isFiltered ? scan.total : state.view.countSinceReset(family: scan.family))
      writeRecent(scan, to: &json)
    }
    if let members = scan.members { writeMembers(members, to: &json) }
    if let plot = scan.plot { writePoints(plot, isTimer: scan.kind.isTimer, to: &json) }
    if let sketches = scan.sketches { writeQuantiles(sketches, to: &json) }
    json.key("top")
    json.array { json in
      for (place, series) in scan.top.elements.enumerated() {
        json.object { write(series, scan.kind, showsPoints: place < topPoints, to: &$0) }
      }
    }
  }

  private func write(_ series: SeriesID, _ kind: SampleKind, showsPoints: Bool, to json: inout JSONWriter) {
    json.members(of: series, in: &state.view)
    if !kind.isSummed { return }
    json.key("recent")
    if let recent = state.view.recent(of: series, from: window.countStart) {
      json.number(recent.count)
    } else {
      json.null()
    }
    if !showsPoints { return }
    var plot = HistoryPlot(from: window.countStart, to: window.wall)
    state.view.add(series, to: &plot)
    writePoints(plot, isTimer: kind.isTimer, to: &json)
  }

  private func writeRecent(_ scan: FamilyScan, to json: inout JSONWriter) {
    json.key("recent")
    json.number(scan.recent.count)
    json.member("rate", scan.recent.count.value / Double(max(1, window.seconds)))
  }

  /// Count and sum since the start, and of the window; extremes and quantiles of the window, null while it is empty. All in the lines'
  /// own unit.
  private func writeTimer(_ scan: FamilyScan, to json: inout JSONWriter) {
    let family = state.view.family(scan.family)
    json.key("unit")
    if scan.kind == .timer { json.string("ms") } else { json.null() }
    json.key("count")
    json.number(isFiltered ? scan.total : family.total)
    json.member("sum", isFiltered ? scan.sum : family.sum)
    writeRecent(scan, to: &json)
    json.member("recent_sum", scan.recent.sum)
    guard let sketch = scan.sketches?.all else { return }
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

  private func writeMembers(_ members: HistoryBlobPlot<HyperLogLog.Ranks>, to json: inout JSONWriter) {
    json.member("distinct", members.all.cardinality)
    json.member("distinct_window_seconds", window.sketchSeconds)
    writeHistory(members.steps, from: members.start, step: members.step, to: &json) { step, json in
      json.number(step?.cardinality ?? 0)
    }
  }

  /// Each point: the second at which it begins, the count, and of timers the sum.
  private func writePoints(_ plot: HistoryPlot, isTimer: Bool, to json: inout JSONWriter) {
    writeHistory(plot.amounts, from: plot.start, step: plot.step, to: &json) { amount, json in
      json.number(amount.count)
      if isTimer { json.number(amount.sum) }
    }
  }

  /// Points a step apart, each an array of the second at which it begins and what `write` says of it.
  private func writeHistory<Point>(
    _ points: [Point], from start: Int64, step: Int64, to json: inout JSONWriter,
    _ write: (Point, inout JSONWriter) -> Void
  ) {
    json.member("history") { json in
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
}
