import Bytes
import Testing

@testable import Aggregation
@testable import HTTPQuery

@Suite(.timeLimit(.minutes(2))) struct `events` {
  /// The messages within a text, each from its `data: ` on.
  private func messages(_ text: String) -> [String] { text.components(after: "data: ") }

  /// Reads until `part` has come, or the stream has ended.
  private func read(_ peer: Peer, until part: String) -> String {
    var text = ""
    while !text.contains(part) {
      let bytes = peer.read(1)
      if bytes.isEmpty { break }
      text += String(decoding: bytes, as: UTF8.self)
    }
    return text
  }

  @Test func `tell of every flush, and begin with the moment`() throws {
    let server = try RunningServer(flushIntervalNanoseconds: 20_000_000)
    server.count("visit:a:3|c\nvisit:b|c\nbuy:p|c")
    let peer = try Peer(server)
    peer.send(`a connection`.get("/events"))
    let begin = read(peer, until: "\n\n\r\n")
    #expect(begin.contains("\r\nContent-Type: text/event-stream\r\n") && begin.contains("retry: 1000\n\n"))
    let first = read(peer, until: "}}\n\n")
    #expect(messages(first).count == 1)
    #expect(first.contains(#""total_visits":4,"total_buys":1,"#))
    #expect(
      first.contains(#""top":[{"labels":{"page":"a"},"value":3},{"labels":{"page":"b"},"value":1}],"metrics":2,"#))
    #expect(first.contains(#""ledger":{"datagrams_received":0,"datagrams_dropped":0,"#))
    server.count("visit:a:6|c")
    #expect(read(peer, until: #""total_visits":10,"#).hasSuffix(#""total_visits":10,"#))
    #expect(server.stop() == 0)
  }

  @Test func `are the same for all who watch`() throws {
    let server = try RunningServer(flushIntervalNanoseconds: 20_000_000)
    let peers = try (0..<3).map { _ in try Peer(server) }
    for peer in peers { peer.send(`a connection`.get("/events")) }
    for peer in peers { _ = read(peer, until: "data: ") }
    server.count("visit:a|c")
    let seen = peers.map { peer in
      _ = read(peer, until: #""total_visits":1,"#)
      return read(peer, until: "}}\n\n")
    }
    #expect(Set(seen).count == 1)
  }

  @Test func `turn away whom there is no room for, and take others when somebody has left`() throws {
    let server = try RunningServer(connections: 200, flushIntervalNanoseconds: 10_000_000)
    var peers = try (0..<EventsFeed.mostStreams).map { _ in try Peer(server) }
    for peer in peers { peer.send(`a connection`.get("/events")) }
    for peer in peers { _ = read(peer, until: "data: ") }
    let refused = try Peer(server).ask("/events")
    #expect(refused.hasPrefix("HTTP/1.1 503 ") && refused.contains("\r\nRetry-After: 10\r\n"))
    peers.removeLast(10)
    // The server learns of a close when it next writes.
    var answer = "HTTP/1.1 503"
    while answer.hasPrefix("HTTP/1.1 503") {
      let peer = try Peer(server)
      peer.send(`a connection`.get("/events"))
      answer = String(decoding: peer.read(12), as: UTF8.self)
    }
    #expect(answer == "HTTP/1.1 200")
  }

  @Test func `end when the program stops`() throws {
    let server = try RunningServer(flushIntervalNanoseconds: 3_600_000_000_000)
    let peer = try Peer(server)
    peer.send(`a connection`.get("/events"))
    _ = read(peer, until: "}}\n\n")
    #expect(server.stop() == 0)
    #expect(String(decoding: peer.read(.max), as: UTF8.self) == "\r\n0\r\n\r\n")
  }

  @Test func `answer HEAD and clients of 1_0`() throws {
    let server = try RunningServer(flushIntervalNanoseconds: 10_000_000)
    let head = try Peer(server)
    head.send("HEAD /events HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
    let answer = String(decoding: head.read(.max), as: UTF8.self)
    #expect(answer.contains("text/event-stream") && answer.hasSuffix("\r\n\r\n") && !answer.contains("retry"))
    let old = try Peer(server)
    old.send(`a connection`.get("/events", version: "1.0"))
    let text = read(old, until: "}}\n\ndata: ")
    #expect(text.contains("\r\nConnection: close\r\n") && text.contains("\r\n\r\nretry: 1000\n\ndata: {"))
  }

  @Test func `are not kept for a client that does not read`() {
    let feed = EventsFeed()
    let client = Client()
    client.send(`a connection`.get("/events"))
    guard case .request = client.next() else { return #expect(Bool(false)) }
    let stream = EventsStream(feed)
    client.answer(Response(type: "text/event-stream", body: .stream(BodyStream { stream.produce(&$0) })))
    client.connection.produce(nanoseconds: 0)
    #expect(!client.connection.awaitsNews && client.pendingCount > 0)
    client.take()
    #expect(client.connection.awaitsNews && !client.wantsProduce)
  }

  @Test func `are made for nobody`() throws {
    let counted = try Counted()
    counted.count("visit:a|c")
    counted.state.events.flushed(counted.state)
    #expect(!counted.state.events.isMaking && counted.state.view.pins == 0)
    let stream = EventsStream(counted.state.events)
    counted.state.events.flushed(counted.state)
    #expect(counted.state.events.isMaking && counted.state.view.pins == 1)
    #expect(counted.state.events.step(counted.state) && counted.state.view.pins == 0)
    #expect(String(decoding: counted.state.events.message, as: UTF8.self).hasSuffix("}}\n\n"))
    _ = stream
  }
}
