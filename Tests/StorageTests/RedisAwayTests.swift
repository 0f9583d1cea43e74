import Aggregation
import Foundation
import Platform
import Testing

@testable import Storage

@Suite(.serialized) struct `a store whose servers come and go` {
  private let page = series("visit", ["page": "page1"])
  private let key = "footfall:{visit|page=page1}"

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
    #expect(try await one.read(page).isFailed)
    guard case .unwritten = try await one.write(page, .total(.whole(1), base: .zero, known: nil))
    else {
      Issue.record("written to a server that is not there")
      return
    }
    #expect(one.unwritten == 1 && !one.store.condition.troubles.isEmpty)
    let generation = one.store.condition.generation
    try await servers.start(port)
    try await one.written()
    #expect(try servers.cli(port, "HGET", key, "a") == "2000")
    #expect(one.store.condition.generation > generation)
    try await wait("the wish for a full pass") { one.store.takeFullPass() }
    #expect(!one.store.takeFullPass())
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
    let many = (0..<2_000).map { series("visit", ["page": "\($0)"]) }
    try servers.signal(port, SIGSTOP)
    for key in many { one.put(key, 1) }
    try await wait("the loss to be noticed") { !one.store.condition.nodes[0].isUp }
    // The other way round: the last of the old ones meets the first of the new ones.
    for key in many.reversed() { one.put(key, 2) }
    try servers.signal(port, SIGCONT)
    try await one.written()
    #expect(try await one.sums(many) == Array(repeating: .whole(2), count: many.count))
    one.end()
  }

  @Test func `gives an old answer again while its server is away`() async throws {
    let servers = try await RedisServers(1)
    let one = try RunningStore(servers.urls, agent: "a") { $0.cacheTTL = 60_000_000_000 }
    try await one.waitUntilUp()
    one.put(page, 5)
    try await one.written()
    _ = try await one.read(page)
    try servers.signal(servers.ports[0], SIGKILL)
    try await wait("the loss to be noticed") { !one.store.condition.nodes[0].isUp }
    one.put(page, 6)
    #expect(one.store.cached(page) == nil)
    #expect(try await one.read(page).isFailed)
    #expect(one.store.cached(page)?.sum == .whole(5))
    one.end(within: 0)
  }

  @Test func `spreads series over shards, and goes on with the others when one is away`() async throws {
    let servers = try await RedisServers(3)
    let one = try RunningStore(servers.urls, agent: "a")
    try await one.waitUntilUp(3)
    let many = (0..<300).map { series("visit", ["page": "\($0)"]) }
    for key in many { one.put(key, 1) }
    try await one.written()
    let sizes = try servers.ports.map {
      Int(try servers.cli($0, "EVAL", "return #redis.call('KEYS', '*{*')", "0")) ?? 0
    }
    #expect(sizes.reduce(0, +) == 300 && sizes.allSatisfy { $0 > 50 }, "\(sizes)")
    guard case .holding(_, _, let served) = try await one.read(many[0]) else {
      Issue.record("no totals")
      return
    }
    #expect(servers.ports.map { "redis_\($0)" }.contains(served))
    try servers.signal(servers.ports[0], SIGKILL)
    try await wait("the loss to be noticed") { one.store.condition.nodes.filter(\.isUp).count == 2 }
    for key in many { one.put(key, 2) }
    try await wait("all but the lost shard's") { one.unwritten == sizes[0] }
    try await servers.start(servers.ports[0])
    try await one.written()
    #expect(try await one.sums(many) == Array(repeating: .whole(2), count: many.count))
    one.end()
  }

  @Test func `loses nothing when its connections are cut under load, again and again`() async throws {
    let servers = try await RedisServers(1)
    let port = servers.ports[0]
    let one = try RunningStore(servers.urls, agent: "a")
    try await one.waitUntilUp()
    let many = (0..<1_000).map { series("visit", ["page": "\($0)"]) }
    for total in 1...30 as ClosedRange<Int64> {
      for key in many { one.put(key, total) }
      try servers.cli(port, "CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
    }
    try await one.written()
    #expect(try await one.sums(many) == Array(repeating: .whole(30), count: many.count))
    #expect(one.store.condition.errors == 0)
    one.end()
  }
}
