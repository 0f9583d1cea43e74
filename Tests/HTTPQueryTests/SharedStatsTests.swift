import Randomness
import Testing

@testable import Aggregation
@testable import HTTPQuery
@testable import Protocol

/// Two agents that share a store: the first one answers, the second one has written.
private final class Pair {
  let agents = AgentsInMemory()
  let first: Counted
  let second: Counted

  init() throws {
    first = try Counted(quantiles: [0.1, 0.5, 0.9, 0.99], ttl: nil, store: agents.store(of: 1))
    second = try Counted(ttl: nil)
    first.state.view.shareChanges()
    second.state.view.shareChanges()
  }

  func share() {
    first.share(agents, as: 1)
    second.share(agents, as: 2)
  }
}

/// The number that follows a member's name for the first time.
private func number(_ name: String, in body: String) -> Double? {
  guard let found = body.firstRange(of: "\"\(name)\":") else { return nil }
  return Double(body[found.upperBound...].prefix { "0123456789.+-e".contains($0) })
}

@Suite struct `stats of several agents` {
  @Test(arguments: [0.1, 0.5, 1, 2.3, 24, 25, 168])
  func `add up what each has counted in the window, to the unit`(_ hours: Double) throws {
    var random = SplitMix(seed: 11)
    for _ in 0..<4 {
      let pair = try Pair()
      // The window begins within an hour as well as with one.
      let later = [0, 1_800, 1_799, Int64.random(in: 0..<7_200, using: &random)].randomElement(using: &random) ?? 0
      pair.first.gather(later: later)
      pair.second.gather(later: later)
      let wall = pair.first.wall
      var events: [(second: Int64, count: Int64)] = []
      for counted in [pair.first, pair.second] {
        var lines: [String] = []
        for _ in 0..<300 {
          let span = ([60, 600, 3_700, 90_000, 168 * 3_600] as [Int64]).randomElement(using: &random) ?? 60
          let event = (
            second: wall - Int64.random(in: 0..<span, using: &random), count: Int64.random(in: 1...9, using: &random)
          )
          events.append(event)
          lines.append("visit:p\(event.count % 3):\(event.count)|c|T\(event.second)")
          lines.append("buy:\(event.count)|c|T\(event.second)")
        }
        counted.count(text: lines.joined(separator: "\n"))
      }
      pair.share()
      let start = HistorySpan.start(ofCounts: Int64(hours * 3_600), before: wall)
      let recent = Double(events.reduce(0) { $1.second >= start ? $0 + $1.count : $0 })
      let total = Double(events.reduce(0) { $0 + $1.count })
      let body = pair.first.get("/stats?timeframe_hours=\(hours)").body
      #expect(body.contains(#""scope":"all","redis_missing":0,"#))
      #expect(number("total_visits", in: body) == total && number("total_buys", in: body) == total)
      #expect(number("recent_visits", in: body) == recent && number("n_recent_buys", in: body) == recent, "\(later)")
      // The first metric shown.
      #expect(number("total", in: body) == total && number("recent", in: body) == recent)
      let visit = pair.first.get("/stats/visit?timeframe_hours=\(hours)").body
      #expect(number("total", in: visit) == total && number("recent", in: visit) == recent)
      #expect(points(of: visit).reduce(0, +) == recent)
      #expect(hours > 24 || number("step", in: visit) == 60)
    }
  }

  /// The counts of an answer's first history.
  private func points(of body: String) -> [Double] {
    guard let start = body.firstRange(of: #""points":[["#), let end = body.firstRange(of: "]]") else { return [] }
    return body[start.upperBound..<end.lowerBound].split(separator: "],[").compactMap {
      Double($0.split(separator: ",")[1])
    }
  }

  @Test func `have the points of all where they were counted`() throws {
    let pair = try Pair()
    let wall = pair.first.wall
    pair.first.count("visit:2|c|T\(wall - 600)")
    pair.second.count("visit:3|c|T\(wall - 600)", "visit:5|c|T\(wall - 3_000)")
    pair.share()
    let minutes = pair.first.get("/stats/visit").body
    #expect(minutes.contains("[\(wall - 600),5]") && minutes.contains("[\(wall - 3_000),5]"))
    let hours = pair.first.get("/stats/visit?timeframe_hours=48").body
    #expect(hours.contains("[\(wall / 3_600 * 3_600),5],") || hours.contains("[\(wall / 3_600 * 3_600),5]]"))
  }

  @Test(arguments: [0.1, 1, 168])
  func `count each member once, whichever agents have seen it`(_ hours: Double) throws {
    let pair = try Pair()
    let wall = pair.first.wall
    var union = HyperLogLog()
    let start = (wall - Int64(hours * 3_600)) / 3_600 * 3_600
    for (counted, members) in [(pair.first, 0..<400), (pair.second, 200..<700)] {
      var lines: [String] = []
      for member in members {
        let second = wall - Int64(member % 5) * 2_000
        lines.append("visit_users:u\(member)|s|#page:p\(member % 7)|T\(second)")
        if second >= start { union.add(Array("u\(member)".utf8)) }
      }
      counted.count(text: lines.joined(separator: "\n"))
    }
    pair.share()
    let body = pair.first.get("/stats?timeframe_hours=\(hours)").body
    #expect(number("unique_visitors", in: body) == Double(union.cardinality))
    #expect(number("unique_visitors_window_seconds", in: body) == Double(wall - start))
    let users = pair.first.get("/stats/visit_users?timeframe_hours=\(hours)").body
    #expect(number("distinct", in: users) == Double(union.cardinality))
  }

  @Test func `have visitors' addresses only where no agent knows users`() throws {
    let pair = try Pair()
    pair.first.count("visit_addresses:1.2.3.4|s", "visit_addresses:1.2.3.5|s")
    pair.share()
    #expect(number("unique_visitors", in: pair.first.get("/stats").body) == 2)
    pair.second.count("visit_users:u1|s")
    pair.share()
    #expect(number("unique_visitors", in: pair.first.get("/stats").body) == 1)
  }

  @Test(arguments: ["ms", "h", "d"])
  func `have quantiles of all agents' samples`(_ type: String) throws {
    let pair = try Pair()
    var random = SplitMix(seed: 5)
    var values: [Double] = []
    for (counted, range) in [(pair.first, 1...1_000), (pair.second, 500...9_000)] {
      let more = (0..<2_000).map { _ in Int.random(in: range, using: &random) }
      values += more.map { Double($0) }
      counted.count(text: more.map { "lat:\($0)|\(type)" }.joined(separator: "\n"))
    }
    pair.share()
    values.sort()
    let body = pair.first.get("/stats/lat").body
    for share in [0.1, 0.5, 0.9, 0.99] {
      let exact = values[Int(share * Double(values.count)) - 1]
      let found = try #require(number("\(share)", in: body))
      #expect(abs(found - exact) <= exact * 0.01, "\(share)")
    }
    #expect(number("recent", in: body) == 4_000 && number("recent_sum", in: body) == values.reduce(0, +))
    #expect(number("min", in: body) == values.first && number("max", in: body) == values.last)
    #expect(number("count", in: body) == 2_000)
    // The window began with the hour.
    #expect(number("quantile_window_seconds", in: body) == 5_400 && number("rate", in: body) == 4_000 / 5_400)
    #expect(number("recent", in: pair.first.get("/stats").body.part(after: "\"lat\"")) == 4_000)
  }

  @Test func `say what could not be had, and have the rest`() throws {
    let pair = try Pair()
    pair.first.count("visit:2|c", "visit_users:a|s", "lat:5|ms")
    pair.second.count("visit:3|c", "buy:7|c", "visit_users:b|s", "lat:50|ms")
    pair.share()
    pair.agents.change { $0.isAway = { $0.part == .total && $0.tag == VisitNames.visit } }
    let some = pair.first.get("/stats").body
    #expect(number("redis_missing", in: some) == 1)
    #expect(number("total_visits", in: some) == 2 && number("recent_visits", in: some) == 5)
    #expect(number("total_buys", in: some) == 7)
    pair.agents.change { $0.isAway = { _ in true } }
    let none = pair.first.get("/stats").body
    #expect(try #require(number("redis_missing", in: none)) > 1)
    #expect(number("total_visits", in: none) == 2 && number("recent_visits", in: none) == 2)
    #expect(number("total_buys", in: none) == 0 && number("unique_visitors", in: none) == 1)
    let lat = pair.first.get("/stats/lat").body
    #expect(number("redis_missing", in: lat) == 2 && number("recent", in: lat) == 1 && number("max", in: lat) == 5)
  }

  @Test func `begin anew after a reset anywhere`() throws {
    let pair = try Pair()
    pair.first.count("visit:10|c")
    pair.second.count("visit:5|c")
    pair.share()
    let key = SharedKey(.counter, metric: VisitNames.visit)
    pair.agents.change { state in
      state.totals[key] = state.totals[key]?.mapValues { ($0.total, $0.total) }
    }
    pair.first.count("visit:3|c")
    #expect(number("total_visits", in: pair.first.get("/stats").body) == 3)
    #expect(number("total", in: pair.first.get("/stats/visit").body) == 3)
  }

  @Test func `are this agent's own where that is asked for, and where labels are`() throws {
    let pair = try Pair()
    let alone = try Counted(quantiles: [0.1, 0.5, 0.9, 0.99], ttl: nil)
    let lines = "visit:a:2|c\nvisit:b|c\nlat:5|ms\nvisit_users:a|s"
    pair.first.count(text: lines)
    alone.count(text: lines)
    pair.second.count("visit:a:3|c", "lat:50|ms", "visit_users:b|s")
    pair.share()
    for target in [
      "/stats?scope=local", "/stats/visit?scope=local", "/stats/lat?scope=local", "/stats/visit?match=page:a",
    ] {
      let body = pair.first.get(target).body
      #expect(body.contains(#""scope":"local","redis_missing":0,"#))
      let own = alone.get(target).body
      #expect(!own.contains("redis_missing"))
      let marker = target.hasPrefix("/stats?") ? "\"total_visits\"" : "\"type\""
      #expect(body.part(after: marker).part(before: "\"ledger\"") == own.part(after: marker).part(before: "\"ledger\""))
    }
    #expect(pair.agents.change { $0.reads }.isEmpty)
    #expect(pair.first.get("/stats?scope=mine").status == 422 && alone.get("/stats/visit?scope=mine").status == 422)
  }

  @Test func `know a counter that another agent alone has seen`() throws {
    let pair = try Pair()
    pair.second.count("only:4|c", "level:1|g")
    pair.share()
    let only = pair.first.get("/stats/only")
    #expect(only.status == 200 && only.body.contains(#""type":"counter","series":0,"total":4,"recent":4,"#))
    #expect(only.body.hasSuffix(#""top":[]}"#))
    for target in ["/stats/level", "/stats/none", "/stats/only?scope=local", "/stats/only?match=page:a"] {
      #expect(pair.first.get(target).status == 404)
    }
    pair.agents.change { $0.isAway = { _ in true } }
    #expect(pair.first.get("/stats/only").status == 404)
  }

  @Test func `ask for each part once`() throws {
    let pair = try Pair()
    pair.first.count("visit:a|c", "buy:1|c", "visit_users:a|s", "lat:1|ms")
    _ = pair.first.get("/stats?timeframe_hours=168")
    let reads = pair.agents.change { $0.reads }
    #expect(!reads.isEmpty && reads.values.allSatisfy { $0 == 1 })
    #expect(pair.first.state.readers == 0)
  }
}

@Suite struct `a shared store` {
  private func counted() throws -> Counted {
    let agents = AgentsInMemory()
    agents.change { state in
      state.condition.nodes = [("redis://a:6379", true), ("redis://b:6379", false)]
      state.condition.troubles = ["redis://b:6379: connection refused"]
      state.condition.commands = 12
      state.condition.errors = 2
      state.condition.retries = 3
      state.condition.bytesSent = 4_000
      state.condition.cacheHits = 5
      state.condition.cacheMisses = 6
      state.condition.cacheSize = 7
    }
    let counted = try Counted(store: agents.store(of: 1))
    counted.agent.phase = .serving
    return counted
  }

  @Test func `that has troubles degrades the health, not the readiness`() throws {
    let counted = try counted()
    let health = counted.get("/health")
    #expect(health.status == 200)
    #expect(health.body.hasPrefix(#"{"status":"degraded","reasons":["redis: redis://b:6379: connection refused"],"#))
    #expect(counted.get("/ready").status == 200)
  }

  @Test func `has a status`() throws {
    let counted = try counted()
    counted.state.view.shareChanges()
    counted.count("visit:a|c")
    #expect(
      counted.get("/status").body.contains(
        #""redis_status":{"nodes":2,"healthy_nodes":1,"node_status":{"redis://a:6379":true,"redis://b:6379":false}},"#
          + #""counter_status":{"cache_size":7,"write_buffer_size":2},"#))
    #expect(
      try Counted().get("/status").body.contains(
        #""redis_status":{"nodes":0,"healthy_nodes":0,"node_status":{}},"counter_status":{"cache_size":0,"write_buffer_size":0},"#
      ))
  }

  @Test func `has metrics`() throws {
    let counted = try counted()
    counted.state.view.shareChanges()
    counted.count("visit:a|c")
    let page = counted.page()
    for line in [
      #"up{node="redis://a:6379"} 1"#, #"up{node="redis://b:6379"} 0"#, "commands_total 12", "errors_total 2",
      "retries_total 3", "sent_bytes_total 4000", "pending_series 2", #"cache_requests_total{result="hit"} 5"#,
      #"cache_requests_total{result="miss"} 6"#,
    ] {
      #expect(page.contains("\nfootfall_redis_\(line)\n"), "\(line)")
    }
  }

  @Test func `that is not there has metrics at 0`() throws {
    let page = try Counted().page()
    for line in [
      "commands_total", "errors_total", "retries_total", "sent_bytes_total", "pending_series",
      #"cache_requests_total{result="hit"}"#, #"cache_requests_total{result="miss"}"#,
    ] {
      #expect(page.contains("\nfootfall_redis_\(line) 0\n"), "\(line)")
    }
    #expect(!page.contains("footfall_redis_up"))
  }
}

extension String {
  /// What follows a text for the first time.
  fileprivate func part(after text: String) -> String {
    firstRange(of: text).map { String(self[$0.upperBound...]) } ?? ""
  }
  /// What stands before a text for the first time, or all.
  fileprivate func part(before text: String) -> String {
    firstRange(of: text).map { String(self[..<$0.lowerBound]) } ?? self
  }
}
