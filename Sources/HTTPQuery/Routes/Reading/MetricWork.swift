import Aggregation
import Bytes
import Protocol

/// `/stats/{metric}`: everything about one name; where metrics of several kinds share it, one entry each.
final class MetricWork {
  private static let slice = 50_000

  private let state: QueryState
  /// Until all is found.
  private var reading: ConsistentRead?
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
    let asked = StatsWindow(&parameters, wall: state.view.wall)
    let ranksByRecent = parameters.word("by", of: ["total", "recent"]) == "recent"
    // A part of the labels is this agent's own knowledge.
    let scope = filter.matches.isEmpty ? StatsScope(&parameters, state) : .local
    if let refusal = parameters.refusal { return .ready(refusal) }
    let window = scope == .all ? asked.shared : asked
    let name = Array(call.values[0].utf8)
    let scans = SampleKind.allCases.compactMap { kind in
      state.view.family(named: name, kind: kind).map {
        FamilyScan($0, in: state.view, top: top, filter: filter, window: window, ranksByRecent: ranksByRecent)
      }
    }
    if scans.isEmpty && scope == .local { return .ready(.fault(.notFound)) }
    let work = MetricWork(state, name, window, scans, isFiltered: !filter.matches.isEmpty, topPoints: topPoints)
    return .work { work.step() }
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

  private func step() -> Route.Answer? {
    var budget = Self.slice
    while scanned < scans.count {
      if !scans[scanned].step(&state.view, budget: &budget) { return nil }
      scanned += 1
    }
    let (state, name, window) = (state, name, window)
    // A name that this agent has never seen may be of any kind that is shared.
    let isKnown = !scans.isEmpty
    let found =
      isKnown
      ? scans.map { take($0) }
      : SampleKind.allCases.filter(\.hasHistory).map { MetricAnswer.Found($0, window) }
    if !window.isShared { return .ready(MetricAnswer(state, name, window, found).response) }
    // Nothing is held while others are asked.
    reading = nil
    let keys = found.flatMap { $0.keys(name, window) }
    return .shared(keys.map { .read($0) }) { replies in
      let parts = SharedParts(replies, of: keys)
      let there = isKnown ? found : found.filter { parts.has($0.kind, name, window.sketchSpan) }
      if there.isEmpty { return .ready(.fault(.notFound)) }
      return .ready(MetricAnswer(state, name, window, there, parts).response)
    }
  }

  private func take(_ scan: FamilyScan) -> MetricAnswer.Found {
    let top = JSONWriter.object { json in
      json.key("top")
      json.array { json in
        for (place, series) in scan.top.elements.enumerated() {
          json.object { write(series, scan.kind, showsPoints: place < topPoints, to: &$0) }
        }
      }
    }
    var recent = scan.recent
    if window.isShared && scan.kind.isTimer {
      // Others' samples are known by the hour.
      recent = state.view.recent(ofFamily: scan.family, from: window.sketchStart) ?? HistoryAmount()
    }
    return .init(
      scan, state.view.family(scan.family), recent: recent, isFiltered: isFiltered, top: top)
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
    var plot = window.plot
    state.view.add(series, to: &plot)
    json.points(plot, isTimer: kind.isTimer)
  }
}
