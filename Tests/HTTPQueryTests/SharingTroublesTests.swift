import Testing

@testable import Aggregation
@testable import HTTPQuery

@Suite(.timeLimit(.minutes(2))) struct `sharing counts with a store that is not well` {
  private static let page = visits(of: "a")
  private static let never: Int64 = 3_600_000_000_000

  private func own(_ memory: MemoryStore) -> SharedNumber? { memory.change { $0.own[Self.page]?.total } }

  @Test func `writes and reads that found no room go when there is some`() throws {
    let memory = MemoryStore(flushInterval: 0)
    let server = try RunningServer(store: memory.store)
    memory.change { $0.hasRoom = false }
    let writer = try Peer(server)
    writer.send(request("POST", "/visits/a"))
    let reader = try Peer(server)
    reader.send(request("GET", "/visits/b"))
    let leaver = try Peer(server)
    leaver.send(request("GET", "/visits/c"))
    #expect(try server.ask("GET", "/health").hasPrefix("HTTP/1.1 200 "))
    #expect(!writer.hasInput && !reader.hasInput)
    memory.tell(server.agent) { $0.hasRoom = true }
    #expect(text(writer).messageBody == #"{"visits":1,"served_via":"redis"}"#)
    #expect(text(reader).messageBody == #"{"visits":0,"served_via":"redis"}"#)
    #expect(own(memory) == .whole(1))
    #expect(server.stop() == 0)
  }

  @Test func `clients that leave while they wait keep nobody, and what they wrote is written`() throws {
    let memory = MemoryStore(flushInterval: 0)
    let server = try RunningServer(store: memory.store)
    memory.change { state in
      state.isSilent = true
      state.holdsWrites = true
    }
    var leavers: [Peer] = []
    for (method, path) in [("GET", "/visits/b"), ("GET", "/stats"), ("POST", "/visits/a"), ("DELETE", "/visits/a")] {
      let peer = try Peer(server)
      peer.send(request(method, path))
      leavers.append(peer)
    }
    wait { memory.change { $0.held.contains { $0.key == Self.page } } }
    // What comes later is answered: all before has been read.
    #expect(try server.ask("GET", "/health").hasPrefix("HTTP/1.1 200 "))
    #expect(leavers.allSatisfy { !$0.hasInput })
    for leaver in leavers { leaver.reset() }
    leavers = []
    wait { server.books.connections.load(ordering: .relaxed) == 0 }
    memory.change { $0.isSilent = false }
    memory.releaseWrites(server.agent)
    // The reset came with the visit, and was done though nobody was there to hear of it.
    wait { memory.change { $0.own[Self.page]?.base } == .whole(1) }
    #expect(try server.ask("GET", "/visits/a").messageBody == #"{"visits":0,"served_via":"redis"}"#)
    #expect(server.stop() == 0)
  }

  @Test func `one of several servers away keeps what is its own alone`() throws {
    let memory = MemoryStore(flushInterval: 0)
    let server = try RunningServer(store: memory.store)
    memory.change { state in
      state.condition.nodes = [("redis://a", true), ("redis://b", false)]
      state.others[Self.page] = (.whole(10), .zero)
      state.away = [Self.page]
    }
    #expect(try server.ask("POST", "/visits/a").messageBody == #"{"visits":1,"served_via":"in_memory"}"#)
    #expect(try server.ask("POST", "/visits/b").messageBody == #"{"visits":1,"served_via":"redis"}"#)
    let refused = try server.ask("DELETE", "/visits/a")
    #expect(refused.hasPrefix("HTTP/1.1 503 ") && refused.contains("Redis cannot be used; nothing was reset"))
    // A page nobody here has counted: what nobody can say is not that there is none.
    memory.change { state in
      state.away = [Self.page, visits(of: "c")]
      state.stale[visits(of: "c")] = .total(others: .zero, own: nil, ownBase: .zero, agents: 0)
    }
    #expect(try server.ask("DELETE", "/api/v1/counter/visits/c").hasPrefix("HTTP/1.1 503 "))
    memory.change { $0.away = [] }
    memory.set(isUp: true, server.agent)
    wait { own(memory) == .whole(1) }
    #expect(try server.ask("GET", "/visits/a").messageBody == #"{"visits":11,"served_via":"redis"}"#)
    #expect(server.stop() == 0)
  }

  @Test func `the first answer without a server has what it said last`() throws {
    let memory = MemoryStore()
    memory.change { state in
      state.away = [Self.page]
      state.stale[Self.page] = .total(others: .whole(6), own: nil, ownBase: .zero, agents: 1)
    }
    let server = try RunningServer(store: memory.store)
    #expect(try server.ask("GET", "/visits/a").messageBody == #"{"visits":6,"served_via":"in_memory"}"#)
    #expect(try server.ask("POST", "/visits/a").messageBody == #"{"visits":7,"served_via":"batch"}"#)
    #expect(server.stop() == 0)
  }

  @Test func `a reset of which nothing was heard is said to be unknown`() throws {
    let memory = MemoryStore(flushInterval: 0)
    let server = try RunningServer(store: memory.store)
    for page in ["a", "b"] { _ = try server.ask("POST", "/visits/\(page)") }
    memory.change { $0.losesResets = true }
    for path in ["/visits/a", "/api/v1/counter/visits/a"] {
      let before = memory.change { $0.writes }
      let answer = try server.ask("DELETE", path)
      #expect(answer.hasPrefix("HTTP/1.1 503 ") && answer.contains("\r\nRetry-After: 1\r\n"))
      #expect(answer.messageBody == #"{"detail":"Redis did not answer; whether it was reset is not known"}"#)
      // Once before the reset, and once more to learn what became of it.
      wait { memory.change { $0.writes } >= before + 2 }
      wait {
        (try? server.ask("GET", "/visits/a?scope=local").messageBody.contains(#""visits":0,"#)) ?? false
      }
    }
    let all = try server.ask("DELETE", "/series?metric=visit").messageBody
    #expect(
      all == #"{"detail":"Redis did not answer; only 0 were reset or removed, and of 2 more it is not known"}"#)
    // It was done, and the next look says so.
    #expect(try server.ask("GET", "/visits/a").messageBody == #"{"visits":0,"served_via":"redis"}"#)
    #expect(server.stop() == 0)
  }

  @Test func `a base that the store has is taken over with the next write`() throws {
    let memory = MemoryStore(flushInterval: 0)
    let server = try RunningServer(store: memory.store)
    for _ in 0..<3 { _ = try server.ask("POST", "/visits/a") }
    memory.change { $0.own[Self.page]?.base = .whole(3) }
    #expect(try server.ask("GET", "/visits/a?scope=local").messageBody.contains(#""visits":3,"#))
    #expect(try server.ask("POST", "/visits/a").messageBody == #"{"visits":1,"served_via":"redis"}"#)
    #expect(try server.ask("GET", "/visits/a?scope=local").messageBody.contains(#""visits":1,"#))
    // The metric's count has become less by the same.
    #expect(try server.ask("POST", "/visit").messageBody == #"{"visits":2}"#)
    #expect(server.stop() == 0)
  }

  @Test func `a reset by another agent is known here without a visit`() throws {
    let memory = MemoryStore(flushInterval: 0)
    let server = try RunningServer(store: memory.store)
    for _ in 0..<3 { _ = try server.ask("POST", "/visits/a") }
    memory.tell(server.agent) { state in
      state.own[Self.page]?.base = .whole(3)
      state.news.append(.resetElsewhere(Self.page))
      state.news.append(.resetElsewhere(visits(of: "never seen here")))
    }
    wait { (try? server.ask("GET", "/visits/a?scope=local").messageBody.contains(#""visits":0,"#)) ?? false }
    #expect(server.stop() == 0)
  }

  @Test func `what a server forgot comes back with a full pass`() throws {
    let memory = MemoryStore(flushInterval: 0)
    let server = try RunningServer(store: memory.store)
    for _ in 0..<3 { _ = try server.ask("POST", "/visits/a") }
    memory.tell(server.agent) { state in
      state.own = [:]
      state.wantsFullPass = true
    }
    wait {
      own(memory) == .whole(3)
        && memory.change { $0.own[SharedKey(.counter, metric: "visit".utf8)]?.total } == .whole(3)
    }
    #expect(server.stop() == 0)
  }

  @Test func `the end writes what waits by way of the journal, with what it found`() throws {
    let journal = MemoryKeeper()
    let memory = MemoryStore()
    memory.change { state in
      state.condition.nodes = [("redis://a", false)]
      state.own[Self.page] = (.whole(40), .whole(30))
    }
    let server = try RunningServer(
      flushIntervalNanoseconds: Self.never, keeper: journal.keeper(holdsAnswers: false), store: memory.store)
    _ = try server.ask("POST", "/visits/a")
    #expect(memory.change { $0.writes } == 0)
    memory.change { $0.condition.nodes = [("redis://a", true)] }
    #expect(server.stop() == 0)
    #expect(own(memory) == .whole(41))
    let again = try RunningServer(keeper: MemoryKeeper(kept: journal.payloads).keeper(holdsAnswers: false))
    #expect(try again.ask("GET", "/metrics").contains("visit_total{page=\"a\"} 41\n"))
    #expect(try again.ask("GET", "/visits/a").messageBody == #"{"visits":11,"served_via":"in_memory"}"#)
  }
}
