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
    #expect(Routes.methods(of: Routes.matching(["stats"]).map(\.route)) == [.get, .head, .options])
    #expect(Routes.matching(["stats", "a/b"]).first?.values == ["a/b"])
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
    #expect(body.contains(#""server_status":"healthy","total_visits":6,"total_buys":2,"#))
    #expect(
      part(body, from: #""metrics":{"#, to: #"},"ledger""#)
        == #""metrics":{"visit":{"type":"counter","total":6,"series":2,"top":["#
        + #"{"labels":{"page":"b"},"value":5},{"labels":{"page":"a"},"value":1}]},"#
        + #""buy":{"types":[{"type":"counter","total":2,"series":1,"top":[{"labels":{"promotion":"p"},"value":2}]},"#
        + #"{"type":"gauge","series":1,"top":[{"labels":{},"value":1}]}]},"#
        + #""lat":{"type":"timer","total":2,"series":1,"top":[{"labels":{},"count":2,"sum":30}]},"#
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
    #expect(
      counted.get("/stats/lat").body
        == #"{"name":"lat","types":[{"type":"gauge","series":1,"top":[{"labels":{},"value":7}]},"#
        + #"{"type":"timer","series":2,"unit":"ms","count":2,"sum":40,"quantile_window_seconds":60,"min":10,"max":30,"#
        + #""quantiles":{"0.5":10.0625,"0.99":30},"top":[{"labels":{"r":"a"},"count":1,"sum":10},"#
        + #"{"labels":{"r":"b"},"count":1,"sum":30}]}]}"#)
    #expect(
      counted.get("/stats/lat?match=r:b&top=0").body.contains(
        #"{"type":"timer","series":1,"unit":"ms","count":1,"sum":30,"quantile_window_seconds":60,"min":30,"max":30,"#))
    #expect(
      counted.get("/stats/visit?top=1").body
        == #"{"name":"visit","type":"counter","series":3,"total":3,"top":[{"labels":{"page":"y"},"value":3}]}"#)
    #expect(
      counted.get("/stats/visit?match=page:%5Bxz%5D&match=page:?").body
        == #"{"name":"visit","type":"counter","series":0,"total":0,"top":[]}"#)
    #expect(counted.get("/stats/visit?match=page:?&match=page:z").body.contains(#""series":1,"total":-1"#))
  }

  @Test func `of a timer without samples in the window have no quantiles`() throws {
    let counted = try Counted()
    counted.count("lat:10|ms")
    counted.gather(later: 500)
    #expect(
      counted.get("/stats/lat").body.contains(
        #""count":1,"sum":10,"quantile_window_seconds":60,"min":null,"max":null,"quantiles":{"0.5":null,"0.99":null}"#))
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
      counted.get("/stats/who").body.contains(#""series":3,"distinct":100,"top":[{"labels":{"d":"3"},"value":100}"#))
    #expect(counted.get("/stats/who?match=d:1&top=0").body.contains(#""series":1,"distinct":50,"top":[]"#))
  }
}
