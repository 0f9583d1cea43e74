import Testing

@testable import HTTPQuery

@Suite struct `the busiest series` {
  @Test func `show their points to those who ask for them`() throws {
    let counted = try Counted()
    counted.count("visit:a:5|c", "visit:b:2|c")
    let top = counted.get("/stats/visit?top_points=1&timeframe_hours=0.1").body.components(after: #""top":["#)[0]
    #expect(top.hasPrefix(#"{"labels":{"page":"a"},"value":5,"recent":5,"history":{"step":1,"points":[["#))
    #expect(top.contains(#",5]]}},{"labels":{"page":"b"},"value":2,"recent":2}]}"#))
    #expect(counted.get("/stats/visit?top_points=51").status == 422)
  }

  @Test(arguments: [3, 500])
  func `are told after each flush, of few series and of many`(_ pages: Int) throws {
    let counted = try Counted()
    let events = counted.state.events
    let stream = EventsStream(events)
    for round in 1...3 {
      counted.count(text: (1...pages).map { "visit:p\($0):\($0)|c" }.joined(separator: "\n"))
      events.flushed(counted.state)
      while !events.step(counted.state) {}
      let values = String(decoding: events.message, as: UTF8.self).components(after: #""value":"#)
      #expect(values.map { Int($0.prefix { $0 != "}" }) } == (0..<min(10, pages)).map { (pages - $0) * round })
    }
    _ = stream
  }
}
