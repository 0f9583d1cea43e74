import Aggregation
import Foundation
import Platform
import Synchronization
import Testing

@testable import Storage

/// A store with its thread, as an agent has it.
final class RunningStore {
  let store: RedisStore
  private let thread: Platform.Thread
  private var ticket: UInt64 = 0
  private(set) var corrections: [RedisNews] = []
  private var answers: [UInt64: RedisNews] = [:]
  let events = Events()

  final class Events: Sendable {
    let list = Mutex<[RedisEvent]>([])
  }

  init(_ urls: [RedisURL], agent: String = "a", _ change: (inout RedisSettings) -> Void = { _ in }) throws {
    var settings = RedisSettings(urls: urls)
    settings.flushInterval = 20_000_000
    settings.cacheTTL = 0
    settings.fullPassPause = 0
    change(&settings)
    let store = try RedisStore(
      settings, agent: agent, wake: {},
      report: { [events] event in
        events.list.withLock { $0.append(event) }
      })
    self.store = store
    thread = try Platform.Thread("redis") { store.run() }
  }

  func end(within nanoseconds: Int64 = 5_000_000_000) {
    store.close(within: nanoseconds)
    thread.join()
  }

  func waitUntilUp(_ count: Int? = nil) async throws {
    try await wait("all servers up") {
      let nodes = store.condition.nodes
      return nodes.count >= count ?? 1 && nodes.allSatisfy(\.isUp)
    }
  }

  func put(_ series: RedisSeries, _ total: Int64, base: Int64 = 0, claims: Bool = false) {
    #expect(store.submit(RedisUpdate(series, total: .whole(total), base: .whole(base), claims: claims)))
  }

  func written() async throws { try await wait("everything written") { store.condition.pendingSeries == 0 } }

  private func collect() {
    for news in store.takeNews() {
      switch news {
      case .count(let ticket, _, _), .reset(let ticket, _), .failed(let ticket, _): answers[ticket] = news
      case .corrected: corrections.append(news)
      }
    }
  }

  private func answer(_ ask: (UInt64) -> Bool) async throws -> RedisNews {
    ticket += 1
    #expect(ask(ticket))
    try await wait("an answer") {
      collect()
      return answers[ticket] != nil
    }
    let news = answers.removeValue(forKey: ticket)
    return try #require(news)
  }

  func read(_ series: RedisSeries) async throws -> RedisNews { try await answer { store.read(series, ticket: $0) } }
  func reset(_ series: RedisSeries, _ total: Int64) async throws -> RedisNews {
    try await answer { store.reset(series, total: .whole(total), ticket: $0) }
  }

  func sum(_ series: RedisSeries) async throws -> SharedNumber? {
    guard case .count(_, let count, _) = try await read(series) else { return nil }
    return count.sum
  }

  /// Of all of them, asked for at once.
  func sums(_ many: [RedisSeries]) async throws -> [SharedNumber?] {
    let tickets = many.map { series in
      ticket += 1
      #expect(store.read(series, ticket: ticket))
      return ticket
    }
    try await wait("answers") {
      collect()
      return tickets.allSatisfy { answers[$0] != nil }
    }
    return tickets.map { ticket in
      switch answers.removeValue(forKey: ticket) {
      case .count(_, let count, _): return count.sum
      case .failed(_, let reason): Issue.record("\(reason)")
      default: break
      }
      return nil
    }
  }

  func corrected() -> RedisNews? {
    collect()
    return corrections.last
  }
}

@Suite(.serialized) struct `a store on real Redis` {
  private let page = RedisSeries("visit", ["page": "page1"])
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
    guard case .count(_, let count, let served) = try await one.read(page) else {
      Issue.record("no count")
      return
    }
    #expect(count.sum == .whole(17) && count.others == .whole(10) && count.ownTotal == .whole(7) && count.agents == 2)
    #expect(served == "redis")
    #expect(try await one.sum(RedisSeries("never")) == .zero)
    for store in [one, two] { store.end() }
    #expect(one.store.condition.lastBatch != nil && one.store.condition.errors == 0)
  }

  @Test func `resets all agents at once, and each learns of it with its next write`() async throws {
    let servers = try await RedisServers(1)
    let (one, two) = (try RunningStore(servers.urls, agent: "a"), try RunningStore(servers.urls, agent: "b"))
    for store in [one, two] { try await store.waitUntilUp() }
    two.put(page, 10)
    try await two.written()
    #expect(try await one.reset(page, 5) == .reset(ticket: 1, served: "redis"))
    #expect(try await one.sum(page) == .zero)
    // The other knows nothing of a base yet.
    two.put(page, 12)
    try await two.written()
    #expect(try await two.sum(page) == .whole(2))
    #expect(two.corrected() == .corrected(page, total: .whole(12), base: .whole(10)))
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

  @Test func `takes over a larger total of its own at the first write after a start`() async throws {
    let servers = try await RedisServers(1)
    let port = servers.ports[0]
    try servers.cli(port, "HSET", key, "a", "9007199254740993", "a.base", "3")
    let one = try RunningStore(servers.urls, agent: "a")
    try await one.waitUntilUp()
    one.put(page, 9_007_199_254_740_992, claims: true)
    try await one.written()
    #expect(one.corrected() == .corrected(page, total: .whole(9_007_199_254_740_993), base: .whole(3)))
    #expect(try servers.cli(port, "HGET", key, "a") == "9007199254740993")
    one.put(page, 9_007_199_254_740_995, base: 3, claims: true)
    try await one.written()
    #expect(try servers.cli(port, "HGET", key, "a") == "9007199254740995")
    // Later on a count may fall.
    one.put(page, 4, base: 3)
    try await one.written()
    #expect(try servers.cli(port, "HGET", key, "a") == "4")
    one.end()
  }

  @Test func `knows its scripts by the digests that the server gives them`() async throws {
    let servers = try await RedisServers(1)
    for script in [RedisScripts.write, RedisScripts.reset] {
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

  @Test func `counts on while its server is away, and writes what has changed when it is back`() async throws {
    let servers = try await RedisServers(1, ["--appendonly", "yes", "--appendfsync", "always"])
    let port = servers.ports[0]
    let one = try RunningStore(servers.urls, agent: "a")
    try await one.waitUntilUp()
    one.put(page, 5)
    try await one.written()
    try servers.signal(port, SIGKILL)
    try await wait("the loss to be noticed") { !one.store.condition.nodes[0].isUp }
    for total in 6...2_000 as ClosedRange<Int64> { one.put(page, total) }
    guard case .failed = try await one.read(page) else {
      Issue.record("an answer from a server that is not there")
      return
    }
    #expect(one.store.condition.pendingSeries > 0 && !one.store.condition.troubles.isEmpty)
    try await servers.start(port)
    try await one.written()
    #expect(try servers.cli(port, "HGET", key, "a") == "2000")
    #expect(one.store.condition.troubles.isEmpty)
    one.end()
    let events = one.events.list.withLock(\.self)
    #expect(events.first == .up(url: "redis://127.0.0.1:\(port)") && events.last == events.first && events.count == 3)
  }

  @Test func `never has an old write come after a new one, though a server stood still`() async throws {
    let servers = try await RedisServers(1)
    let port = servers.ports[0]
    let one = try RunningStore(servers.urls, agent: "a") { $0.timeout = 300_000_000 }
    try await one.waitUntilUp()
    // More than a server reads at once, so that it still has them before it when it goes on.
    let many = (0..<2_000).map { RedisSeries("visit", ["page": "\($0)"]) }
    try servers.signal(port, SIGSTOP)
    for series in many { one.put(series, 1) }
    try await wait("the loss to be noticed") { !one.store.condition.nodes[0].isUp }
    // The other way round: the last of the old ones meets the first of the new ones.
    for series in many.reversed() { one.put(series, 2) }
    try servers.signal(port, SIGCONT)
    try await one.written()
    #expect(try await one.sums(many) == Array(repeating: .whole(2), count: many.count))
    one.end()
  }

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

  @Test func `spreads series over shards, and goes on with the others when one is away`() async throws {
    let servers = try await RedisServers(3)
    let one = try RunningStore(servers.urls, agent: "a")
    try await one.waitUntilUp(3)
    let many = (0..<300).map { RedisSeries("visit", ["page": "\($0)"]) }
    for series in many { one.put(series, 1) }
    try await one.written()
    let sizes = try servers.ports.map { Int(try servers.cli($0, "DBSIZE")) ?? 0 }
    #expect(sizes.reduce(0, +) == 300 && sizes.allSatisfy { $0 > 50 }, "\(sizes)")
    guard case .count(_, _, let served) = try await one.read(many[0]) else {
      Issue.record("no count")
      return
    }
    #expect(servers.ports.map { "redis_\($0)" }.contains(served))
    try servers.signal(servers.ports[0], SIGKILL)
    try await wait("the loss to be noticed") { one.store.condition.nodes.filter(\.isUp).count == 2 }
    for series in many { one.put(series, 2) }
    try await wait("all but the lost shard's") { one.store.condition.pendingSeries == sizes[0] }
    try await servers.start(servers.ports[0])
    try await one.written()
    #expect(try await one.sums(many) == Array(repeating: .whole(2), count: many.count))
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

  @Test func `loses nothing when its connections are cut under load, again and again`() async throws {
    let servers = try await RedisServers(1)
    let port = servers.ports[0]
    let one = try RunningStore(servers.urls, agent: "a") { $0.flushInterval = 0 }
    try await one.waitUntilUp()
    let many = (0..<1_000).map { RedisSeries("visit", ["page": "\($0)"]) }
    for total in 1...30 as ClosedRange<Int64> {
      for series in many { one.put(series, total) }
      try servers.cli(port, "CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
    }
    try await one.written()
    #expect(try await one.sums(many) == Array(repeating: .whole(30), count: many.count))
    #expect(one.store.condition.errors == 0)
    one.end()
  }

  @Test func `writes 10,000 series with as many commands, in batches`() async throws {
    let servers = try await RedisServers(1)
    let one = try RunningStore(servers.urls, agent: String(repeating: "a", count: 32)) {
      $0.flushInterval = 500_000_000
    }
    try await one.waitUntilUp()
    let before = one.store.condition
    for number in 0..<10_000 { one.put(RedisSeries("visit", ["page": "page\(number)"]), 1_000_000) }
    try await one.written()
    let after = one.store.condition
    #expect(try servers.cli(servers.ports[0], "DBSIZE") == "10000")
    // And some to ask whether the server is there.
    #expect(10_000...10_010 ~= after.commands - before.commands)
    #expect((after.bytesSent - before.bytesSent) / 10_000 < 250)
    #expect(1...12 ~= after.batches)
    one.end()
  }

  @Test func `ends with what it has, written`() async throws {
    let servers = try await RedisServers(1)
    let one = try RunningStore(servers.urls, agent: "a") { $0.flushInterval = 60_000_000_000 }
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
    try servers.cli(servers.ports[0], "SET", key, "a text")
    let one = try RunningStore(servers.urls, agent: "a")
    try await one.waitUntilUp()
    one.put(page, 1)
    guard case .failed(_, let reason) = try await one.read(page) else {
      Issue.record("an answer from a text")
      return
    }
    #expect(reason.hasPrefix("WRONGTYPE"))
    try await wait("the errors") { one.store.condition.errors >= 3 }
    try servers.cli(servers.ports[0], "DEL", key)
    try await one.written()
    #expect(try await one.sum(page) == .whole(1))
    one.end()
    let refusals = one.events.list.withLock { $0.filter { if case .refused = $0 { true } else { false } } }
    #expect(refusals.count == 2, "\(refusals)")
  }

  @Test func `says no when too many series wait, and that there is room again`() async throws {
    let one = try RunningStore([RedisURL("redis://127.0.0.1:1")], agent: "a") { $0.pendingLimit = 10 }
    for number in 0..<10 { one.put(RedisSeries("s\(number)"), 1) }
    #expect(!one.store.submit(RedisUpdate(RedisSeries("one more"), total: .whole(1))))
    try await wait("a reason") { one.store.condition.troubles.first?.contains("Connection refused") == true }
    one.end(within: 0)
  }
}
