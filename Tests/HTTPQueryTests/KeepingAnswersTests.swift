import Aggregation
import Testing

@testable import HTTPQuery

@Suite(.timeLimit(.minutes(2))) struct `keeping answers` {
  private static let never: Int64 = 3_600_000_000_000

  private func post(_ path: String) -> String { request("POST", path) }

  @Test func `an answer to a write goes when what it says is safe, and others go before`() throws {
    let memory = MemoryKeeper()
    memory.change { $0.settlesAtOnce = false }
    let server = try RunningServer(flushIntervalNanoseconds: Self.never, keeper: memory.keeper(holdsAnswers: true))
    let purchase = "{\"user_id\":1,\"promotion_id\":2,\"product_id\":3,\"product_quantity\":4}"
    let writers = try [
      post("/visit"), post("/visits/a"), post("/api/v1/counter/visit/a"),
      "POST /lines HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nConnection: close\r\n\r\nx:1|c",
      "POST /buy HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\nContent-Length: \(purchase.utf8.count)\r\n"
        + "Connection: close\r\n\r\n\(purchase)",
      "DELETE /visits/a HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n",
    ].map { request in
      let peer = try Peer(server)
      let before = memory.payloads.count
      peer.send(request)
      wait { memory.payloads.count > before }
      return peer
    }
    // All have been counted, none is answered.
    #expect(try Peer(server).ask("/metrics").contains("visit_total{page=\"a\"} 2\n"))
    #expect(writers.allSatisfy { !$0.hasInput })
    memory.settleAll(server.agent)
    #expect(writers.allSatisfy { text($0).hasPrefix("HTTP/1.1 200 ") })
    #expect(server.stop() == 0)
  }

  @Test func `writes of one turn are told in one batch`() throws {
    let memory = MemoryKeeper()
    let server = try RunningServer(flushIntervalNanoseconds: Self.never, keeper: memory.keeper(holdsAnswers: true))
    // While the journal takes nothing, what comes gathers.
    memory.change { $0.hasRoom = false }
    let peers = try (0..<8).map { _ in try Peer(server) }
    for peer in peers { peer.send(post("/visits/a")) }
    wait { (try? Peer(server).ask("/metrics").contains("visit_total{page=\"a\"} 8\n")) ?? false }
    #expect(peers.allSatisfy { !$0.hasInput })
    memory.change { $0.hasRoom = true }
    server.agent.wake()
    #expect(peers.allSatisfy { text($0).hasPrefix("HTTP/1.1 200 ") })
    // One was refused when the first came; all others share the next.
    #expect(memory.payloads.count <= 2)
  }

  @Test func `an answer whose count came behind a payload that was refused waits for the next`() throws {
    let memory = MemoryKeeper()
    memory.change { state in
      state.hasRoom = false
      state.settlesAtOnce = false
    }
    let server = try RunningServer(flushIntervalNanoseconds: Self.never, keeper: memory.keeper(holdsAnswers: true))
    let peers = try ["a", "b"].map { page in
      let peer = try Peer(server)
      peer.send(post("/visits/\(page)"))
      wait { (try? Peer(server).ask("/metrics").contains("visit_total{page=\"\(page)\"} 1\n")) ?? false }
      return peer
    }
    memory.change { $0.hasRoom = true }
    server.agent.wake()
    wait { memory.payloads.count == 2 }
    // What was refused is safe; it does not hold the second.
    memory.change { $0.settled = 1 }
    server.agent.wake()
    #expect(try Peer(server).ask("/health").hasPrefix("HTTP/1.1 200 "))
    #expect(!peers[1].hasInput)
    memory.settleAll(server.agent)
    #expect(peers.allSatisfy { text($0).contains("\"visits\":1,") })
  }

  @Test func `pipelined requests are answered in order though one is held`() throws {
    let memory = MemoryKeeper()
    memory.change { $0.settlesAtOnce = false }
    let server = try RunningServer(flushIntervalNanoseconds: Self.never, keeper: memory.keeper(holdsAnswers: true))
    let peer = try Peer(server)
    peer.send(
      "POST /visit HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n"
        + "POST /visit HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n" + `a connection`.get("/explain")
        + `a connection`.get("/health", "Connection: close\r\n"))
    wait { memory.payloads.count == 1 }
    #expect(!peer.hasInput)
    memory.settleAll(server.agent)
    wait { memory.payloads.count == 2 }
    memory.settleAll(server.agent)
    let answer = text(peer)
    #expect(answer.components(after: "HTTP/1.1 ").map { String($0.prefix(3)) } == ["200", "200", "422", "200"])
    #expect(answer.contains("{\"visits\":1}") && answer.contains("{\"visits\":2}"))
  }

  @Test func `while the journal cannot be written, writes are refused before they count and those under way told so`()
    throws
  {
    let memory = MemoryKeeper()
    memory.change { $0.settlesAtOnce = false }
    let server = try RunningServer(flushIntervalNanoseconds: Self.never, keeper: memory.keeper(holdsAnswers: true))
    let early = try Peer(server)
    early.send(post("/visits/a"))
    wait { memory.payloads.count == 1 }
    memory.change { $0.condition.reasons = ["journal: no space left on device"] }
    server.agent.wake()
    let told = text(early)
    #expect(
      told.hasPrefix("HTTP/1.1 503 ") && told.contains("Counted, but not on disk") && told.contains("\r\nRetry-After: ")
    )
    let late = try Peer(server)
    late.send(post("/visits/a"))
    let refused = text(late)
    #expect(refused.hasPrefix("HTTP/1.1 503 ") && refused.contains("nothing was counted"))
    #expect(refused.contains("\r\nRetry-After: 1\r\n"))
    let health = try Peer(server).ask("/health")
    #expect(health.hasPrefix("HTTP/1.1 200 "))
    #expect(health.contains("\"status\":\"degraded\",\"reasons\":[\"journal: no space left on device\"]"))
    let page = try Peer(server).ask("/metrics")
    #expect(page.contains("visit_total{page=\"a\"} 1\n") && page.contains("footfall_journal_degraded 1\n"))
    memory.change { $0.condition.reasons = [] }
    memory.change { $0.settlesAtOnce = true }
    let again = try Peer(server)
    again.send(post("/visits/a"))
    #expect(text(again).contains("\"visits\":2"))
  }

  @Test func `without always, answers do not wait and a sick journal refuses none`() throws {
    let memory = MemoryKeeper()
    memory.change { $0.settlesAtOnce = false }
    memory.change { $0.condition.reasons = ["ill"] }
    let server = try RunningServer(keeper: memory.keeper(holdsAnswers: false))
    let peer = try Peer(server)
    peer.send(post("/visits/a"))
    #expect(text(peer).contains("\"visits\":1"))
  }

  @Test func `what was kept is there before anybody reads, and who asks before waits`() throws {
    let first = MemoryKeeper()
    var server: RunningServer? = try RunningServer(keeper: first.keeper(holdsAnswers: false))
    server?.count("visit:a:41|c\nu:x|s\nt:5|ms\ng:3|g")
    #expect(server?.stop() == 0)
    server = nil
    #expect(first.payloads.last?.endsBatch == true)

    let second = MemoryKeeper(kept: first.payloads)
    second.change { $0.givesBack = false }
    let started = try RunningServer(keeper: second.keeper(holdsAnswers: false))
    started.count("visit:a:2|c")
    let reader = try Peer(started)
    reader.send(`a connection`.get("/metrics", "Connection: close\r\n"))
    let writer = try Peer(started)
    writer.send(post("/visit"))
    let ready = try Peer(started).ask("/ready")
    #expect(ready.hasPrefix("HTTP/1.1 503 ") && ready.contains("\"status\":\"restoring\""))
    #expect(try Peer(started).ask("/health").hasPrefix("HTTP/1.1 200 "))
    #expect(!reader.hasInput && !writer.hasInput)
    #expect(second.payloads.isEmpty)
    second.change { $0.givesBack = true }
    started.agent.wake()
    let page = text(reader)
    #expect(page.contains("visit_total{page=\"a\"} 43\n") && page.contains("u 1\n") && page.contains("g 3\n"))
    #expect(text(writer).contains("{\"visits\":44}"))
    #expect(try Peer(started).ask("/ready").hasPrefix("HTTP/1.1 200 "))
    #expect(second.change { $0.tally?.records ?? 0 } > 4)
    let status = try Peer(started).ask("/status")
    #expect(status.contains("\"journal\":{\"restoring\":false,"))
    #expect(started.stop() == 0)
  }

  @Test func `a snapshot that is wanted is told to its end while requests are answered`() throws {
    let memory = MemoryKeeper()
    let server = try RunningServer(flushIntervalNanoseconds: 10_000_000, keeper: memory.keeper(holdsAnswers: false))
    server.count((0..<20_000).map { "visit:page\($0)|c" }.joined(separator: "\n"))
    wait { !memory.payloads.isEmpty }
    memory.change { $0.wantsSnapshot = true }
    server.agent.wake()
    wait { memory.payloads.contains { $0.part == .snapshotEnds } }
    #expect(try Peer(server).ask("/health").hasPrefix("HTTP/1.1 200 "))
    #expect(server.stop() == 0)
    let parts = memory.payloads.map(\.part)
    let begin = try #require(parts.firstIndex(of: .snapshotBegins))
    #expect(parts.filter { $0 == .snapshotBegins }.count == 1 && parts.filter { $0 == .snapshot }.count > 3)
    let kept = MemoryKeeper(kept: Array(memory.payloads[begin...]))
    let again = try RunningServer(keeper: kept.keeper(holdsAnswers: false))
    #expect(try Peer(again).ask("/stats").contains("\"total_visits\":20000,"))
  }

  @Test func `the end tells what came last, and waits until it is safe`() throws {
    let memory = MemoryKeeper()
    let server = try RunningServer(flushIntervalNanoseconds: Self.never, keeper: memory.keeper(holdsAnswers: false))
    #expect(try Peer(server).ask("/ready").hasPrefix("HTTP/1.1 200 "))
    server.count("visit:last:7|c")
    #expect(server.stop() == 0)
    let again = try RunningServer(keeper: MemoryKeeper(kept: memory.payloads).keeper(holdsAnswers: false))
    #expect(try Peer(again).ask("/metrics").contains("visit_total{page=\"last\"} 7\n"))
  }
}
