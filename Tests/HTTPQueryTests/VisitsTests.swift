import Testing

@testable import HTTPQuery

@Suite struct `visits over HTTP` {
  /// What the caller's user-visible series are, without those of sets.
  private func counters(_ counted: Counted) -> [String] {
    counted.gather()
    return counted.samples().split(separator: "\n").map(String.init).filter { !$0.hasPrefix("#") }
  }

  @Test func `without a body count the series without labels`() throws {
    let counted = try Counted()
    #expect(counted.post("/visit").body == #"{"visits":1}"#)
    #expect(counted.post("/visit").body == #"{"visits":2}"#)
    #expect(counters(counted) == ["visit_total 2"])
  }

  @Test func `with a body count the page, its users and their addresses`() throws {
    let counted = try Counted()
    let first = counted.post(
      "/visit", #"{"user_id":"customer123","page_url":"https://ecommerce.com/promotion?a=b#c"}"#)
    #expect(
      first.body
        == #"{"success":true,"visit_count":1,"message":"Visit logged successfully. Total visits: 1","visits":1}"#)
    for user in ["a", "b", "b"] {
      let body = #"{"user_id":"\#(user)","page_url":"/promotion","ip_address":"203.0.113.\#(user == "a" ? 1 : 2)"}"#
      #expect(counted.post("/visit", body).status == 200)
    }
    #expect(counted.post("/visit").body == #"{"visits":5}"#)
    #expect(
      counters(counted) == [
        #"visit_total{page="/promotion"} 4"#, "visit_total 1", #"visit_users{page="/promotion"} 3"#,
        #"visit_addresses{page="/promotion"} 3"#,
      ])
  }

  static let pages: [(url: String, page: String)] = [
    ("https://ecommerce.com/promotion", "/promotion"), ("https://e.com", "/"), ("https://e.com?x=/y", "/"),
    ("HTTP://u@e.com:80/a//b/?x#y", "/a//b/"), ("//e.com/a", "/a"), ("/a%20b/%C3%A9%2F", "/a b/é/"), ("a/b", "a/b"),
    ("app+x.y-z://host/p", "/p"), ("/a%zz", "/a%zz"), ("/a%ff", "/a%ff"), ("/a%0Ab%20", "/a%0Ab%20"), ("?x", "/"),
    ("/a:b,c|d", "/a:b,c|d"),
    ("mailto:a@b", "mailto:a@b"), ("404", "404"),
  ]

  @Test(arguments: pages) func `have their page from the path of a URL`(_ url: String, _ page: String) throws {
    #expect(Page.of(url, .path) == page)
    #expect(Page.of(url, .url) == url)
    let counted = try Counted()
    #expect(counted.post("/visit", #"{"user_id":"u","page_url":"\#(url)"}"#).status == 200)
    #expect(counters(counted).first == #"visit_total{page="\#(page)"} 1"#)
    let byURL = try Counted(pageSource: .url)
    #expect(byURL.post("/visit", #"{"user_id":"u","page_url":"\#(url)"}"#).status == 200)
    #expect(counters(byURL).first == #"visit_total{page="\#(url)"} 1"#)
  }

  @Test func `take any URL but one that is too long`() throws {
    let counted = try Counted()
    let longest = String(repeating: "é", count: Page.longestURL)
    for url in ["", "?", "/a\\u0000\\u007f", longest] {
      #expect(counted.post("/visit", #"{"user_id":"u","page_url":"\#(url)"}"#).status == 200)
    }
    #expect(
      counters(counted).prefix(3) == [
        #"visit_total{page="/"} 2"#, #"visit_total{page="/a%00%7F"} 1"#, #"visit_total{page="\#(longest)"} 1"#,
      ])
    let answer = counted.post("/visit", #"{"user_id":1,"page_url":"\#(longest)x"}"#)
    #expect(answer.status == 422)
    #expect(answer.body.contains(#""loc":["body","user_id"]"#))
    #expect(
      answer.body.contains(
        #"{"type":"string_too_long","loc":["body","page_url"],"msg":"String should have at most 2048 characters","#))
    #expect(counters(counted).count == 9)
  }

  @Test func `and datagrams are counted together, those as far as the last flush brought them`() throws {
    let counted = try Counted()
    counted.count("visit:page1:5|c", "visit:a:2|c|#env:prod")
    #expect(counted.post("/visit").body == #"{"visits":8}"#)
    #expect(counted.post("/visits/page1").body == #"{"visits":6,"served_via":"in_memory"}"#)
    counted.count("visit:page1:-2|c", "visit:page1:0.5|c|@0.8")
    #expect(counted.get("/visits/page1").body == #"{"visits":4.625,"served_via":"in_memory"}"#)
    #expect(counted.post("/visit").body == #"{"visits":8.625}"#)
  }
}

@Suite struct `the count of a page` {
  @Test func `is the page's own, whatever its name holds`() throws {
    let counted = try Counted()
    for (segment, page) in [("page1", "page1"), ("a%2Fb", "a/b"), ("a%7Cb", "a|b"), ("a%2C%3A", "a,:"), ("404", "404")]
    {
      #expect(counted.get("/visits/\(segment)").body == #"{"visits":0,"served_via":"in_memory"}"#)
      #expect(counted.post("/visits/\(segment)").body == #"{"visits":1,"served_via":"in_memory"}"#)
      #expect(counted.post("/visits/\(segment)").body == #"{"visits":2,"served_via":"in_memory"}"#)
      #expect(counted.get("/api/v1/counter/visits/\(segment)").body == #"{"visits":2,"served_via":"in_memory"}"#)
      #expect(counted.samples().contains("visit_total{page=\"\(page)\"} 2\n"))
    }
    counted.count("visit:1|c|#page:404")
    #expect(counted.get("/visits/404").body == #"{"visits":3,"served_via":"in_memory"}"#)
  }

  @Test func `begins anew when it is deleted, where the metric goes on`() throws {
    let counted = try Counted()
    counted.count("visit:page1:5|c", "visit:page2:2|c")
    #expect(counted.delete("/visits/page1").body == #"{"visits":0,"served_via":"in_memory"}"#)
    #expect(counted.get("/api/v1/counter/visits/page1").body == #"{"visits":0,"served_via":"in_memory"}"#)
    #expect(counted.post("/visits/page1").body == #"{"visits":1,"served_via":"in_memory"}"#)
    #expect(counted.post("/visit").body == #"{"visits":4}"#)
    #expect(counted.delete("/visits/page1").body == #"{"visits":0,"served_via":"in_memory"}"#)
    #expect(counted.post("/visit").body == #"{"visits":4}"#)
    #expect(counted.delete("/visits/never").body == #"{"visits":0,"served_via":"in_memory"}"#)
    #expect(counted.samples().contains("visit_total{page=\"page1\"} 6\n"))
  }

  @Test func `answers in the words of the counter service`() throws {
    let counted = try Counted()
    #expect(counted.get("/api/v1/counter/visits/page1").body == #"{"detail":"Page not found"}"#)
    #expect(counted.delete("/api/v1/counter/visits/page1").status == 404)
    let recorded = counted.post("/api/v1/counter/visit/page1").body
    #expect(
      recorded.hasPrefix(
        #"{"status":"success","message":"Visit recorded for page page1","page_id":"page1","timestamp":"20"#))
    #expect(counted.get("/api/v1/counter/visits/page1").body == #"{"visits":1,"served_via":"in_memory"}"#)
    #expect(
      counted.delete("/api/v1/counter/visits/page1").body
        == #"{"status":"success","message":"Counter reset for page page1","page_id":"page1"}"#)
    #expect(counted.get("/api/v1/counter/visits/page1").status == 200)
    #expect(
      counted.get("/api/v1/counter/metrics").body
        == #"{"status":"healthy","metrics":{"cache_hits":0,"cache_misses":0,"cache_size":0,"write_buffer_size":0},"redis_nodes":{},"last_batch_write":null}"#
    )
  }

  @Test(arguments: ["%01", "%7F", String(repeating: "a", count: 513), String(repeating: "%C3%A9", count: 513)])
  func `has no page of that name`(_ page: String)
    throws
  {
    let counted = try Counted()
    for path in ["/visits/\(page)", "/api/v1/counter/visits/\(page)"] {
      let answer = counted.get(path)
      #expect(answer.status == 422)
      #expect(answer.body.contains(#""loc":["path","page"]"#) && answer.body.contains("\"ctx\":{"))
    }
  }

  @Test func `survives that its series leaves and comes back`() throws {
    let counted = try Counted()
    #expect(counted.post("/visits/page1").body == #"{"visits":1,"served_via":"in_memory"}"#)
    #expect(counted.delete("/visits/page1").body == #"{"visits":0,"served_via":"in_memory"}"#)
    counted.gather(later: 2_000)
    // Condemned by that gather, forgotten by the next batch: a record that is used again is another series' from then on.
    #expect(counted.post("/visits/page2").body == #"{"visits":1,"served_via":"in_memory"}"#)
    #expect(counted.post("/visits/page1").body == #"{"visits":1,"served_via":"in_memory"}"#)
    #expect(counted.post("/visits/page2").body == #"{"visits":2,"served_via":"in_memory"}"#)
  }

  @Test func `beyond the limit is that of all others`() throws {
    let counted = try Counted(maxSeries: 2)
    for (page, count) in [("a", 1), ("b", 1), ("c", 1), ("d", 2), ("a", 2)] {
      #expect(counted.post("/visits/\(page)").body == #"{"visits":\#(count),"served_via":"in_memory"}"#)
    }
    #expect(counted.post("/visit").body == #"{"visits":6}"#)
    #expect(counted.samples().contains("visit_total{page=\"__other__\"} 3\n"))
  }
}

@Suite struct `purchases` {
  @Test func `are counted with their quantities and buyers`() throws {
    let counted = try Counted()
    let body = #"{"user_id": 12345, "promotion_id": 67890, "product_id": 11111, "product_quantity": 5}"#
    #expect(
      counted.post("/buy", body).body
        == #"{"success":true,"buy_count":1,"message":"Buy logged successfully. Total buys: 1"}"#)
    #expect(counted.post("/buy", body).body.contains(#""buy_count":2,"#))
    counted.count("buy:3|c|#promotion:67890")
    #expect(counted.post("/buy", body.replacing(": 12345", with: ": -1")).body.contains(#""buy_count":6,"#))
    let page = counted.samples()
    for line in [
      #"buy_total{product="11111",promotion="67890"} 3"#, #"buy_total{promotion="67890"} 3"#,
      #"buy_quantity_total{product="11111",promotion="67890"} 15"#, #"buy_users{product="11111",promotion="67890"} 2"#,
    ] { #expect(page.contains("\(line)\n")) }
  }
}

@Suite struct `a batch of lines` {
  @Test func `is counted, and its refused lines are named`() throws {
    let counted = try Counted()
    let answer = counted.post("/lines", "visit:a|c\nbad\n\nhits:2|c|#k:v\r\nvisit:nan|c\nlat:5|ms", type: nil)
    #expect(
      answer.body
        == #"{"accepted":3,"refused":[{"line":2,"error":"no_value","at":3},{"line":5,"error":"bad_value","at":6}],"refused_total":2}"#
    )
    #expect(counted.samples().contains("hits_total{k=\"v\"} 2\n"))
    #expect(counted.post("/lines", "", type: nil).body == #"{"accepted":0,"refused":[],"refused_total":0}"#)
    #expect(counted.page().contains("footfall_lines_read_total{listener=\"http\"} 5\n"))
  }

  @Test func `of many slices has every line in its place`() throws {
    let counted = try Counted()
    var lines: [String] = []
    for number in 0..<60_000 { lines.append(number % 500 == 499 ? "x" : "series\(number % 55_000):1|c") }
    // A line longer than a slice is one line.
    lines[1_000] = String(repeating: "y", count: 100_000)
    let body = counted.post("/lines", lines.joined(separator: "\n"), type: nil).body
    #expect(body.hasPrefix(#"{"accepted":59879,"refused":[{"line":500,"error":"no_value","at":1},{"line":1000,"#))
    #expect(body.contains(#"{"line":1001,"error":"too_long","at":8192},{"line":1500,"error":"no_value""#))
    #expect(body.contains(#"{"line":49500,"#) && !body.contains(#"{"line":50000,"#))
    #expect(body.hasSuffix(#","refused_total":121}"#))
    #expect(counted.samples().contains("series54998_total 1\n") && counted.samples().contains("series1_total 2\n"))
  }
}

@Suite struct `deleting series` {
  @Test func `lets counters begin anew and the others leave`() throws {
    let counted = try Counted()
    counted.count("visit:a:3|c", "visit:b:4|c", "level:5|g", "took:3|ms", "who:x|s", "other:1|g")
    #expect(counted.delete("/series?metric=visit&match=page:a").body == #"{"removed":1}"#)
    #expect(counted.get("/visits/a").body == #"{"visits":0,"served_via":"in_memory"}"#)
    #expect(counted.post("/visit").body == #"{"visits":5}"#)
    for name in ["level", "t*", "w?o"] {
      #expect(counted.delete("/series?metric=\(name)").body == #"{"removed":1}"#)
    }
    // A table's owner is asked once at a time.
    for _ in 0..<4 { counted.forget(after: 0) }
    let page = counted.samples()
    for name in ["level", "took", "who"] { #expect(!page.contains(name)) }
    #expect(page.contains("visit_total{page=\"a\"} 3\n") && page.contains("other 1\n"))
    #expect(counted.delete("/series?metric=none").body == #"{"removed":0}"#)
    #expect(counted.delete("/series").status == 422)
  }

  @Test func `keeps what is written meanwhile`() throws {
    let counted = try Counted()
    counted.count("level:5|g", "idle:5|g")
    #expect(counted.delete("/series?metric=*l*").body == #"{"removed":2}"#)
    counted.count("level:6|g")
    counted.forget(after: 0)
    counted.gather()
    #expect(counted.samples().contains("level 6\n") && !counted.samples().contains("idle"))
  }
}
