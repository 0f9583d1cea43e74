import Randomness
import Testing

@testable import HTTPQuery

@Suite struct `the routes` {
  static let answers: [(target: String, status: UInt16, part: String)] = [
    ("/health", 200, #""status":"healthy","timestamp":""#),
    ("/", 200, #""endpoints":{"GET /":"#),
    ("/explain?line=visit:page1%7Cc", 200, #"{"samples":[{"name":"visit","type":"counter","value":1,"tags""#),
    ("/explain?line=visit", 200, #"{"error":"no_value""#),
    ("/explain?line=", 200, #"{"samples":[]}"#),
    ("/explain", 422, #"{"detail":[{"type":"missing","loc":["query","line"],"msg":"Field required","input":null}]}"#),
    ("/nothing", 404, ""),
    ("/health/", 404, ""),
    ("/stats/", 404, ""),
    ("/stats/none", 404, #"{"detail":"Not Found"}"#),
    (
      "/stats?limit=abc", 422,
      #"{"detail":[{"type":"int_parsing","loc":["query","limit"],"msg":"Input should be a valid integer, unable to parse string as an integer","input":"abc"}]}"#
    ),
    ("/stats?limit=0", 422, #""type":"greater_than_equal""#),
    ("/stats?limit=1001", 422, #""type":"less_than_equal""#),
    (
      "/stats?timeframe_hours=abc", 422,
      #"{"detail":[{"type":"float_parsing","loc":["query","timeframe_hours"],"msg":"Input should be a valid number, unable to parse string as a number","input":"abc"}]}"#
    ),
    (
      "/stats?timeframe_hours=0.09", 422,
      #"{"detail":[{"type":"greater_than_equal","loc":["query","timeframe_hours"],"msg":"Input should be greater than or equal to 0.1","input":"0.09"}]}"#
    ),
    ("/stats?timeframe_hours=168.5", 422, #""msg":"Input should be less than or equal to 168","input":"168.5""#),
    ("/stats?timeframe_hours=0x10", 422, #""type":"float_parsing""#),
    ("/stats?timeframe_hours=nan", 422, #""type":"float_parsing""#),
    ("/stats/visit?timeframe_hours=0&by=luck", 422, #""msg":"Input should be 'total' or 'recent'","input":"luck""#),
    ("/stats?timeframe_hours=0.1", 200, #""timeframe_hours":0.1,"window_seconds":360,"#),
    ("/stats?timeframe_hours=168", 200, #""timeframe_hours":168,"window_seconds":60"#),
    ("/stats/visit?top=-1&match=page", 422, #""loc":["query","top"]"#),
    ("/stats/visit?top=-1&match=page", 422, #""loc":["query","match"]"#),
    ("/series?cursor=x", 422, #""loc":["query","cursor"]"#),
    ("/series?cursor=zzzzz-1", 404, #""detail":"The series"#),
    ("/series?metric=" + String(repeating: "a", count: 1_025), 422, #""type":"string_too_long""#),
    ("/metrics", 200, "# TYPE visit_total counter\nvisit_total{page=\"page1\"} 1\n"),
    (
      "/status", 200,
      #""listeners":[{"name":"udp:127.0.0.1:8125"},{"name":"http","addresses":["127.0.0.1:8080"],"connections":0"#
    ),
  ]

  @Test(arguments: answers)
  func `answer what they are asked`(_ target: String, _ status: UInt16, _ part: String) throws {
    let counted = try Counted()
    counted.count("visit:page1|c")
    let answer = counted.get(target)
    #expect(answer.status == status)
    #expect(part.isEmpty || answer.body.contains(part), "\(answer.body)")
  }

  @Test func `say by their phase whether the program is ready`() throws {
    let counted = try Counted()
    var seen: [UInt16] = []
    for phase in [AgentPhase.starting, .serving, .draining, .stopped] {
      counted.agent.phase = phase
      seen.append(counted.get("/ready").status)
      #expect(counted.get("/health").status == 200)
    }
    #expect(seen == [503, 200, 503, 503])
  }

  @Test func `give the methods of a path`() {
    #expect(Routes.find(["stats"])?.group.methods == [.get, .head, .options])
    #expect(Routes.find(["series"])?.group.methods == [.get, .head, .delete, .options])
    #expect(Routes.find(["stats", "a/b"])?.values == ["a/b"])
    #expect(Routes.find(["stats", ""]) == nil && Routes.find(["x", "y", "z", "1", "2", "3"]) == nil)
  }
}

@Suite struct `stats` {
  /// An answer's body from `marker` on, up to and with `end`.
  private func part(_ text: String, from marker: String, to end: String) -> String {
    guard let start = text.firstRange(of: marker) else { return "" }
    let rest = text[start.lowerBound...]
    guard let stop = rest.firstRange(of: end) else { return "" }
    return String(rest[..<stop.upperBound])
  }

  @Test func `have totals, the busiest metrics and the ledger`() throws {
    let counted = try Counted()
    counted.count("visit:a|c", "visit:b:5|c", "buy:p:2|c", "buy:1|g", "lat:10|ms", "lat:20|ms", "who:x|s")
    let body = counted.get("/stats").body
    #expect(body.contains(#""uptime_formatted":"0h 0m 0s","current_time":"20"#))
    #expect(
      body.contains(
        #""server_status":"healthy","timeframe_hours":1,"window_seconds":3600,"unique_visitors_window_seconds":3600,"total_visits":6,"recent_visits":6,"#
          + #""total_buys":2,"n_recent_buys":2,"unique_visitors":0,"#))
    #expect(
      part(body, from: #""metrics":{"#, to: #"},"ledger""#)
        == #""metrics":{"visit":{"type":"counter","total":6,"recent":6,"series":2,"top":["#
        + #"{"labels":{"page":"b"},"value":5},{"labels":{"page":"a"},"value":1}]},"#
        + #""buy":{"types":[{"type":"counter","total":2,"recent":2,"series":1,"top":[{"labels":{"promotion":"p"},"value":2}]},"#
        + #"{"type":"gauge","series":1,"top":[{"labels":{},"value":1}]}]},"#
        + #""lat":{"type":"timer","total":2,"recent":2,"series":1,"top":[{"labels":{},"count":2,"sum":30}]},"#
        + #""who":{"type":"set","series":1,"top":[{"labels":{},"value":1}]}},"ledger""#)
    #expect(body.contains(#""ledger":{"datagrams_received":0,"#))
    #expect(body.contains(#""listeners":{"udp:127.0.0.1:8125":{"#))
  }

  @Test func `show so many metrics as are asked for, the busiest first`() throws {
    let counted = try Counted()
    counted.count(text: (1...500).map { "m\($0):\($0)|c" }.joined(separator: "\n"))
    let body = counted.get("/stats?limit=2").body
    #expect(body.contains(#""metrics_known":500,"metrics":{"m500":{"#))
    #expect(body.contains(#""m499":{"#) && !body.contains(#""m498":{"#))
  }

  @Test func `of one metric have what its kind has`() throws {
    let counted = try Counted()
    counted.count("lat:10|ms|#r:a", "lat:30|ms|#r:b", "lat:7|g", "visit:x|c", "visit:y:3|c", "visit:z:-1|c")
    let lat = counted.get("/stats/lat").body
    #expect(
      lat.hasPrefix(
        #"{"name":"lat","timeframe_hours":1,"window_seconds":3600,"types":[{"type":"gauge","series":1,"top":[{"labels":{},"value":7}]},"#
          + #"{"type":"timer","series":2,"unit":"ms","count":2,"sum":40,"recent":2,"#
          + #""rate":0.0005555555555555556,"recent_sum":40,"quantile_window_seconds":3600,"min":10,"max":30,"#
          + #""quantiles":{"0.5":10.0625,"0.99":30},"history":{"step":60,"points":[[1699997400,0,0],[1699997460,0,0],"#),
      "\(lat)")
    #expect(
      lat.hasSuffix(
        #"null,30]}},"top":[{"labels":{"r":"a"},"count":1,"sum":10,"recent":1},{"labels":{"r":"b"},"count":1,"sum":30,"recent":1}]}]}"#
      ))
    #expect(
      lat.contains(#",[1700001000,2,40]]},"quantile_history":{"step":60,"start":1699997400,"quantiles":{"0.5":[null,"#))
    #expect(
      counted.get("/stats/lat?match=r:b&top=0").body.contains(
        #""count":1,"sum":30,"recent":1,"rate":0.0002777777777777778,"recent_sum":30,"quantile_window_seconds":3600,"min":30,"max":30,"#
      ))
    let visit = counted.get("/stats/visit?top=1").body
    #expect(
      visit.contains(
        #""type":"counter","series":3,"total":3,"recent":3,"rate":0.00"#))
    #expect(visit.hasSuffix(#""top":[{"labels":{"page":"y"},"value":3,"recent":3}]}"#))
    let none = counted.get("/stats/visit?match=page:%5Bxz%5D&match=page:?").body
    #expect(
      none.contains(#""series":0,"series_with_history":0,"total":0,"recent":0,"#) && none.hasSuffix(#""top":[]}"#))
    #expect(
      counted.get("/stats/visit?match=page:?&match=page:z").body.contains(
        #""series":1,"series_with_history":1,"total":-1,"recent":-1,"#))
  }

  @Test func `of a timer without samples in the window have no quantiles`() throws {
    let counted = try Counted()
    counted.count("lat:10|ms")
    counted.gather(later: 500)
    #expect(
      counted.get("/stats/lat?timeframe_hours=0.1").body.contains(
        #""count":1,"sum":10,"recent":0,"rate":0,"recent_sum":0,"quantile_window_seconds":380,"min":null,"max":null,"#
          + #""quantiles":{"0.5":null,"0.99":null}"#))
  }

  @Test func `look back as far as is asked, and say how far`() throws {
    let counted = try Counted(ttl: nil)
    counted.count("visit:a:5|c", "buy:x:2|c", "visit_users:ann|s|#page:a", "visit_users:bob|s|#page:b")
    counted.gather(later: 3 * 3_600 + 25)
    counted.count("visit:b:2|c", "buy:y:1|c", "visit_users:ann|s|#page:c", "visit_users:cem|s|#page:b")
    let hour = counted.get("/stats").body
    #expect(
      hour.contains(
        #""window_seconds":3625,"unique_visitors_window_seconds":3625,"total_visits":7,"recent_visits":2,"total_buys":3,"n_recent_buys":1,"#
      ))
    #expect(hour.contains(#""unique_visitors":2,"#))
    let day = counted.get("/stats?timeframe_hours=4").body
    #expect(day.contains(#""total_visits":7,"recent_visits":7,"total_buys":3,"n_recent_buys":3,"unique_visitors":3,"#))
    #expect(
      counted.get("/stats/visit?by=recent&top=1").body.hasSuffix(#"{"labels":{"page":"b"},"value":2,"recent":2}]}"#))
    #expect(
      counted.get("/stats/visit?by=total&top=1").body.hasSuffix(#"{"labels":{"page":"a"},"value":5,"recent":0}]}"#))
    #expect(
      counted.get("/stats/visit_users?timeframe_hours=4").body.contains(
        #""distinct":3,"distinct_window_seconds":16225,"history":{"step":3600,"points":[[1699995600,0],[1699999200,2],[1700002800,0],[1700006400,0],[1700010000,2]]}"#
      ),
      "\(counted.get("/stats/visit_users?timeframe_hours=4").body)")
    #expect(counted.get("/stats/visit_users?match=page:b&timeframe_hours=4").body.contains(#""distinct":2,"#))
  }

  @Test func `fall back to addresses where nobody sends users`() throws {
    let counted = try Counted()
    counted.count("visit_addresses:1.2.3.4|s", "visit_addresses:1.2.3.5|s")
    #expect(counted.get("/stats").body.contains(#""unique_visitors":2,"#))
  }

  @Test func `are made once for all who ask the same, until something is counted`() throws {
    let counted = try Counted()
    counted.count("visit:a|c")
    let before = counted.get("/stats").body
    #expect(before.contains(#""recent_visits":1,"#))
    #expect(counted.get("/stats?limit=5&timeframe_hours=2").body.contains(#""timeframe_hours":2,"#))
    counted.count("visit:a|c")
    #expect(counted.get("/stats").body.contains(#""recent_visits":2,"#))
    counted.gather(later: 7_200)
    #expect(counted.get("/stats").body.contains(#""total_visits":2,"recent_visits":0,"#))
  }

  @Test func `know the busiest of many series, however they rise, fall, come and leave`() throws {
    let counted = try Counted()
    var random = SplitMix(seed: 3)
    var totals: [Int: Int] = [:]
    for round in 0..<60 {
      var lines: [String] = []
      for _ in 0..<random.below(40) {
        let page = random.below(round < 30 ? 300 : 500)
        let amount = random.below(5) == 0 ? -random.below(60) : random.below(20)
        totals[page, default: 0] += amount
        lines.append("visit:1|c|#page:\(page)\nvisit:\(amount - 1)|c|#page:\(page)")
      }
      counted.count(text: lines.joined(separator: "\n"))
      let body = counted.get("/stats").body
      let top = String(body.components(after: #""top":["#)[0].prefix { $0 != "]" })
      let values = top.components(after: #""value":"#).map { Int($0.prefix { $0 != "}" }) ?? 0 }
      #expect(values == Array(totals.values.sorted(by: >).prefix(10)), "round \(round)")
    }
  }
}

@Suite struct `pages of series` {
  @Test func `follow each other and hold every series once`() throws {
    let counted = try Counted()
    counted.count(text: (0..<25).map { "a:\($0)|c|#n:\($0)\nb\($0):1|g" }.joined(separator: "\n"))
    var cursor: String? = ""
    var seen: [String] = []
    var pages = 0
    while let at = cursor {
      let body = counted.get("/series?limit=7" + (at.isEmpty ? "" : "&cursor=\(at)")).body
      seen += body.components(after: #"{"metric":"#).map { String($0.prefix { $0 != "}" }) }
      let rest = body.components(after: #""cursor":"#)[0]
      cursor = rest.hasPrefix("null") ? nil : String(rest.dropFirst().prefix { $0 != "\"" })
      pages += 1
      // Others come and are counted meanwhile.
      counted.count("a:1|c|#n:3", "late\(pages):1|g")
    }
    #expect(Set(seen).count == seen.count)
    #expect(seen.filter { $0.hasPrefix("\"a\"") }.count == 25)
    #expect(seen.filter { $0.hasPrefix("\"b") }.count == 25)
  }

  @Test func `keep to the metric and the labels asked for`() throws {
    let counted = try Counted()
    counted.count("a:1|c|#n:x1,m:1", "a:2|c|#n:x2", "ab:3|c|#n:x3", "b:4|c|#n:x4")
    #expect(
      counted.get("/series?metric=a*&match=n:x*&match=m:?").body
        == #"{"series":[{"metric":"a","type":"counter","labels":{"m":"1","n":"x1"},"value":1}],"cursor":null}"#)
    #expect(counted.get("/series?metric=a*").body.components(after: "metric").count == 3)
  }

  @Test func `refuse a cursor whose series has left`() throws {
    let counted = try Counted()
    counted.count("a:1|g", "b:1|g")
    let cursor = counted.get("/series?limit=1").body.components(after: #""cursor":""#)[0].prefix { $0 != "\"" }
    #expect(counted.get("/series?cursor=\(cursor)").body.contains(#""metric":"b""#))
    counted.forget()
    counted.count("c:1|g")
    #expect(counted.get("/series?cursor=\(cursor)").status == 404)
  }
}

@Suite struct `stats of sets` {
  @Test func `count a member of several series once`() throws {
    let counted = try Counted()
    counted.count(text: (0..<100).map { "who:m\($0)|s|#d:\($0 % 2)\nwho:m\($0)|s|#d:3" }.joined(separator: "\n"))
    #expect(
      counted.get("/stats/who").body.contains(
        #""series":3,"distinct":100,"distinct_window_seconds":3600,"history":{"step":60,"points":[[1699997400,0],"#
      ))
    #expect(counted.get("/stats/who").body.contains(#""top":[{"labels":{"d":"3"},"value":100}"#))
    #expect(
      counted.get("/stats/who?match=d:1&top=0").body.contains(#""series":1,"series_with_history":1,"distinct":50,"#))
  }
}
