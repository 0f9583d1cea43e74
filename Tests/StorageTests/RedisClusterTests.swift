import Aggregation
import Foundation
import Platform
import Testing

@testable import Storage

@Suite(.serialized) struct `a store on a real Cluster` {
  private let many = (0..<500).map { series("visit", ["page": "\($0)"]) }

  private func all(_ total: Int64) -> [SharedNumber?] { Array(repeating: .whole(total), count: many.count) }

  @Test func `finds every node from one, and writes to all of them`() async throws {
    let servers = try await RedisServers(6, isCluster: true)
    let (one, two) = (
      try RunningStore([servers.urls[5]], agent: "a"), try RunningStore(Array(servers.urls[..<2]), agent: "b")
    )
    // The replica that one was told of, and three masters.
    for store in [one, two] { try await store.waitUntilUp(3) }
    for key in many {
      one.put(key, 1)
      two.put(key, 2)
    }
    for store in [one, two] { try await store.written() }
    #expect(try await one.sums(many) == all(3))
    #expect(try await two.sums(many) == all(3))
    // One of the series as a person would look it up.
    #expect(try servers.cli(servers.ports[0], "-c", "HGET", "footfall:{visit|page=7}", "b").contains("2"))
    guard case .holding(_, _, let served) = try await one.read(many[0]) else {
      Issue.record("no count")
      return
    }
    #expect(served.hasPrefix("redis_"))
    for store in [one, two] { store.end() }
  }

  @Test func `goes on after a master was killed, and every sum is exact`() async throws {
    let servers = try await RedisServers(6, isCluster: true)
    let (one, two) = (try RunningStore(servers.urls, agent: "a"), try RunningStore(servers.urls, agent: "b"))
    for store in [one, two] { try await store.waitUntilUp(6) }
    for key in many { one.put(key, 1) }
    try await one.written()
    let master = try #require(
      try servers.ports.first { try servers.cli($0, "ROLE").hasPrefix("master") })
    try servers.signal(master, SIGKILL)
    for total in 2...20 as ClosedRange<Int64> {
      for key in many {
        one.put(key, total)
        two.put(key, total)
      }
      try await Task.sleep(for: .milliseconds(20))
    }
    for store in [one, two] { try await store.written() }
    #expect(try await two.sums(many) == all(40))
    #expect(one.store.condition.nodes.filter { !$0.isUp }.map(\.url) == ["redis://127.0.0.1:\(master)"])
    // What the new master had not yet been told it is told by a full pass.
    try await wait("the wish for a full pass") { one.store.takeFullPass() }
    for store in [one, two] { store.end() }
  }

  @Test func `follows slots that move, whole or half way`() async throws {
    let servers = try await RedisServers(6, isCluster: true)
    let one = try RunningStore([servers.urls[0]], agent: "a")
    try await one.waitUntilUp(3)
    for key in many { one.put(key, 1) }
    try await one.written()
    let ids = try servers.ports.map { try servers.cli($0, "CLUSTER", "MYID") }
    let masters = try servers.ports.indices.filter { try servers.cli(servers.ports[$0], "ROLE").hasPrefix("master") }
    let moving = many[3]
    let name = RedisKey(moving, prefix: Array("footfall:".utf8))
    let slot = "\(KeyPlace(of: name.bytes).slot)"
    let key = "\(name)"
    let from = try #require(
      try masters.first { try servers.cli(servers.ports[$0], "EXISTS", key) == "1" })
    let to = try #require(masters.first { $0 != from })
    let (source, target) = (servers.ports[from], servers.ports[to])
    // Half way: the target has the key, and serves it to those who say ASKING.
    #expect(try servers.cli(target, "CLUSTER", "SETSLOT", slot, "IMPORTING", ids[from]) == "OK")
    #expect(try servers.cli(source, "CLUSTER", "SETSLOT", slot, "MIGRATING", ids[to]) == "OK")
    #expect(try servers.cli(source, "MIGRATE", "127.0.0.1", "\(target)", key, "0", "5000") == "OK")
    #expect(try servers.cli(source, "EXISTS", key).hasPrefix("ASK"))
    let retries = one.store.condition.retries
    one.put(moving, 2)
    try await one.written()
    #expect(try await one.sum(moving) == .whole(2))
    #expect(one.store.condition.retries > retries)
    // All the way: the source knows better, the map is of yesterday.
    for index in [to, from] {
      #expect(try servers.cli(servers.ports[index], "CLUSTER", "SETSLOT", slot, "NODE", ids[to]) == "OK")
    }
    one.put(moving, 3)
    try await one.written()
    #expect(try await one.sum(moving) == .whole(3))
    #expect(try servers.cli(target, "HGET", key, "a") == "3")
    // A hundred slots, as an operator moves them.
    try servers.reshard(100, from: ids[from], to: ids[to])
    for key in many { one.put(key, 4) }
    try await one.written()
    #expect(try await one.sums(many) == all(4))
    #expect(one.store.condition.errors == 0)
    one.end()
  }
}
