import Aggregation
import Bytes
import Platform
import Protocol

/// The message that all who watch `/events` get after a flush: made once for all of them, and only while somebody watches.
///
///     flushed ──▶ the busiest pages, in slices if they must be looked for … ──▶ message, number + 1 ──▶ every stream that waits sends it
///
/// One message is kept, the newest. Who is slow misses those in between: there is no queue.
final class EventsFeed {
  /// Streams at a time: each keeps a connection that the others may need.
  static let mostStreams = 64
  /// Pages in a message.
  private static let topPages = 10
  /// Series looked at in one turn of the loop: about a millisecond.
  private static let slice = 50_000

  /// How many messages there have been; a stream that has sent this one has nothing to send.
  private(set) var number = 0
  /// The newest message as it goes out; empty before the first.
  private(set) var message: [UInt8] = []
  /// The program is about to stop: streams end.
  private(set) var hasEnded = false
  var streams = 0
  private var making: Making?
  /// The last flush and the one before it.
  private var samples: (last: Sample?, before: Sample?)

  /// A message under way.
  private struct Making {
    var pin: ViewPin
    var scan: BusiestScan?
    var moment: Sample
    /// What rates are counted from.
    var since: Sample?
  }

  /// What is known of a moment, to tell a rate from two of them.
  private struct Sample {
    var nanoseconds: Int64
    var visits: (whole: Int64?, value: Double)
    var buys: (whole: Int64?, value: Double)
    var tally: LineTally
    var dropped: UInt64
  }

  /// Whether `step` has something to do.
  var isMaking: Bool { making != nil }

  /// A flush has ended: begins a message if somebody watches.
  func flushed(_ state: QueryState) {
    let moment = moment(state)
    if streams > 0 { begin(moment, state) }
    samples = (moment, samples.last)
  }

  /// The first has come to watch: begins a message that is not of a flush.
  func welcome(_ state: QueryState) { begin(moment(state), state) }

  private func begin(_ moment: Sample, _ state: QueryState) {
    if making != nil || hasEnded { return }
    let visits = state.view.family(named: VisitNames.visit, kind: .counter)
    // A rate over a moment says nothing: a flush that has only just been gives way to the one before it.
    let patience = state.settings.flushIntervalNanoseconds / 2
    let isLong = samples.last.map { moment.nanoseconds - $0.nanoseconds >= patience } ?? false
    making = Making(
      pin: ViewPin(state), scan: visits.map { BusiestScan($0, in: state.view, count: Self.topPages) }, moment: moment,
      since: isLong ? samples.last : samples.before)
  }

  private func moment(_ state: QueryState) -> Sample {
    Sample(
      nanoseconds: Clock.monotonic(), visits: state.total(of: VisitNames.visit),
      buys: state.total(of: VisitNames.buy),
      tally: state.books.reduce(into: LineTally()) { $0.add($1.read()) },
      dropped: state.books.reduce(0) { $0 + $1.kernelDrops() })
  }

  /// Goes on with the message under way.
  /// - Returns: true when there is a new one.
  func step(_ state: QueryState) -> Bool {
    guard var work = making.take() else { return false }
    var budget = Self.slice
    var top: [SeriesID] = []
    if var scan = work.scan.take() {
      guard let found = scan.step(&state.view, budget: &budget) else {
        work.scan = scan
        making = work
        return false
      }
      top = found
    }
    let json = JSONWriter.object(capacity: 2_048) { write(work, top, state, to: &$0) }
    message = Array("data: ".utf8) + json.bytes + Array("\n\n".utf8)
    number += 1
    return true
  }

  func end() {
    making = nil
    hasEnded = true
  }

  private func write(_ work: Making, _ top: [SeriesID], _ state: QueryState, to json: inout JSONWriter) {
    let (now, since) = (work.moment, work.since)
    let seconds = since.map { Double(now.nanoseconds - $0.nanoseconds) / 1e9 }
    func rate(_ name: StaticString, _ value: (Sample) -> Double) {
      json.key(name)
      if let since, let seconds, seconds > 0 {
        // A DELETE makes less of a total.
        json.number(max(0, value(now) - value(since)) / seconds)
      } else {
        json.null()
      }
    }
    json.member("time", WallClock.iso8601(Clock.wall()))
    json.member("uptime_seconds", state.uptimeSeconds)
    json.key("total_visits")
    json.number(now.visits)
    json.key("total_buys")
    json.number(now.buys)
    rate("visits_per_second") { $0.visits.value }
    rate("buys_per_second") { $0.buys.value }
    rate("lines_per_second") { Double($0.tally.lines) }
    rate("datagrams_per_second") { Double($0.tally.datagrams) }
    rate("dropped_per_second") { Double($0.dropped) }
    json.key("top")
    json.array { json in
      for series in top { json.object { $0.members(of: series, in: &state.view) } }
    }
    json.member("metrics", state.view.familyCount)
    json.member("series", state.view.seriesCount)
    json.member("ledger") { StatusAnswer.write(now.tally, dropped: now.dropped, to: &$0) }
  }
}
