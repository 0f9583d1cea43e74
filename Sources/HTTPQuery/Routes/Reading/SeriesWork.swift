import Aggregation
import Bytes
import Protocol

/// `/series`: the live series in the order of the pages of `/metrics`, a number of them at a time.
final class SeriesWork {
  private static let slice = 20_000

  private let state: QueryState
  private let pin: ViewPin
  private let metric: Glob?
  private let filter: SeriesFilter
  private let limit: Int
  private var family: FamilyID?
  /// The series to look at next; nil: the family's first.
  private var next: SeriesID?
  private var found: [SeriesID] = []

  static func answer(_ state: QueryState, _ call: Route.Call) -> Route.Answer {
    var parameters = QueryParameters(call.request)
    let limit = parameters.integer("limit", default: 100, in: 1...10_000)
    let metric = parameters.glob("metric")
    let filter = SeriesFilter(matches: parameters.labelMatches())
    var after: SeriesID?
    var hasLeft = false
    if let text = parameters.text("cursor") {
      if let cursor = SeriesCursor(text) {
        after = cursor.series(in: state.view)
        hasLeft = after == nil
      } else {
        parameters.refuse("value_error", "cursor", "Value error, no page of series ends in such a cursor", text)
      }
    }
    if let refusal = parameters.refusal { return .ready(refusal) }
    if hasLeft { return .ready(.fault(.notFound, "The series at which that page ended has left")) }
    let work = SeriesWork(state, metric, filter, limit: limit, after: after)
    return .work { work.step().map { .ready($0) } }
  }

  private init(_ state: QueryState, _ metric: Glob?, _ filter: SeriesFilter, limit: Int, after: SeriesID?) {
    self.state = state
    pin = ViewPin(state)
    self.metric = metric
    self.filter = filter
    self.limit = limit
    if let after {
      family = state.view.series(after).family
      next = state.view.series(after: after)
      if next == nil { enter(family.flatMap { state.view.family(after: $0) }) }
    } else {
      enter(state.view.firstFamily)
    }
  }

  private func enter(_ family: FamilyID?) {
    self.family = family
    next = family.flatMap { state.view.firstSeries(of: $0) }
  }

  private func step() -> Response? {
    var budget = Self.slice
    while let family, found.count < limit {
      if budget <= 0 { return nil }
      budget -= 1
      if let metric, !metric.matches(state.view.name(of: family).span) {
        enter(state.view.family(after: family))
        continue
      }
      guard let id = next else {
        enter(state.view.family(after: family))
        continue
      }
      if filter.includes(id, state.view) { found.append(id) }
      next = state.view.series(after: id)
    }
    return .json(JSONWriter.object(capacity: 128 * found.count) { write(to: &$0) })
  }

  private func write(to json: inout JSONWriter) {
    json.key("series")
    json.array { json in
      for id in found {
        json.object { json in
          let family = state.view.series(id).family
          json.key("metric")
          json.string(state.view.name(of: family))
          json.member("type", state.view.series(id).kind.label)
          json.members(of: id, in: &state.view)
        }
      }
    }
    json.key("cursor")
    if found.count == limit, let last = found.last {
      json.string(SeriesCursor(last, in: state.view).text)
    } else {
      json.null()
    }
  }
}

/// Where a page of series ended: the last series by its number, and a hash of its spelling, since numbers are used again.
///
/// It holds across gathers as long as that series lives, and within one run of the program.
struct SeriesCursor {
  private let id: SeriesID
  private let hash: UInt64

  init(_ id: SeriesID, in view: borrowing MergedView) {
    self.id = id
    hash = Self.hash(id, view)
  }

  /// Nil for a text that no page gave out.
  init?(_ text: [UInt8]) {
    let parts = String(decoding: text, as: UTF8.self).split(separator: "-", omittingEmptySubsequences: false)
    guard parts.count == 2, let id = SeriesID(parts[0], radix: 36), let hash = UInt64(parts[1], radix: 36) else {
      return nil
    }
    self.id = id
    self.hash = hash
  }

  var text: String { "\(String(id, radix: 36))-\(String(hash, radix: 36))" }

  /// The series, if it is still the one that it was.
  func series(in view: borrowing MergedView) -> SeriesID? {
    view.isLive(id) && Self.hash(id, view) == hash ? id : nil
  }

  private static func hash(_ id: SeriesID, _ view: borrowing MergedView) -> UInt64 {
    var hasher = Hasher()
    hasher.combine(view.series(id).kind)
    view.withSpelling(of: id) { spelling in
      // Safe: the bytes are read within the call.
      unsafe spelling.withUnsafeBytes { unsafe hasher.combine(bytes: $0) }
    }
    return UInt64(bitPattern: Int64(hasher.finalize()))
  }
}
