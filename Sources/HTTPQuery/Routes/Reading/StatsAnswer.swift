import Aggregation
import Bytes
import Platform
import Protocol

/// Answers of `/stats`. The last one about this agent's own counts is kept in its parts: it holds until something is counted or the window
/// moves on, and the books until the next gather. Only the time is written anew for each request.
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

  /// A metric to show.
  struct Metric {
    var name: [UInt8]
    var kind: SampleKind
    /// An object of what is this agent's own: the number of series, the top ones.
    var details: ByteWriter
  }

  private var question: Question?
  private var generation: UInt64 = 0
  private var counts = ByteWriter()
  private var ledger = ByteWriter()
  private var ledgerGather = -1

  /// The answer of this agent's own counts, if it is known.
  mutating func response(to question: Question, _ state: QueryState) -> Response? {
    guard let kept = self.question, question.isAnswered(by: kept), generation == state.view.generation else {
      return nil
    }
    return response(question.window, counts, nil, state)
  }

  /// Keeps the answer to a question about the view as it is now.
  mutating func keep(_ question: Question, _ state: QueryState, shown: [Metric]) {
    self.question = question
    generation = state.view.generation
    counts = Self.counts(MetricCounts(state: state, window: question.window, parts: nil), shown)
  }

  /// The answer of all agents' counts.
  mutating func response(
    to question: Question, _ state: QueryState, shown: [Metric], parts: SharedParts
  ) -> Response {
    let counts = Self.counts(MetricCounts(state: state, window: question.window, parts: parts), shown)
    return response(question.window, counts, parts, state)
  }

  private mutating func response(
    _ window: StatsWindow, _ counts: ByteWriter, _ parts: SharedParts?, _ state: QueryState
  ) -> Response {
    if ledgerGather != state.gathersDone {
      ledgerGather = state.gathersDone
      ledger = JSONWriter.object(capacity: 2_048) { json in
        json.member("ledger") { StatusAnswer.writeLedger(state.books, to: &$0) }
      }
    }
    return .json(
      JSONWriter.object(capacity: counts.count + ledger.count + 512) { json in
        Self.writeTime(state, window, to: &json)
        json.members(of: parts, state)
        json.members(of: counts)
        json.members(of: ledger)
      })
  }

  private static func writeTime(_ state: QueryState, _ window: StatsWindow, to json: inout JSONWriter) {
    let uptime = state.uptimeNanoseconds / 1_000_000_000
    json.member("uptime_seconds", state.uptimeSeconds)
    json.member("uptime_formatted", "\(uptime / 3_600)h \(uptime / 60 % 60)m \(uptime % 60)s")
    json.member("current_time", WallClock.iso8601(Clock.wall()))
    json.member("server_status", "healthy")
    json.member("timeframe_hours", window.hours)
    json.member("window_seconds", window.seconds)
    json.member("unique_visitors_window_seconds", window.sketchSeconds)
  }

  private static func counts(_ counts: MetricCounts, _ shown: [Metric]) -> ByteWriter {
    JSONWriter.object(capacity: 16_384) { json in
      json.member("total_visits", total: counts.total(VisitNames.visit, .counter))
      json.member("recent_visits", total: counts.recent(VisitNames.visit, .counter))
      json.member("total_buys", total: counts.total(VisitNames.buy, .counter))
      json.member("n_recent_buys", total: counts.recent(VisitNames.buy, .counter))
      json.member("unique_visitors", counts.visitors)
      json.member("metrics_known", counts.state.view.familyCount)
      json.member("metrics") { writeMetrics(counts, shown, to: &$0) }
    }
  }

  /// By name; metrics of several kinds that share a name share its member, under `types`.
  private static func writeMetrics(_ counts: MetricCounts, _ shown: [Metric], to json: inout JSONWriter) {
    var names: [[UInt8]] = []
    var byName: [[UInt8]: [Metric]] = [:]
    for one in shown {
      if byName[one.name] == nil { names.append(one.name) }
      byName[one.name, default: []].append(one)
    }
    for name in names {
      guard let ones = byName[name] else { continue }
      json.key(name)
      json.object { json in
        if ones.count == 1 { return write(ones[0], counts, to: &json) }
        json.key("types")
        json.array { json in
          for one in ones { json.object { write(one, counts, to: &$0) } }
        }
      }
    }
  }

  private static func write(_ metric: Metric, _ counts: MetricCounts, to json: inout JSONWriter) {
    json.member("type", metric.kind.label)
    if metric.kind.isSummed {
      json.member("total", total: counts.total(metric.name, metric.kind))
      json.member("recent", total: counts.recent(metric.name, metric.kind))
    }
    json.members(of: metric.details)
  }
}
