import Aggregation
import Bytes
import Platform
import Protocol

/// The last answer of `/stats`, kept in its parts: it holds until something is counted or the window moves on, and the books until
/// the next gather. Only the time is written anew for each request.
struct StatsAnswer {
  /// What was asked.
  struct Question: Equatable {
    var limit: Int
    var window: StatsWindow

    /// Whether an answer to `other` answers this too; the time of day itself stands in no part that is kept.
    func isAnswered(by other: Question) -> Bool {
      limit == other.limit && window.hours == other.window.hours && window.countStart == other.window.countStart
        && window.sketchStart == other.window.sketchStart
    }
  }

  private var question: Question?
  private var generation: UInt64 = 0
  private var counts: [UInt8] = []
  private var ledger: [UInt8] = []
  private var ledgerGather = -1

  /// The answer, if it is known.
  mutating func response(to question: Question, _ state: QueryState) -> Response? {
    guard let kept = self.question, question.isAnswered(by: kept), generation == state.view.generation else {
      return nil
    }
    if ledgerGather != state.gathersDone {
      ledgerGather = state.gathersDone
      ledger = JSONWriter.object(capacity: 2_048) { StatusAnswer.writeLedger(state.books, to: &$0) }.bytes
    }
    var text = ByteWriter(capacity: counts.count + ledger.count + 512)
    text.append("{" as StaticString)
    text.append(Self.time(state, question.window))
    text.append(counts)
    text.append(",\"ledger\":" as StaticString)
    text.append(ledger)
    text.append("}" as StaticString)
    return .json(text)
  }

  /// Keeps the answer to a question about the view as it is now.
  mutating func keep(_ question: Question, _ state: QueryState, shown: [(family: FamilyID, top: [SeriesID])]) {
    self.question = question
    generation = state.view.generation
    // As members of an object without its braces.
    let object = JSONWriter.object(capacity: 16_384) { Self.write(question.window, state, shown, to: &$0) }.bytes
    counts = [UInt8(ascii: ",")] + object[1..<object.count - 1]
  }

  private static func time(_ state: QueryState, _ window: StatsWindow) -> ArraySlice<UInt8> {
    let uptime = state.uptimeNanoseconds / 1_000_000_000
    let object = JSONWriter.object { json in
      json.member("uptime_seconds", state.uptimeSeconds)
      json.member("uptime_formatted", "\(uptime / 3_600)h \(uptime / 60 % 60)m \(uptime % 60)s")
      json.member("current_time", WallClock.iso8601(Clock.wall()))
      json.member("server_status", "healthy")
      json.member("timeframe_hours", window.hours)
      json.member("window_seconds", window.seconds)
      json.member("unique_visitors_window_seconds", window.sketchSeconds)
    }.bytes
    return object[1..<object.count - 1]
  }

  private static func write(
    _ window: StatsWindow, _ state: QueryState, _ shown: [(family: FamilyID, top: [SeriesID])],
    to json: inout JSONWriter
  ) {
    for (name, total, recent) in [
      (VisitNames.visit, "total_visits", "recent_visits"), (VisitNames.buy, "total_buys", "n_recent_buys"),
    ] as [([UInt8], StaticString, StaticString)] {
      let family = state.view.family(named: name, kind: .counter)
      json.key(total)
      json.number(state.total(of: name))
      json.key(recent)
      json.number(family.flatMap { state.view.recent(ofFamily: $0, from: window.countStart)?.count } ?? (0, 0))
    }
    json.member("unique_visitors", visitors(state.view, window))
    json.member("metrics_known", state.view.familyCount)
    json.member("metrics") { writeMetrics(window, state, shown, to: &$0) }
  }

  /// Members of all sets `visit_users`; where nobody sends users, the addresses that visits came from.
  private static func visitors(_ view: borrowing MergedView, _ window: StatsWindow) -> UInt64 {
    let users = view.family(named: Array("visit_users".utf8), kind: .set)
    guard let family = users ?? view.family(named: Array("visit_addresses".utf8), kind: .set) else { return 0 }
    var members = HyperLogLog.Ranks()
    view.addMembers(ofFamily: family, from: window.sketchStart, to: &members)
    return members.cardinality
  }

  /// By name; metrics of several kinds that share a name share its member, under `types`.
  private static func writeMetrics(
    _ window: StatsWindow, _ state: QueryState, _ shown: [(family: FamilyID, top: [SeriesID])],
    to json: inout JSONWriter
  ) {
    var names: [[UInt8]] = []
    var byName: [[UInt8]: [(family: FamilyID, top: [SeriesID])]] = [:]
    for one in shown {
      let name = state.view.name(of: one.family)
      if byName[name] == nil { names.append(name) }
      byName[name, default: []].append(one)
    }
    for name in names {
      guard let ones = byName[name] else { continue }
      json.key(name)
      json.object { json in
        if ones.count == 1 { return write(ones[0].family, ones[0].top, window, state, to: &json) }
        json.key("types")
        json.array { json in
          for one in ones { json.object { write(one.family, one.top, window, state, to: &$0) } }
        }
      }
    }
  }

  private static func write(
    _ id: FamilyID, _ top: [SeriesID], _ window: StatsWindow, _ state: QueryState, to json: inout JSONWriter
  ) {
    let family = state.view.family(id)
    json.member("type", family.kind.label)
    if family.kind.isSummed {
      json.key("total")
      json.number(family.kind.isTimer ? family.total : state.view.countSinceReset(family: id))
      json.key("recent")
      json.number(state.view.recent(ofFamily: id, from: window.countStart)?.count ?? (0, 0))
    }
    json.member("series", family.seriesCount)
    json.key("top")
    json.array { json in
      for series in top { json.object { $0.members(of: series, in: &state.view) } }
    }
  }
}
