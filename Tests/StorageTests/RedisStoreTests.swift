import Aggregation
import Foundation
import Platform
import Testing

@testable import Storage

@Suite(.serialized) struct `a store on real Redis` {
  private let page = series("visit", ["page": "page1"])
  private let key = "footfall:{visit|page=page1}"

  @Test func `writes running totals into a hash that anybody can read, and sums them`() async throws {
    let servers = try await RedisServers(1)
    let port = servers.ports[0]
    let (one, two) = (try RunningStore(servers.urls, agent: "a"), try RunningStore(servers.urls, agent: "b"))
    for store in [one, two] { try await store.waitUntilUp() }
    one.put(page, 5)
    two.put(page, 10)
    one.put(page, 7)
    for store in [one, two] { try await store.written() }
    #expect(try servers.cli(port, "HGET", key, "a") == "7")
    #expect(try servers.cli(port, "HGET", key, "b") == "10")
    #expect(try servers.cli(port, "HLEN", key) == "2")
    guard
      case .holding(_, .total(let others, let own, let ownBase, let agents, false), let served) = try await one.read(
        page)
    else {
      Issue.record("no totals")
      return
    }
    #expect((others, own, ownBase, agents, served) == (.whole(10), .whole(7), .zero, 2, "redis"))
    #expect(try await one.sum(series("never")) == .zero)
    for store in [one, two] { store.end() }
    #expect(one.store.condition.errors == 0 && one.store.pendingWrites == 0)
  }

  @Test func `resets all agents at once, and each learns of it with its next write`() async throws {
    let servers = try await RedisServers(1)
    let (one, two) = (try RunningStore(servers.urls, agent: "a"), try RunningStore(servers.urls, agent: "b"))
    for store in [one, two] { try await store.waitUntilUp() }
    two.put(page, 10)
    try await two.written()
    #expect(try await one.reset(page, 5).text == SharedNews.reset(ticket: 1, served: "redis").text)
    #expect(try await one.sum(page) == .zero)
    // The other knows nothing of a base yet.
    let news = try await two.write(page, .total(.whole(12), base: .zero, known: nil))
    #expect(news.text == SharedNews.rebased(ticket: 2, page, base: .whole(10)).text)
    #expect(try await two.sum(page) == .whole(2))
    for store in [one, two] { store.end() }
  }

  @Test func `resets what it has never counted itself`() async throws {
    let servers = try await RedisServers(1)
    let (one, two) = (try RunningStore(servers.urls, agent: "a"), try RunningStore(servers.urls, agent: "b"))
    for store in [one, two] { try await store.waitUntilUp() }
    #expect(!(try await one.reset(page, nil).isFailed))
    two.put(page, 10)
    try await two.written()
    #expect(!(try await one.reset(page, nil).isFailed))
    #expect(try servers.cli(servers.ports[0], "HGETALL", key) == "b\n10\nb.base\n10")
    for store in [one, two] { store.end() }
  }

  @Test func `tells others of a reset, and of no other`() async throws {
    let servers = try await RedisServers(1)
    let port = servers.ports[0]
    // Of before their start.
    try servers.cli(port, "XADD", "footfall:resets", "*", "agent", "c", "kind", "counter", "tag", "old")
    let (one, two) = (
      try RunningStore(servers.urls, agent: "a") { $0.cacheTTL = 60_000_000_000 },
      try RunningStore(servers.urls, agent: "b")
    )
    for store in [one, two] { try await store.waitUntilUp() }
    _ = try await one.read(page)
    // Each has looked where the stream ends.
    let looked = "calls=2,"
    try await wait("both to look") { try servers.cli(port, "INFO", "commandstats").contains("xrevrange:\(looked)") }
    try await wait("both to read on") { try servers.cli(port, "INFO", "commandstats").contains("cmdstat_xrange") }
    // What no agent has written tells nothing.
    try servers.cli(port, "XADD", "footfall:resets", "*", "agent", "c", "kind", "odd", "tag", "x")
    _ = try await two.reset(page, 3)
    let event = SharedKey(.event, metric: "deploy".utf8)
    _ = try await two.reset(event, nil)
    try await wait("the news") { one.told()?.text == SharedNews.resetElsewhere(event).text }
    #expect(one.others.map(\.text) == [page, event].map { SharedNews.resetElsewhere($0).text })
    #expect(one.store.cached(page) == nil)
    #expect(two.told() == nil)
    for store in [one, two] { store.end() }
  }

  @Test func `writes again what a server has forgotten, the base too`() async throws {
    let servers = try await RedisServers(1)
    let port = servers.ports[0]
    let one = try RunningStore(servers.urls, agent: "a")
    try await one.waitUntilUp()
    one.put(page, 12, base: 10)
    try await one.written()
    #expect(try servers.cli(port, "HGET", key, "a.base") == "10")
    try servers.cli(port, "FLUSHALL")
    one.put(page, 12, base: 10)
    try await one.written()
    #expect(try await one.sum(page) == .whole(2))
    // An older one, as a failover may bring it back, is smaller as a number, though not as a text.
    try servers.cli(port, "HSET", key, "a", "9", "a.base", "9")
    one.put(page, 12, base: 10)
    try await one.written()
    #expect(try servers.cli(port, "HMGET", key, "a", "a.base") == "12\n10")
    one.end()
  }

  @Test func `finds a larger total of its own from before its start, and writes nothing`() async throws {
    let servers = try await RedisServers(1)
    let port = servers.ports[0]
    try servers.cli(port, "HSET", key, "a", "9007199254740993", "a.base", "3")
    let one = try RunningStore(servers.urls, agent: "a")
    try await one.waitUntilUp()
    let known = SharedNumber.whole(9_007_199_254_740_992)
    var news = try await one.write(page, .total(.whole(9_007_199_254_740_999), base: .zero, known: known))
    let stored = SharedNumber.whole(9_007_199_254_740_993)
    #expect(news.text == SharedNews.found(ticket: 1, page, total: stored, base: .whole(3)).text)
    #expect(try servers.cli(port, "HGETALL", key) == "a\n9007199254740993\na.base\n3")
    // Raised by the difference, it writes without a claim; later on a count may fall.
    for total in ["9007199254741000", "4"] {
      let value = SharedWrite.Value.total(try #require(SharedNumber(Array(total.utf8))), base: .whole(3), known: nil)
      news = try await one.write(page, value)
      guard case .written = news else {
        Issue.record("\(news)")
        return
      }
      #expect(try servers.cli(port, "HGETALL", key) == "a\n\(total)\na.base\n3")
    }
    one.end()
  }

  @Test func `does not find what it has written itself, when the answer was lost`() async throws {
    let servers = try await RedisServers(1)
    let port = servers.ports[0]
    let one = try RunningStore(servers.urls, agent: "a")
    try await one.waitUntilUp()
    for (ticket, total) in [(1, 5), (2, 7)] as [(UInt64, Int64)] {
      // As if nobody had heard of the first.
      let news = try await one.write(page, .total(.whole(total), base: .zero, known: .zero))
      #expect(news.text == SharedNews.written(ticket: ticket).text)
    }
    #expect(try servers.cli(port, "HGET", key, "a") == "7")
    #expect(try await one.sum(page) == .whole(7))
    // The next run finds it; so would one that has counted as much.
    let next = try RunningStore(servers.urls, agent: "a")
    try await next.waitUntilUp()
    for (store, isOfRun) in [(one, true), (next, false)] {
      guard case .holding(_, .total(_, .whole(7), _, 1, isOfRun), _) = try await store.read(page) else {
        Issue.record("\(isOfRun)")
        continue
      }
    }
    let news = try await next.write(page, .total(.whole(7), base: .zero, known: .zero))
    #expect(news.text == SharedNews.found(ticket: 2, page, total: .whole(7), base: .zero).text)
    // A mark that has served its purpose goes.
    one.put(page, 8)
    try await one.written()
    #expect(try servers.cli(port, "HGETALL", key) == "a\n8")
    for store in [one, next] { store.end() }
  }

  @Test func `knows its scripts by the digests that the server gives them`() async throws {
    let servers = try await RedisServers(1)
    for script in RedisScripts.all {
      #expect(try servers.cli(servers.ports[0], "SCRIPT", "LOAD", script.text) == script.digest)
    }
  }

  @Test func `is let in by user and password, to a database, through a unix socket`() async throws {
    let servers = try await RedisServers(1, options)
    let port = servers.ports[0]
    let path = servers.socketPath(port)
    for url in [
      "redis://:right@127.0.0.1:\(port)/2", "redis://anna:too@localhost:\(port)/2", "unix://:right@\(path)?db=2",
    ] {
      let one = try RunningStore([RedisURL(url)], agent: "a")
      try await one.waitUntilUp()
      one.put(page, 3)
      try await one.written()
      #expect(try await one.sum(page) == .whole(3))
      one.end()
      #expect(try servers.cli(port, "-a", "right", "--no-auth-warning", "-n", "2", "GETDEL", "x") == "")
      #expect(try servers.cli(port, "-a", "right", "--no-auth-warning", "-n", "2", "DEL", key) == "1")
    }
    for (url, part) in [
      ("redis://127.0.0.1:\(port)", "NOAUTH"), ("redis://:wrong@127.0.0.1:\(port)", "WRONGPASS"),
      ("redis://:right@127.0.0.1:\(port)/99", "DB index is out of range"),
    ] {
      let one = try RunningStore([RedisURL(url)], agent: "a")
      try await wait("a refusal") { one.store.condition.troubles.first?.contains(part) == true }
      one.end(within: 0)
    }
  }
  private let options = ["--requirepass", "right", "--user", "anna", "on", ">too", "~*", "+@all"]

  @Test func `answers again from its cache until it writes or the answer is old`() async throws {
    let servers = try await RedisServers(1)
    let one = try RunningStore(servers.urls, agent: "a") { $0.cacheTTL = 60_000_000_000 }
    try await one.waitUntilUp()
    one.put(page, 5)
    try await one.written()
    #expect(one.store.cached(page) == nil)
    _ = try await one.read(page)
    #expect(one.store.cached(page)?.sum == .whole(5))
    one.put(page, 6)
    #expect(one.store.cached(page) == nil)
    try await one.written()
    _ = try await one.read(page)
    #expect(one.store.cached(page)?.sum == .whole(6))
    _ = try await one.reset(page, 6)
    #expect(one.store.cached(page) == nil)
    let condition = one.store.condition
    #expect((condition.cacheHits, condition.cacheMisses, condition.cacheSize) == (2, 3, 0))
    one.end()
  }

  @Test func `speaks the second version of the protocol with a server that knows no other`() async throws {
    let servers = try await RedisServers(1, ["--rename-command", "HELLO", ""])
    let one = try RunningStore(servers.urls, agent: "a")
    try await one.waitUntilUp()
    one.put(page, 5, base: 2)
    try await one.written()
    #expect(try await one.sum(page) == .whole(3))
    one.end()
  }

  @Test func `asks once for each who asks`() async throws {
    let servers = try await RedisServers(1)
    let port = servers.ports[0]
    let one = try RunningStore(servers.urls, agent: "a")
    try await one.waitUntilUp()
    // The second comes while the first is under way.
    try servers.signal(port, SIGSTOP)
    for ticket in 1...2 as ClosedRange<UInt64> {
      #expect(one.store.read(page, ticket: ticket))
      try await wait("it to be under way") { one.store.shared.withLock { $0.asks.isEmpty } }
    }
    try servers.signal(port, SIGCONT)
    try await wait("both answers") { one.store.shared.withLock { $0.asking == 0 } }
    #expect(one.store.takeNews().count == 2)
    #expect(try servers.cli(port, "INFO", "commandstats").contains("cmdstat_hgetall:calls=2,"))
    one.end()
  }

  @Test func `tells once of each database of one server whether it is there`() async throws {
    let servers = try await RedisServers(1)
    let port = servers.ports[0]
    let urls = try ["0", "99"].map { try RedisURL("redis://127.0.0.1:\(port)/\($0)") }
    let one = try RunningStore(urls, agent: "a")
    try await wait("one of two") { one.store.condition.nodes.map(\.isUp) == [true, false] }
    try await wait("a refusal") { one.store.condition.troubles.first?.contains("DB index") == true }
    // Each of them is a turn of the thread at least.
    for _ in 0..<10 { _ = try await one.read(page) }
    one.end()
    let events = one.events.list.withLock(\.self).filter { if case .refused = $0 { false } else { true } }
    #expect(events.count == 2, "\(events)")
  }

  @Test func `writes 10,000 series with as many commands`() async throws {
    let servers = try await RedisServers(1)
    let one = try RunningStore(servers.urls, agent: String(repeating: "a", count: 32))
    try await one.waitUntilUp()
    let before = one.store.condition
    for number in 0..<10_000 as Range<UInt64> {
      let key = series("visit", ["page": "page\(number)"])
      let value = SharedWrite.Value.total(.whole(1_000_000), base: .zero, known: nil)
      #expect(one.store.write(SharedWrite(key, value, ticket: number)))
    }
    try await wait("all answers") { one.store.pendingWrites == 0 }
    #expect(one.store.takeNews().count == 10_000)
    let after = one.store.condition
    #expect(try servers.cli(servers.ports[0], "DBSIZE") == "10000")
    // And some to ask whether the server is there, and for resets.
    #expect(10_000...10_030 ~= after.commands - before.commands)
    #expect((after.bytesSent - before.bytesSent) / 10_000 < 250)
    one.end()
  }

  @Test func `ends with what it has, written`() async throws {
    let servers = try await RedisServers(1)
    let one = try RunningStore(servers.urls, agent: "a")
    try await one.waitUntilUp()
    one.put(page, 1)
    try await one.written()
    // A server that has forgotten the script is told it again.
    try servers.cli(servers.ports[0], "SCRIPT", "FLUSH")
    one.put(page, 2)
    one.end()
    #expect(try servers.cli(servers.ports[0], "HGET", key, "a") == "2")
  }

  @Test func `tells once what a server will never do`() async throws {
    let servers = try await RedisServers(1)
    let port = servers.ports[0]
    try servers.cli(port, "SET", key, "a text")
    let one = try RunningStore(servers.urls, agent: "a")
    try await one.waitUntilUp()
    for _ in 0..<2 {
      guard case .unwritten = try await one.write(page, .total(.whole(1), base: .zero, known: nil))
      else {
        Issue.record("written over a text")
        return
      }
      guard case .failed(_, let reason) = try await one.read(page) else {
        Issue.record("an answer from a text")
        return
      }
      #expect(reason.hasPrefix("WRONGTYPE"))
    }
    #expect(one.store.condition.errors == 4)
    try servers.cli(port, "DEL", key)
    one.put(page, 1)
    try await one.written()
    #expect(try await one.sum(page) == .whole(1))
    one.end()
    let refusals = one.events.list.withLock { $0.filter { if case .refused = $0 { true } else { false } } }
    #expect(refusals.count == 2, "\(refusals)")
  }

  @Test func `says no when too many writes wait, and that there is room again`() async throws {
    let servers = try await RedisServers(1)
    let port = servers.ports[0]
    let woken = Guarded(0)
    let store = try RedisStore(
      RedisSettings(urls: servers.urls), agent: "a", wake: { woken.withLock { $0 += 1 } }, report: { _ in })
    func write(_ number: Int, _ value: SharedWrite.Value) -> Bool {
      store.write(SharedWrite(series("s\(number)"), value, ticket: UInt64(number)))
    }
    // Nobody takes them yet.
    let total = SharedWrite.Value.total(.whole(1), base: .zero, known: nil)
    #expect((0..<RedisStore.writeLimit).allSatisfy { write($0, total) })
    #expect(!write(0, total) && store.pendingWrites == RedisStore.writeLimit)
    let thread = try Platform.Thread("redis") { store.run() }
    // The first may have come before the server was there, and are told so.
    var news: [SharedNews] = []
    try await wait("all news") {
      news += store.takeNews()
      return news.count == RedisStore.writeLimit
    }
    #expect(store.pendingWrites == 0)
    try await wait("a wake-up") { woken.withLock(\.self) > 0 }
    // Few are too many if they are large.
    try servers.signal(port, SIGSTOP)
    let members = SharedWrite.Value.members(Array(repeating: 0, count: 12_304))
    #expect((0..<RedisStore.writeLimit).prefix { write($0, members) }.count == RedisStore.writeBytesLimit / 12_368 + 1)
    try servers.signal(port, SIGCONT)
    try await wait("room") { write(0, members) }
    store.close(within: 5_000_000_000)
    thread.join()
  }
}
