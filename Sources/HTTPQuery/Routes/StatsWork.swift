import Aggregation
import Bytes
import Platform
import Protocol

/// `/stats`: totals, and the busiest metrics with their busiest series.
///
/// One pass over the families picks those to show, and only theirs are then looked at series by series; both in slices.
final class StatsWork {
  /// Series of a metric that are shown.
  private static let topSeries = 10
  /// Families or series in one turn of the loop: about a millisecond.
  private static let slice = 50_000

  private let state: QueryState
  private let pin: ViewPin
  private var next: FamilyID?
  private var busiest: TopList<FamilyID>
  private var scans: [FamilyScan] = []
  private var scanned = 0
  private var hasPicked = false

  static func answer(_ state: QueryState, _ call: Route.Call) -> Route.Answer {
    var parameters = QueryParameters(call.request)
    let limit = parameters.integer("limit", default: 100, in: 1...1_000)
    if let refusal = parameters.refusal { return .ready(refusal) }
    let work = StatsWork(state, limit: limit)
    return .work { work.step() }
  }

  private init(_ state: QueryState, limit: Int) {
    self.state = state
    pin = ViewPin(state)
    next = state.view.firstFamily
    busiest = TopList(limit: limit)
  }

  private func step() -> Response? {
    var budget = Self.slice
    if !hasPicked && !pick(&state.view, &budget) { return nil }
    while scanned < scans.count {
      if !scans[scanned].step(&state.view, budget: &budget) { return nil }
      scanned += 1
    }
    return .json(JSONWriter.object(capacity: 16_384) { write(to: &$0) })
  }

  /// - Returns: true when the metrics to show are known.
  private func pick(_ view: inout MergedView, _ budget: inout Int) -> Bool {
    while let id = next {
      if budget <= 0 { return false }
      budget -= 1
      busiest.offer(id, rank: view.family(id).total.value)
      next = view.family(after: id)
    }
    scans = busiest.elements.map { FamilyScan($0, in: view, top: Self.topSeries) }
    hasPicked = true
    return true
  }

  private func write(to json: inout JSONWriter) {
    let uptime = state.uptimeNanoseconds / 1_000_000_000
    json.member("uptime_seconds", state.uptimeSeconds)
    json.member("uptime_formatted", "\(uptime / 3_600)h \(uptime / 60 % 60)m \(uptime % 60)s")
    json.member("current_time", WallClock.iso8601(Clock.wall()))
    json.member("server_status", "healthy")
    json.key("total_visits")
    json.number(total(of: "visit"))
    json.key("total_buys")
    json.number(total(of: "buy"))
    json.member("metrics_known", state.view.familyCount)
    json.member("metrics") { writeMetrics(to: &$0) }
    json.member("ledger") { StatusAnswer.writeLedger(state.books, to: &$0) }
  }

  private func total(of metric: String) -> (whole: Int64?, value: Double) {
    guard let family = state.view.family(named: Array(metric.utf8), kind: .counter) else { return (0, 0) }
    return state.view.family(family).total
  }

  /// By name; metrics of several kinds that share a name share its member, under `types`.
  private func writeMetrics(to json: inout JSONWriter) {
    var names: [[UInt8]] = []
    var byName: [[UInt8]: [FamilyScan]] = [:]
    for scan in scans {
      let name = state.view.name(of: scan.family)
      if byName[name] == nil { names.append(name) }
      byName[name, default: []].append(scan)
    }
    for name in names {
      guard let scans = byName[name] else { continue }
      json.key(name)
      json.object { json in
        if scans.count == 1 { return write(scans[0], to: &json) }
        json.key("types")
        json.array { json in
          for scan in scans { json.object { write(scan, to: &$0) } }
        }
      }
    }
  }

  private func write(_ scan: FamilyScan, to json: inout JSONWriter) {
    let family = state.view.family(scan.family)
    json.member("type", scan.kind.label)
    if scan.kind.isSummed {
      json.key("total")
      json.number(family.total)
    }
    json.member("series", family.seriesCount)
    json.key("top")
    json.array { json in
      for series in scan.top.elements { json.object { $0.members(of: series, in: &state.view) } }
    }
  }
}

extension SampleKind {
  /// Whether a total over all series says something: a sum of counts, or a number of samples.
  var isSummed: Bool {
    switch self {
    case .counter, .event, .timer, .histogram, .distribution: true
    case .gauge, .set, .serviceCheck: false
    }
  }
}
