import Testing

@testable import Aggregation
@testable import HTTPQuery

@Suite(.timeLimit(.minutes(2))) struct `sharing counts` {
  private static let page = visits(of: "a")

  private func own(_ memory: MemoryStore) -> SharedNumber? { memory.change { $0.own[Self.page]?.total } }

  @Test func `a page's count is the sum over agents, and says where it comes from`() throws {
    let memory = MemoryStore()
    memory.change { $0.others[Self.page] = (.whole(10), .whole(3)) }
    let server = try RunningServer(store: memory.store)
    #expect(try server.ask("GET", "/visits/a").messageBody == #"{"visits":7,"served_via":"redis"}"#)
    #expect(try server.ask("GET", "/api/v1/counter/visits/a").messageBody == #"{"visits":7,"served_via":"redis"}"#)
    #expect(try server.ask("GET", "/visits/a?scope=local").messageBody == #"{"visits":0,"served_via":"in_memory"}"#)
    #expect(try server.ask("GET", "/visits/a?scope=all").messageBody == #"{"visits":7,"served_via":"redis"}"#)
    let strange = try server.ask("GET", "/visits/a?scope=some")
    #expect(strange.hasPrefix("HTTP/1.1 422 ") && strange.contains("Input should be 'all' or 'local'"))
    memory.change {
      $0.cache[Self.page] = .total(others: .whole(6), own: nil, ownBase: .zero, agents: 1)
    }
    #expect(try server.ask("GET", "/visits/a").messageBody == #"{"visits":6,"served_via":"in_memory"}"#)
    memory.change { $0.cache = [:] }
    // Counted after the first batch: it waits for the next, which no test lives to see.
    wait { memory.change { $0.reads } > 0 }
    #expect(try server.ask("POST", "/visits/a").messageBody.hasPrefix(#"{"visits":8,"served_via":"#))
    #expect(try server.ask("POST", "/visits/a").messageBody == #"{"visits":9,"served_via":"batch"}"#)
    #expect(try server.ask("GET", "/visits/a?scope=local").messageBody == #"{"visits":2,"served_via":"in_memory"}"#)
    memory.set(isUp: false, server.agent)
    #expect(try server.ask("GET", "/visits/a").messageBody == #"{"visits":2,"served_via":"in_memory"}"#)
    #expect(try server.ask("GET", "/api/v1/counter/visits/b").hasPrefix("HTTP/1.1 404 "))
    #expect(server.stop() == 0)
  }

  @Test func `at once, an answer waits until its count is written`() throws {
    let memory = MemoryStore(flushInterval: 0)
    memory.change { $0.others[Self.page] = (.whole(10), .zero) }
    let server = try RunningServer(store: memory.store)
    for count in 1...3 {
      #expect(
        try server.ask("POST", "/visits/a").messageBody == #"{"visits":\#(10 + count),"served_via":"redis"}"#)
      #expect(own(memory) == .whole(Int64(count)))
    }
    memory.change { $0.holdsWrites = true }
    let peer = try Peer(server)
    peer.send(request("POST", "/visits/a"))
    wait { memory.change { $0.held.contains { $0.key == Self.page } } }
    #expect(try server.ask("GET", "/health").hasPrefix("HTTP/1.1 200 "))
    #expect(!peer.hasInput)
    memory.releaseWrites(server.agent)
    #expect(text(peer).messageBody == #"{"visits":14,"served_via":"redis"}"#)
    memory.set(isUp: false, server.agent)
    #expect(try server.ask("POST", "/visits/a").messageBody == #"{"visits":5,"served_via":"in_memory"}"#)
    // Nothing was written, and nothing is lost.
    memory.set(isUp: true, server.agent)
    wait { own(memory) == .whole(5) }
    #expect(server.stop() == 0)
  }

  @Test(arguments: [0, 3_600_000_000_000]) func `no two visits that wait together are answered the same`(
    flushInterval: Int64
  ) throws {
    let memory = MemoryStore(flushInterval: flushInterval)
    memory.change { $0.others[Self.page] = (.whole(10), .zero) }
    let server = try RunningServer(store: memory.store)
    // What waits for room goes on together.
    memory.change { $0.hasRoom = false }
    let peers = try (0..<8).map { _ in
      let peer = try Peer(server)
      peer.send(request("POST", "/visits/a"))
      return peer
    }
    wait { (try? server.ask("GET", "/visits/a?scope=local").messageBody.contains(#""visits":8,"#)) ?? false }
    memory.tell(server.agent) { $0.hasRoom = true }
    let answers = peers.map { text($0).messageBody }
    #expect(Set(answers.map { $0.components(after: #""visits":"#)[0].prefix(2) }) == Set((11...18).map { "\($0)" }))
    if flushInterval == 0 { #expect(answers.allSatisfy { $0.contains(#""served_via":"redis""#) }) }
    #expect(server.stop() == 0)
  }

  @Test func `nothing is written that the journal does not hold`() throws {
    let journal = MemoryKeeper()
    journal.change { $0.settlesAtOnce = false }
    let memory = MemoryStore(flushInterval: 0)
    let server = try RunningServer(keeper: journal.keeper(holdsAnswers: false), store: memory.store)
    let peer = try Peer(server)
    peer.send(request("POST", "/visits/a"))
    wait { !journal.payloads.isEmpty }
    #expect(try server.ask("GET", "/visits/a?scope=local").messageBody.contains("\"visits\":1,"))
    #expect(own(memory) == nil && !peer.hasInput)
    journal.settleAll(server.agent)
    #expect(text(peer).messageBody == #"{"visits":1,"served_via":"redis"}"#)
    #expect(own(memory) == .whole(1))
    journal.change { $0.settlesAtOnce = true }
    #expect(server.stop() == 0)
  }

  @Test func `a batch that takes its time goes on when the journal holds it`() throws {
    let journal = MemoryKeeper()
    journal.change { $0.settlesAtOnce = false }
    let memory = MemoryStore()
    let server = try RunningServer(
      flushIntervalNanoseconds: 3_600_000_000_000, keeper: journal.keeper(holdsAnswers: false), store: memory.store)
    _ = try server.ask("POST", "/visits/a")
    wait { !journal.payloads.isEmpty }
    journal.settleAll(server.agent)
    wait { own(memory) == .whole(1) }
    journal.change { $0.settlesAtOnce = true }
    #expect(server.stop() == 0)
  }

  @Test func `a reset holds for all agents, and what is counted meanwhile survives it`() throws {
    let memory = MemoryStore()
    memory.change { $0.others[Self.page] = (.whole(10), .zero) }
    let server = try RunningServer(flushIntervalNanoseconds: 10_000_000, store: memory.store)
    _ = try server.ask("POST", "/visits/a")
    wait { own(memory) == .whole(1) }
    memory.change { $0.holdsWrites = true }
    let peer = try Peer(server)
    peer.send(request("DELETE", "/visits/a"))
    wait { memory.change { $0.held.contains { $0.key == Self.page } } }
    _ = try server.ask("POST", "/visits/a")
    #expect(!peer.hasInput)
    memory.releaseWrites(server.agent)
    #expect(text(peer).messageBody == #"{"visits":0,"served_via":"redis"}"#)
    #expect(try server.ask("GET", "/visits/a").messageBody.hasPrefix(#"{"visits":1,"#))
    #expect(memory.change { $0.others[Self.page]?.base } == .whole(10))
    #expect(try server.ask("DELETE", "/api/v1/counter/visits/a").hasPrefix("HTTP/1.1 200 "))
    #expect(try server.ask("GET", "/visits/a").messageBody == #"{"visits":0,"served_via":"redis"}"#)
    #expect(try server.ask("DELETE", "/api/v1/counter/visits/b").hasPrefix("HTTP/1.1 404 "))
    #expect(server.stop() == 0)
  }

  @Test func `a reset that the store cannot do changes nothing`() throws {
    let memory = MemoryStore()
    let server = try RunningServer(store: memory.store)
    _ = try server.ask("POST", "/visits/a")
    memory.set(isUp: false, server.agent)
    for path in ["/visits/a", "/api/v1/counter/visits/a", "/visits/b", "/series?metric=visit"] {
      let answer = try server.ask("DELETE", path)
      #expect(answer.hasPrefix("HTTP/1.1 503 ") && answer.contains("\r\nRetry-After: 1\r\n"))
    }
    #expect(try server.ask("GET", "/visits/a").messageBody == #"{"visits":1,"served_via":"in_memory"}"#)
    memory.set(isUp: true, server.agent)
    server.count((0..<1_500).map { "visit:p\($0)|c" }.joined(separator: "\n"))
    #expect(try server.ask("DELETE", "/series?metric=visit").messageBody == #"{"removed":1501}"#)
    #expect(try server.ask("GET", "/visits/p7").messageBody == #"{"visits":0,"served_via":"redis"}"#)
    #expect(server.stop() == 0)
  }

  @Test func `more that the store has of this agent is taken over`() throws {
    let memory = MemoryStore(flushInterval: 0)
    memory.change { $0.own[Self.page] = (.whole(40), .whole(30)) }
    let server = try RunningServer(store: memory.store)
    #expect(try server.ask("POST", "/visits/a").messageBody == #"{"visits":11,"served_via":"redis"}"#)
    #expect(own(memory) == .whole(41))
    #expect(try server.ask("GET", "/metrics").contains("visit_total{page=\"a\"} 41\n"))
    #expect(server.stop() == 0)
  }

  @Test func `more that the store has of this agent is answered before it is taken over`() throws {
    let memory = MemoryStore()
    memory.change { state in
      state.own[Self.page] = (.whole(40), .whole(30))
      state.own[SharedKey(.counter, metric: "visit".utf8)] = (.whole(60), .whole(30))
      state.holdsWrites = true
    }
    let server = try RunningServer(store: memory.store)
    #expect(try server.ask("POST", "/visits/a").messageBody == #"{"visits":11,"served_via":"batch"}"#)
    #expect(try server.ask("GET", "/visits/a").messageBody == #"{"visits":11,"served_via":"batch"}"#)
    #expect(try server.ask("GET", "/stats").contains(#""total_visits":31,"#))
    memory.releaseWrites(server.agent)
    wait { (try? server.ask("GET", "/visits/a?scope=local").messageBody.contains(#""visits":11,"#)) ?? false }
    #expect(try server.ask("GET", "/visits/a").messageBody == #"{"visits":11,"served_via":"batch"}"#)
    #expect(try server.ask("GET", "/stats").contains(#""total_visits":31,"#))
    #expect(server.stop() == 0)
  }

  @Test func `while all servers are away nothing is collected, and the end writes what waits`() throws {
    let memory = MemoryStore()
    memory.change { $0.condition.nodes = [("redis://a", false)] }
    let server = try RunningServer(store: memory.store)
    _ = try server.ask("POST", "/visits/a")
    let metrics = try server.ask("GET", "/api/v1/counter/metrics")
    #expect(metrics.contains(#""status":"degraded""#) && metrics.contains(#""redis_nodes":{"redis://a":false}"#))
    #expect(metrics.contains(#""write_buffer_size":2}"#) && metrics.contains(#""last_batch_write":null"#))
    #expect(memory.change { $0.writes } == 0)
    memory.set(isUp: true, server.agent)
    wait { own(memory) == .whole(1) }
    wait { (try? server.ask("GET", "/api/v1/counter/metrics").contains(#""last_batch_write":"20"#)) ?? false }
    _ = try server.ask("POST", "/visits/a")
    #expect(server.stop() == 0)
    #expect(own(memory) == .whole(2))
  }

  @Test func `the total of all visits holds others' without waiting for them`() throws {
    let memory = MemoryStore()
    memory.change { $0.others[SharedKey(.counter, metric: "visit".utf8)] = (.whole(100), .whole(40)) }
    let server = try RunningServer(store: memory.store)
    wait { (try? server.ask("POST", "/visit").contains("{\"visits\":6")) ?? false }
    memory.change { $0.isSilent = true }
    #expect(try server.ask("POST", "/visit").contains("{\"visits\":6"))
    // Whoever waits for the store keeps nobody else.
    let gone = try Peer(server)
    gone.send(request("GET", "/visits/a"))
    #expect(try server.ask("GET", "/health").hasPrefix("HTTP/1.1 200 "))
    #expect(!gone.hasInput)
    #expect(server.stop() == 0)
  }
}
