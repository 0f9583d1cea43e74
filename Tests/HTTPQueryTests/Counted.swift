import Aggregation
import Bytes
import Platform
import Protocol
import Testing

@testable import HTTPQuery

/// One worker's table and the query thread's state over it, without threads and sockets: lines go in, pages and answers come out.
final class Counted {
  let state: QueryState
  let agent: AgentState
  private var table: WorkerTable
  private var clock: Int64 = 1_000
  /// The time of day in seconds since 1970: half past ten in the evening at first.
  var wall: Int64 { 1_700_000_000 + clock }
  /// Whether each gather is followed by taking note of the families that came and left in it.
  var takesFamilyChanges = true

  init(
    buckets: [Double] = [], quantiles: [Double] = [0.5, 0.99], maxSeries: Int = 200_000,
    ttl: Int64? = 1_000, pageSource: Page.Source = .path, store: SharedStore? = nil
  ) throws {
    let hasher = SpellingHash(seed: 7)
    let keyLabels = KeyLabels()
    let budget = SeriesBudget(limit: maxSeries, limitPerMetric: maxSeries)
    var memories: [TableMemory] = []
    for _ in 0..<2 {
      memories.append(
        try TableMemory(
          capacity: maxSeries * 3 + 1_000, timerBounds: TimerBounds(buckets.map { $0 * 1_000 }),
          histogramBounds: TimerBounds(buckets)))
    }
    table = try WorkerTable(
      memory: memories[0], hasher: hasher, reader: LineReader(), keyLabels: keyLabels, budget: budget)
    let ownTable = try WorkerTable(
      memory: memories[1], hasher: hasher, reader: LineReader(), keyLabels: keyLabels, budget: budget)
    agent = try AgentState()
    let view = try MergedView(
      tables: memories, hasher: hasher, keyLabels: keyLabels, budget: budget,
      settings: .init(seriesTTL: ttl, counterTTL: ttl, quantileWindow: 60))
    let httpBooks = ListenerBooks(name: "http", kind: .http, workers: 1)
    state = QueryState(
      view: view, table: ownTable,
      books: [ListenerBooks(name: "udp:127.0.0.1:8125", kind: .datagrams, workers: 1), httpBooks],
      httpBooks: httpBooks,
      addresses: ["127.0.0.1:8080"], agent: agent,
      settings: QuerySettings(
        flushIntervalNanoseconds: 1_000_000_000, httpConnections: 10, httpIdleNanoseconds: nil, quantiles: quantiles,
        buckets: buckets, version: "1.2.3", reader: LineReader(), keyLabels: keyLabels, pageSource: pageSource),
      store: store)
  }

  /// Counts lines and takes them over.
  func count(_ lines: String...) { count(text: lines.joined(separator: "\n")) }

  func count(text: String) {
    batch { table in
      PaddedText(Array(text.utf8)).read { table.count($0) }
      #expect(table.tally.refused.indices.allSatisfy { table.tally.refused[$0] == 0 })
    }
    gather()
  }

  /// Takes everything over, `seconds` later than the last time.
  func gather(later seconds: Int64 = 0) {
    clock += seconds
    // The query thread's own clock goes on from where it began.
    let second = state.second(state.started) + clock
    while !state.view.gather(second: second, wall: wall) {}
    if takesFamilyChanges { state.takeFamilyChanges() }
  }

  /// Lets time go by; what has not been counted for 1,000 seconds leaves.
  func forget(after seconds: Int64 = 2_000) {
    gather(later: seconds)
    batch { _ in }
    gather()
  }

  private func batch(_ body: (inout WorkerTable) -> Void) {
    table.beginBatch(monotonic: clock * 1_000_000_000, wall: wall)
    body(&table)
    table.endBatch()
  }

  // MARK: Pages

  /// The pieces of a page, each with its size.
  func pieces(_ format: ExpositionFormat, metric: String? = nil) -> [[UInt8]] {
    let page = MetricsPage(state, format, metric.flatMap { Glob(Array($0.utf8)) })
    var pieces: [[UInt8]] = []
    while true {
      var writer = ByteWriter()
      let step = page.produce(&writer)
      pieces.append(writer.bytes)
      if case .finished = step { return pieces }
    }
  }

  /// A whole page.
  func page(_ language: ExpositionFormat.Language = .text, quotesNames: Bool = false) -> String {
    String(
      decoding: pieces(ExpositionFormat(language: language, quotesNames: quotesNames)).joined(), as: UTF8.self)
  }

  /// A page without HELP and without the program's own families.
  func samples(_ language: ExpositionFormat.Language = .text, quotesNames: Bool = false) -> String {
    page(language, quotesNames: quotesNames).split(separator: "\n", omittingEmptySubsequences: false).filter { line in
      !line.hasPrefix("# HELP ")
        && !["footfall_", "process_", "# TYPE footfall_", "# TYPE process_"].contains { line.hasPrefix($0) }
    }.joined(separator: "\n")
  }

  // MARK: Routes

  /// What a GET is answered with: the status, the body as text, and the head before it.
  func get(_ target: String, _ fields: String = "") -> (status: UInt16, body: String, head: String) {
    ask(`a connection`.get(target, fields))
  }

  /// The same for a POST; its body is JSON unless `type` says otherwise, and without one there is none.
  func post(
    _ target: String, _ body: String? = nil, type: String? = "application/json", fields: String = ""
  ) -> (status: UInt16, body: String, head: String) {
    let type = type.map { "Content-Type: \($0)\r\n" } ?? ""
    let length = body.map { type + "Content-Length: \($0.utf8.count)\r\n" } ?? ""
    return ask("POST \(target) HTTP/1.1\r\nHost: h\r\n\(length)\(fields)\r\n\(body ?? "")")
  }

  /// The same for a DELETE.
  func delete(_ target: String) -> (status: UInt16, body: String, head: String) {
    ask("DELETE \(target) HTTP/1.1\r\nHost: h\r\n\r\n")
  }

  /// What a whole request is answered with.
  private func ask(_ bytes: String) -> (status: UInt16, body: String, head: String) {
    let client = Client()
    client.bodyLimit = 8 << 20
    client.send(bytes)
    guard case .request(let request) = client.next(),
      let (group, values) = Routes.find(request.path), let route = group.route(for: request.method)
    else { return (404, "", "") }
    if route.readsCounts { gather() }
    var next = route.handler(state, Route.Call(request: request, values: values))
    while true {
      switch next {
      case .ready(let response):
        client.answer(response)
        client.settle()
        let body = client.text.messageBody
        return (response.status.rawValue, body, String(client.text.dropLast(body.count)))
      case .work(let step): if let then = step() { next = then }
      case .shared(let asks, let then): next = then(read(asks))
      }
    }
  }

  /// What the store says to reads.
  private func read(_ asks: [SharedAsk]) -> SharedReplies {
    var replies = SharedReplies()
    guard let store = state.sharing?.store else { return replies }
    for (ticket, ask) in asks.enumerated() {
      if let holding = store.cached(ask.key) {
        replies[ask.key] = .holding(holding, served: nil)
      } else if !store.read(ask.key, UInt64(ticket)) {
        replies[ask.key] = .failed
      }
    }
    for case .holding(let ticket, let holding, let served) in store.takeNews() {
      replies[asks[Int(ticket)].key] = .holding(holding, served: served)
    }
    return replies
  }
}
