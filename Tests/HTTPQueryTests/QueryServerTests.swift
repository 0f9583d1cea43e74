import Bytes
import Glibc
import Platform
import Protocol
import Synchronization
import Testing

@testable import Aggregation
@testable import HTTPQuery

/// A query thread with a listener on loopback, and a table that the test writes as a worker would.
final class RunningServer {
  let agent: AgentState
  let books = ListenerBooks(name: "http", kind: .http, workers: 1)
  let port: UInt16
  private let outcome = Outcome()
  private var table: WorkerTable
  private var thread: Platform.Thread?

  final class Outcome: Sendable {
    let pins = Atomic<Int>(-1)
    let wakeUps = Atomic<Int>(0)
  }

  init(
    connections: Int = 10, flushIntervalNanoseconds: Int64 = 1_000_000_000, httpIdle: Int64? = nil,
    keeper: Keeper? = nil, store: ((AgentState) -> SharedStore)? = nil
  )
    throws
  {
    let hasher = SpellingHash(seed: 3)
    let budget = SeriesBudget(limit: 300_000, limitPerMetric: 300_000)
    let memory = try TableMemory(capacity: 300_000)
    let ownMemory = try TableMemory(capacity: 300_000)
    table = try WorkerTable(
      memory: memory, hasher: hasher, reader: LineReader(), keyLabels: KeyLabels(), budget: budget)
    let agent = try AgentState()
    self.agent = agent
    let address = try #require(SocketAddress(v4: "127.0.0.1", port: 0))
    let listener = try Socket.listening(address, reusesPort: false)
    port = UInt16(Socket.localAddress(listener).description.split(separator: ":")[1]) ?? 0
    let (books, outcome) = (books, outcome)
    let store = store?(agent)
    thread = try Platform.Thread("query") {
      do {
        let view = try MergedView(
          tables: [memory, ownMemory], hasher: hasher, keyLabels: KeyLabels(), budget: budget,
          settings: .init(seriesTTL: nil, counterTTL: nil, quantileWindow: 60))
        let settings = Self.settings(
          connections: connections, flushIntervalNanoseconds: flushIntervalNanoseconds, httpIdle: httpIdle)
        let ownTable = try WorkerTable(
          memory: ownMemory, hasher: hasher, reader: LineReader(), keyLabels: KeyLabels(), budget: budget)
        let server = try QueryServer(
          view: view, table: ownTable, listeners: [listener], books: [books], state: agent, settings: settings,
          keeper: keeper, store: store, wakeWorker: { _ in outcome.wakeUps.wrappingAdd(1, ordering: .relaxed) })
        server.run()
        outcome.pins.store(server.state.view.pins, ordering: .relaxed)
      } catch {
        Issue.record(error)
      }
    }
    agent.phase = .serving
  }

  static func settings(
    connections: Int = 10, flushIntervalNanoseconds: Int64 = 1_000_000_000, httpIdle: Int64? = nil
  ) -> QuerySettings {
    QuerySettings(
      flushIntervalNanoseconds: flushIntervalNanoseconds, httpConnections: connections,
      httpIdleNanoseconds: httpIdle, quantiles: [0.5], buckets: [], version: "1", reader: LineReader(),
      keyLabels: KeyLabels())
  }

  func count(_ text: String) {
    table.beginBatch(monotonic: Clock.monotonic(), wall: 1_700_000_000)
    PaddedText(Array(text.utf8)).read { table.count($0) }
    table.endBatch()
  }

  /// Ends the thread.
  /// - Returns: pins that were left in the view.
  func stop() -> Int {
    agent.phase = .stopped
    thread?.join()
    thread = nil
    return outcome.pins.load(ordering: .relaxed)
  }

  deinit { _ = thread.map { _ in stop() } }
}

/// A client's blocking socket.
final class Peer {
  private let descriptor: Descriptor

  init(_ server: RunningServer) throws {
    let number = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    descriptor = Descriptor(owning: number)
    // Nothing here takes so long but a fault.
    var patience = timeval(tv_sec: 60, tv_usec: 0)
    setsockopt(number, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = server.port.bigEndian
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    let status = withUnsafeBytes(of: &address) {
      connect(number, $0.baseAddress!.assumingMemoryBound(to: sockaddr.self), socklen_t($0.count))
    }
    try #require(status == 0)
  }

  /// Whether something has come, or the end.
  var hasInput: Bool {
    var one = pollfd(fd: descriptor.number, events: Int16(POLLIN), revents: 0)
    return Glibc.poll(&one, 1, 0) > 0
  }

  func send(_ text: String) { _ = descriptor.write(Array(text.utf8).span) }

  /// Reads up to `count` bytes, fewer at the end of the connection.
  func read(_ count: Int) -> [UInt8] {
    var bytes: [UInt8] = []
    withUnsafeTemporaryAllocation(byteCount: 65_536, alignment: 16) { room in
      while bytes.count < count {
        let wanted = UnsafeMutableRawBufferPointer(rebasing: room[..<min(room.count, count - bytes.count)])
        guard case .bytes(let count) = descriptor.read(into: wanted) else { return }
        bytes += room[..<count]
      }
    }
    return bytes
  }

  /// The end of this connection is a reset, which a server hears of though it reads nothing: `RST`, not `FIN` (socket(7), SO_LINGER).
  func reset() {
    var atOnce = linger(l_onoff: 1, l_linger: 0)
    setsockopt(descriptor.number, SOL_SOCKET, SO_LINGER, &atOnce, socklen_t(MemoryLayout<linger>.size))
  }

  /// Asks and reads until the server closes.
  func ask(_ path: String, _ fields: String = "") -> String {
    send(`a connection`.get(path, fields + "Connection: close\r\n"))
    return String(decoding: read(.max), as: UTF8.self)
  }
}

@Suite(.timeLimit(.minutes(2))) struct `the query thread` {
  @Test func `shows what was counted before the question, without waiting for the flush`() throws {
    let server = try RunningServer(flushIntervalNanoseconds: 3_600_000_000_000)
    for number in 1...20 {
      server.count("visit:page1|c")
      #expect(try Peer(server).ask("/metrics").contains("visit_total{page=\"page1\"} \(number)\n"))
      #expect(try Peer(server).ask("/stats").contains("\"total_visits\":\(number),"))
    }
    #expect(server.stop() == 0)
  }

  @Test func `answers pipelined requests in order, whatever each of them waits for`() throws {
    let server = try RunningServer()
    server.count("visit:page1|c")
    let peer = try Peer(server)
    peer.send(
      `a connection`.get("/health") + `a connection`.get("/stats/visit") + `a connection`.get("/metrics?metric=visit")
        + `a connection`.get("/nothing") + `a connection`.get("/ready", method: "HEAD"))
    let text = peer.ask("/stats", "X: y\r\n")
    #expect(
      text.components(after: "HTTP/1.1 ").map { String($0.prefix(3)) } == ["200", "200", "200", "404", "200", "200"])
    let bodies = text.components(after: "\r\n\r\n").map { String($0.prefix(12)) }
    #expect(bodies[0].hasPrefix("{\"status\"") && bodies[1].hasPrefix("{\"name\":\"vis"))
    #expect(text.contains("visit_total{page=\"page1\"} 1\n"))
  }

  @Test func `says what a path takes`() throws {
    let server = try RunningServer()
    let refused = try Peer(server).ask("/x", "")
    #expect(refused.hasPrefix("HTTP/1.1 404 "))
    let peer = try Peer(server)
    peer.send("DELETE /stats HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
    let answer = String(decoding: peer.read(.max), as: UTF8.self)
    #expect(answer.hasPrefix("HTTP/1.1 405 ") && answer.contains("\r\nAllow: GET, HEAD, OPTIONS\r\n"))
    let other = try Peer(server)
    other.send("OPTIONS * HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
    #expect(String(decoding: other.read(.max), as: UTF8.self).hasPrefix("HTTP/1.1 204 "))
    let garbage = try Peer(server)
    garbage.send("what\r\n\r\n")
    #expect(String(decoding: garbage.read(.max), as: UTF8.self).hasPrefix("HTTP/1.1 400 "))
    let page = try Peer(server).ask("/metrics")
    #expect(page.contains("footfall_http_requests_total{route=\"/stats\",code=\"405\"} 1\n"))
    #expect(page.contains("footfall_http_requests_total{route=\"none\",code=\"404\"} 1\n"))
    #expect(page.contains("footfall_http_requests_total{route=\"none\",code=\"400\"} 1\n"))
  }

  @Test func `streams a large page, and lets the view go when a scraper leaves in the middle`() throws {
    let server = try RunningServer()
    // Some 5 MB: more than the kernel holds for a reader who does not read.
    let longKey = String(repeating: "k", count: 230)
    server.count((0..<20_000).map { "visit:page-\($0)-\(longKey)|c" }.joined(separator: "\n"))
    for _ in 0..<3 {
      let peer = try Peer(server)
      peer.send(`a connection`.get("/metrics"))
      #expect(peer.read(100_000).count == 100_000)
    }
    let text = try Peer(server).ask("/metrics")
    #expect(text.contains("visit_total{page=\"page-0-\(longKey)\"} 1\n") && text.hasSuffix("\r\n0\r\n\r\n"))
    // Others are answered while a page waits for its reader.
    let slow = try Peer(server)
    slow.send(`a connection`.get("/metrics"))
    #expect(slow.read(1_000).count == 1_000)
    #expect(try Peer(server).ask("/health").hasPrefix("HTTP/1.1 200 "))
    #expect(server.stop() == 0)
  }

  @Test func `turns away who comes beyond the limit, and takes the next when one has left`() throws {
    let server = try RunningServer(connections: 2)
    var first: Peer? = try Peer(server)
    let second = try Peer(server)
    for peer in [first, second] {
      peer?.send(`a connection`.get("/health"))
      #expect(peer?.read(12) == Array("HTTP/1.1 200".utf8))
    }
    let third = try Peer(server).ask("/stats")
    #expect(third.hasPrefix("HTTP/1.1 503 ") && third.contains("\r\nRetry-After: 1\r\n"))
    #expect(server.books.rejectedConnections.load(ordering: .relaxed) == 1)
    first = nil
    // The server learns of the close at some later turn.
    var answer = ""
    for _ in 0..<1_000 where !answer.hasPrefix("HTTP/1.1 200") { answer = try Peer(server).ask("/stats") }
    #expect(answer.hasPrefix("HTTP/1.1 200"))
  }

  @Test func `answers who asks for its health beyond the limit, once`() throws {
    let server = try RunningServer(connections: 1)
    let first = try Peer(server)
    first.send(`a connection`.get("/health"))
    #expect(first.read(12) == Array("HTTP/1.1 200".utf8))
    for path in ["/health", "/ready"] {
      let peer = try Peer(server)
      peer.send(`a connection`.get(path) + `a connection`.get(path))
      let answer = String(decoding: peer.read(.max), as: UTF8.self)
      #expect(answer.components(after: "HTTP/1.1 ").map { String($0.prefix(3)) } == ["200"])
      #expect(answer.contains("\r\nConnection: close\r\n"))
    }
    let writer = try Peer(server)
    writer.send("POST /lines HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\nExpect: 100-continue\r\n\r\n")
    #expect(String(decoding: writer.read(.max), as: UTF8.self).hasPrefix("HTTP/1.1 503 "))
    #expect(server.books.rejectedConnections.load(ordering: .relaxed) == 1)
  }

  @Test func `answers for its health when those who came beyond the limit ask for nothing`() throws {
    let server = try RunningServer(connections: 1)
    let silent = try (0..<(QueryServer.reservedPlaces + 50)).map { _ in try Peer(server) }
    #expect(try Peer(server).ask("/health").hasPrefix("HTTP/1.1 200 "))
    // The eldest beyond the first gave way.
    #expect(String(decoding: silent[1].read(.max), as: UTF8.self).hasPrefix("HTTP/1.1 503 "))
  }

  @Test func `goes on by other settings when they are replaced`() throws {
    let server = try RunningServer()
    let peer = try Peer(server)
    peer.send(`a connection`.get("/visit", method: "POST"))
    #expect(peer.read(12) == Array("HTTP/1.1 200".utf8))
    var settings = RunningServer.settings()
    settings.access.tokens = try BearerTokens(Array("secret\n".utf8))
    server.agent.replace(settings)
    var answer = ""
    for _ in 0..<1_000 where !answer.hasPrefix("HTTP/1.1 401") {
      let peer = try Peer(server)
      peer.send(`a connection`.get("/visit", "Connection: close\r\n", method: "POST"))
      answer = String(decoding: peer.read(.max), as: UTF8.self)
    }
    #expect(
      answer.contains("\r\nWWW-Authenticate: Bearer\r\n") && answer.hasSuffix("{\"detail\":\"Not authenticated\"}"))
    #expect(try Peer(server).ask("/stats").hasPrefix("HTTP/1.1 200 "))
  }

  @Test func `closes connections that ask for nothing`() throws {
    let server = try RunningServer(httpIdle: 50_000_000)
    #expect(try Peer(server).read(1).isEmpty)
    #expect(server.stop() == 0)
    #expect(server.books.connections.load(ordering: .relaxed) == 0)
  }

  @Test func `stops with its answers given`() throws {
    let server = try RunningServer()
    server.count("visit:page1|c")
    let idle = try Peer(server)
    let peer = try Peer(server)
    peer.send(`a connection`.get("/health"))
    #expect(peer.read(12) == Array("HTTP/1.1 200".utf8))
    let begin = Clock.monotonic()
    #expect(server.stop() == 0)
    #expect(Clock.monotonic() - begin < 5_000_000_000)
    #expect(idle.read(1).isEmpty)
  }
}
