import Aggregation
import Bytes
import Protocol

/// `/stats/{metric}`: everything about one name; where metrics of several kinds share it, one entry each.
final class MetricWork {
  private static let slice = 50_000

  private let state: QueryState
  private let pin: ViewPin
  private let name: [UInt8]
  private let isFiltered: Bool
  private var scans: [FamilyScan]
  private var scanned = 0

  static func answer(_ state: QueryState, _ call: Route.Call) -> Route.Answer {
    var parameters = QueryParameters(call.request)
    let top = parameters.integer("top", default: 10, in: 0...1_000)
    let filter = SeriesFilter(matches: parameters.labelMatches())
    if let refusal = parameters.refusal { return .ready(refusal) }
    let name = Array(call.values[0].utf8)
    let scans = SampleKind.allCases.compactMap { kind in
      state.view.family(named: name, kind: kind).map {
        FamilyScan($0, in: state.view, top: top, filter: filter, merges: true)
      }
    }
    if scans.isEmpty { return .ready(.fault(.notFound)) }
    let work = MetricWork(state, name, scans, isFiltered: !filter.matches.isEmpty)
    return .work { work.step() }
  }

  private init(_ state: QueryState, _ name: [UInt8], _ scans: [FamilyScan], isFiltered: Bool) {
    self.state = state
    pin = ViewPin(state)
    self.name = name
    self.scans = scans
    self.isFiltered = isFiltered
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
    if scan.kind.isTimer {
      writeTimer(scan, to: &json)
    } else if scan.kind == .set {
      json.member("distinct", scan.distinct)
    } else if scan.kind.isSummed {
      json.key("total")
      // What left is in the family's total and in no series.
      json.number(isFiltered ? scan.total : state.view.countSinceReset(family: scan.family))
    }
    json.key("top")
    json.array { json in
      for series in scan.top.elements { json.object { $0.members(of: series, in: &state.view) } }
    }
  }

  /// Count and sum since the start; extremes and quantiles of the window, null while it is empty. All in the lines' own unit.
  private func writeTimer(_ scan: FamilyScan, to json: inout JSONWriter) {
    let family = state.view.family(scan.family)
    json.key("unit")
    if scan.kind == .timer { json.string("ms") } else { json.null() }
    json.key("count")
    json.number(isFiltered ? scan.total : family.total)
    json.member("sum", isFiltered ? scan.sum : family.sum)
    json.member("quantile_window_seconds", state.view.settings.quantileWindow)
    // Extremes of nothing are infinite, which JSON writes as null.
    json.member("min", scan.sketch.least)
    json.member("max", scan.sketch.greatest)
    json.member("quantiles") { json in
      for share in state.settings.quantiles {
        json.key("\(share)".utf8)
        json.number(scan.sketch.quantile(share) ?? .nan)
      }
    }
  }
}
