import Aggregation
import Foundation
import Platform
import Testing

@testable import Storage

@Suite(.serialized) struct `keys of shards` {
  private typealias Fixture = MovingFixture

  /// A series that has another place by the longer list, by whom it is filled in.
  private func movers(_ old: [RedisURL], _ new: [RedisURL]) -> [(number: Int, name: String, port: UInt16)] {
    Fixture.many.enumerated().compactMap { number, key in
      let name = Fixture.name(key)
      guard let port = Fixture.home(name, old), port != Fixture.home(name, new) else { return nil }
      return (number, name, port)
    }
  }

  @Test func `go over whole when a shard is added, and all the while every sum is right`() async throws {
    let servers = try await RedisServers(3)
    let (old, new) = (Array(servers.urls[..<2]), servers.urls)
    try await Fixture.fill(servers, old)
    let movers = movers(old, new)
    #expect(500...850 ~= movers.count)
    let (mover, place) = (movers[0], movers[1])
    // Nobody may look through the new shard for now, so that the move goes on.
    try servers.cli(servers.ports[2], "ACL", "SETUSER", "default", "-scan")
    let late = try RunningStore(old, agent: "late")
    try await late.waitUntilUp(2)
    let one = try RunningStore(new, agent: "a")
    try await one.waitUntilUp(3)
    var lates: Int64 = 0
    repeat {
      lates += 1
      late.put(Fixture.many[mover.number], lates)
      try await late.written()
      let found = try await one.sums(Array(Fixture.many.indices).filter { $0 != mover.number }.map { Fixture.many[$0] })
      #expect(found == Fixture.many.indices.filter { $0 != mover.number }.map { Fixture.sum($0) })
      let sum = try await one.sum(Fixture.many[mover.number])
      #expect(sum == Fixture.sum(mover.number) + .whole(lates))
    } while one.store.condition.movedKeys < movers.count || lates < 5
    #expect(one.store.condition.isMoving)
    // Whoever comes next knows where to look.
    for port in servers.ports {
      let marker = ShardMarker(Array(try servers.cli(port, "GET", "footfall:shards").utf8))
      #expect(marker?.lists.map(\.shards.count) == [2, 3])
    }
    // What comes to the old place is read at once.
    for total in 1...20 {
      try servers.cli(mover.port, "HSET", mover.name, "late", "\(lates)")
      try servers.cli(place.port, "HSET", place.name, "late", "\(total)")
      #expect(try await one.sum(Fixture.many[place.number]) == Fixture.sum(place.number) + .whole(Int64(total)))
    }
    try servers.cli(servers.ports[2], "ACL", "SETUSER", "default", "+scan")
    try await Fixture.closed(one, new, servers)
    #expect(one.store.takeFullPass())
    late.end()
    let events = one.events.list.withLock(\.self).filter {
      switch $0 {
      case .up, .refused: false
      default: true
      }
    }
    #expect(events == [.moveBegan, .moveEnded(keys: one.store.condition.movedKeys)])
    for mover in [mover, place] {
      let port = try #require(Fixture.home(mover.name, new))
      #expect(try servers.cli(port, "HGET", mover.name, "late") == (mover.number == place.number ? "20" : "\(lates)"))
      try servers.cli(port, "HDEL", mover.name, "late")
    }
    try Fixture.expectHome(servers, new)
  }

  @Test(arguments: [0, 2]) func `survive that a shard is killed in the midst of a move`(_ victim: Int) async throws {
    let servers = try await RedisServers(3, ["--appendonly", "yes", "--appendfsync", "always"])
    try await Fixture.fill(servers, Array(servers.urls[..<2]))
    let one = try RunningStore(servers.urls, agent: "a")
    for _ in 0..<3 {
      let moved = one.store.condition.movedKeys
      try await wait("keys on their way") {
        try one.store.condition.movedKeys > moved || Fixture.isNoted(servers.urls, servers)
      }
      try servers.signal(servers.ports[victim], SIGKILL)
      try await servers.start(servers.ports[victim])
    }
    try await Fixture.closed(one, servers.urls, servers)
    try Fixture.expectHome(servers, servers.urls)
  }

  @Test func `survive agents that end in the midst of a move`() async throws {
    let servers = try await RedisServers(3)
    try await Fixture.fill(servers, Array(servers.urls[..<2]))
    for agent in ["b", "c", "d"] {
      let one = try RunningStore(servers.urls, agent: agent)
      try await wait("a key on its way") {
        try one.store.condition.movedKeys > 0 || Fixture.isNoted(servers.urls, servers)
      }
      one.end(within: 0)
    }
    // Two at once are not in each other's way.
    let (one, two) = (try RunningStore(servers.urls, agent: "a"), try RunningStore(servers.urls, agent: "b"))
    for store in [one, two] { try await store.waitUntilUp(3) }
    for store in [one, two] { #expect(try await store.sums(Fixture.many) == Fixture.sums) }
    for store in [one, two] { try await Fixture.closed(store, servers.urls, servers) }
    try Fixture.expectHome(servers, servers.urls)
  }

  @Test func `leave a shard whose weight is 0, which can be taken out then`() async throws {
    let servers = try await RedisServers(3)
    try await Fixture.fill(servers, servers.urls)
    var drained = servers.urls
    drained[1].weight = 0
    let one = try RunningStore(drained, agent: "a")
    try await one.waitUntilUp(3)
    #expect(try await one.sums(Fixture.many) == Fixture.sums)
    try await Fixture.closed(one, drained, servers)
    try Fixture.expectHome(servers, drained)
    #expect(try Fixture.entries(servers, servers.ports[1]).isEmpty)
    let rest = [drained[0], drained[2]]
    let two = try RunningStore(rest, agent: "a")
    try await two.waitUntilUp(2)
    #expect(try await two.sums(Fixture.many) == Fixture.sums)
    try await Fixture.closed(two, rest, servers)
    #expect(two.store.condition.movedKeys == 0)
    #expect(two.events.list.withLock { $0.contains(.shardGone(url: "\(drained[1])")) })
  }

  @Test func `are at home before they are reset, or written for the first time`() async throws {
    let servers = try await RedisServers(3)
    let (old, new) = (Array(servers.urls[..<2]), servers.urls)
    try await Fixture.fill(servers, old)
    let movers = movers(old, new)
    try servers.cli(servers.ports[2], "ACL", "SETUSER", "default", "-scan")
    let one = try RunningStore(new, agent: "a")
    try await one.waitUntilUp(3)
    for mover in movers[..<20] {
      // Back again, as if it had not been its turn yet.
      try servers.cli(mover.port, "HSET", mover.name, "a", "5000", "gone", "1001")
      let key = Fixture.many[mover.number]
      let news = try await one.write(key, .total(.whole(5), base: .zero, known: .zero))
      guard case .found(_, _, let total, _) = news else {
        Issue.record("\(news)")
        continue
      }
      #expect(total == .whole(5_000))
      #expect(!(try await one.reset(key, 6_000).isFailed))
      #expect(try await one.sum(key) == .zero)
    }
    try servers.cli(servers.ports[2], "ACL", "SETUSER", "default", "+scan")
    try await Fixture.closed(one, new, servers)
    for mover in movers[..<20] {
      let port = try #require(Fixture.home(mover.name, new))
      #expect(try servers.cli(port, "HMGET", mover.name, "a.base", "gone", "gone.base") == "6000\n1001\n1001")
    }
  }

  @Test func `are not reset while a shard is away that may have some of them, but written`()
    async throws
  {
    let servers = try await RedisServers(3, ["--appendonly", "yes", "--appendfsync", "always"])
    let (old, new) = (Array(servers.urls[..<2]), servers.urls)
    let away = servers.ports[0]
    let number = try #require(
      (0..<1_000).first {
        let name = Fixture.name(Fixture.many[$0])
        return Fixture.home(name, old) == away && Fixture.home(name, new) == servers.ports[2]
      })
    let (key, name) = (Fixture.many[number], Fixture.name(Fixture.many[number]))
    try servers.cli(away, "HSET", name, "gone", "1000", "a", "3")
    try servers.signal(away, SIGKILL)
    let one = try RunningStore(new, agent: "a")
    try await wait("the loss to be noticed") {
      one.store.condition.nodes.filter(\.isUp).count == 2 && !one.store.condition.troubles.isEmpty
    }
    #expect(try await one.sum(key) == .zero, "nothing else has to wait")
    #expect(try await one.reset(key, 5).isFailed)
    let first = try await one.write(key, .total(.whole(5), base: .zero, known: .zero))
    #expect(!first.isUnwritten)
    #expect(try servers.cli(servers.ports[2], "HGET", name, "a") == "5")
    try await servers.start(away)
    try await Fixture.closed(one, new, servers)
    #expect(try servers.cli(servers.ports[2], "HMGET", name, "gone", "gone.base", "a") == "1000\n\n5")
  }

  @Test func `are not read without the shard that had them, though others may have them too`() async throws {
    let servers = try await RedisServers(3)
    let old = Array(servers.urls[..<2])
    let number = try #require(
      (0..<1_000).first {
        let name = Fixture.name(Fixture.many[$0])
        return Fixture.home(name, old) == servers.ports[0] && Fixture.home(name, servers.urls) == servers.ports[2]
      })
    // By the second list keys may lie on a shard that has another name now.
    let lists = [ShardList(old, virtualNodes: 100), ShardList([try RedisURL("redis://another")], virtualNodes: 1)]
    let marker = String(decoding: ShardMarker(lists: lists).text, as: UTF8.self)
    for port in servers.ports {
      try servers.cli(port, "SET", "footfall:shards", marker)
      try servers.cli(port, "ACL", "SETUSER", "default", "-scan")
    }
    let one = try RunningStore(servers.urls, agent: "a")
    try await one.waitUntilUp(3)
    try await wait("the move") { one.store.condition.isMoving }
    #expect(!(try await one.read(Fixture.many[number]).isFailed))
    try servers.signal(servers.ports[0], SIGKILL)
    try await wait("the loss to be noticed") { one.store.condition.nodes.filter(\.isUp).count == 2 }
    #expect(try await one.read(Fixture.many[number]).isFailed)
    one.end(within: 0)
  }

  @Test func `are asked for whether they are there without a turn in vain`() async throws {
    let servers = try await RedisServers(2)
    let client = try RedisClient(RedisSettings(urls: servers.urls), wakeUp: WakeUp())
    let move = ShardMove(client, prefix: Fixture.prefix, report: { _ in }, note: { _ in })
    try await wait("both servers") {
      client.turn()
      client.wait(until: Clock.monotonic() + 10_000_000)
      return client.links.allSatisfy(\.isReady)
    }
    let now = Clock.monotonic()
    move.turn(now)
    #expect(client.underWay == 2 && move.nextTime(now) == .max)
    try await wait("the answers") {
      client.turn()
      client.wait(until: min(move.nextTime(now), Clock.monotonic() + 10_000_000))
      move.turn(Clock.monotonic())
      return move.phase == .over
    }
  }

  @Test func `of more fields than a connection takes at once are moved, and reset`() async throws {
    let servers = try await RedisServers(2)
    let name = try #require(Fixture.many.map(Fixture.name).first { Fixture.home($0, servers.urls) == servers.ports[1] })
    let key = try #require(Fixture.many.first { Fixture.name($0) == name })
    try servers.cli(
      servers.ports[0], "EVAL",
      """
      for i = 1, 60000 do
        local agent = string.format('%032x', i)
        redis.call('HSET', KEYS[1], agent, 7, agent .. '.base', 5)
      end
      """, "1", name)
    // Nobody looks through the shards for now, so that what is asked for has to come by itself.
    for port in servers.ports { try servers.cli(port, "ACL", "SETUSER", "default", "-scan") }
    let one = try RunningStore(servers.urls, agent: "a")
    try await one.waitUntilUp(2)
    #expect(try await one.sum(key) == .whole(120_000))
    #expect(!(try await one.reset(key, nil).isFailed))
    #expect(try await one.sum(key) == .zero)
    for port in servers.ports { try servers.cli(port, "ACL", "SETUSER", "default", "+scan") }
    try await Fixture.closed(one, servers.urls, servers)
    #expect(try servers.cli(servers.ports[0], "EXISTS", name) == "0")
    #expect(try servers.cli(servers.ports[1], "HLEN", name) == "120000")
  }

  @Test func `are cut into slices in which each agent's fields stay together`() {
    var values: [[UInt8]] = []
    for field in ["", ".base", ".run", ".count", ".-7"] {
      for agent in 0..<300 { values += [Array("\(agent)\(field)".utf8), Array("v\(agent)\(field)".utf8)] }
    }
    let slices = MovingKey.slices(values, most: 12)
    #expect(slices.count == 150 && slices.allSatisfy { $0.count == 20 })
    var found: [String: String] = [:]
    for slice in slices {
      let texts = slice.map { String(decoding: $0, as: UTF8.self) }
      for index in stride(from: 0, to: texts.count, by: 2) { found[texts[index]] = texts[index + 1] }
      let agents = Dictionary(grouping: stride(from: 0, to: texts.count, by: 2).map { texts[$0] }) {
        $0.prefix { $0 != "." }
      }
      #expect(agents.values.allSatisfy { $0.count == 5 })
    }
    #expect(found.count == 1_500 && found.allSatisfy { "v\($0.key)" == $0.value })
    #expect(MovingKey.slices(values, most: 3).allSatisfy { $0.count == 10 } && MovingKey.slices([]).isEmpty)
  }

  @Test func `of one server alone spread when a second one comes`() async throws {
    let servers = try await RedisServers(2)
    try await Fixture.fill(servers, [servers.urls[0]])
    let one = try RunningStore(servers.urls, agent: "a")
    try await one.waitUntilUp(2)
    #expect(try await one.sums(Fixture.many) == Fixture.sums)
    try await Fixture.closed(one, servers.urls, servers)
    try Fixture.expectHome(servers, servers.urls)
  }

  @Test func `that came to an old place after the move are found by the next start`() async throws {
    let servers = try await RedisServers(2)
    try await Fixture.fill(servers, servers.urls)
    let key = Fixture.name(Fixture.many[0])
    let home = try #require(Fixture.home(key, servers.urls))
    let other = try #require(servers.ports.first { $0 != home })
    try servers.cli(other, "HSET", key, "gone", "1000", "gone.base", "399", "b", "7")
    let one = try RunningStore(servers.urls, agent: "a")
    try await wait("the key to be found") { one.store.condition.movedKeys == 1 && !one.store.condition.isMoving }
    one.end()
    try Fixture.expectHome(servers, servers.urls)
  }

  @Test func `are merged, field by field`() async throws {
    let servers = try await RedisServers(2)
    let names = ["{visit|page=a}", "{t}:samples:2026-11-21T14", "{u}:members:2026-11-21T14"].map { "footfall:" + $0 }
    func port(_ name: String, isHome: Bool) throws -> UInt16 {
      let home = try #require(Fixture.home(name, servers.urls))
      return try #require(servers.ports.first { ($0 == home) == isHome })
    }
    let sides = [
      (
        true, ["a", "9007199254740992", "b", "10", "c", "-5", "a.run", "new"],
        ["a.count", "3", "a.sum", "-9", "a.min", "1", "a.max", "5"]
      ),
      (
        false, ["a", "9007199254740993", "b", "9", "c", "-7", "d.base", "1.5", "a.run", "old", "b.run", "old"],
        ["a.count", "4", "a.sum", "-12", "a.min", "0.5", "a.max", "4", "b.count", "1", "b.sum", "2"]
      ),
    ]
    for (isHome, totals, samples) in sides {
      try servers.cli(port(names[0], isHome: isHome), ["HSET", names[0]] + totals)
      try servers.cli(port(names[1], isHome: isHome), ["HSET", names[1]] + samples)
      try servers.cli(port(names[1], isHome: isHome), ["EXPIRE", names[1], isHome ? "100" : "1000"])
      try servers.cli(port(names[2], isHome: isHome), ["PFADD", names[2], "both", isHome ? "here" : "there"])
      if isHome { try servers.cli(port(names[2], isHome: isHome), ["EXPIRE", names[2], "100"]) }
    }
    // Nobody's, or none of an agent's: they stay as they are.
    let left = ["other:{visit}", "footfall:{visit}x", "footfall:shard", "footfall:{text}", "footfallx{visit}"]
    for name in left + ["footfall:{odd}"] { try servers.cli(port(name, isHome: false), "SET", name, "text") }
    try servers.cli(port("footfall:{odd}", isHome: true), "SET", "footfall:{odd}", "text")
    try servers.cli(port("footfall:resets", isHome: false), "XADD", "footfall:resets", "*", "a", "b")
    let one = try RunningStore(servers.urls, agent: "x")
    try await wait("three keys to be moved") { one.store.condition.movedKeys == 3 }
    try await Fixture.closed(one, servers.urls, servers)
    func entry(_ name: String) throws -> Fixture.Entry? { try Fixture.entries(servers, port(name, isHome: true))[name] }
    for name in names { #expect(try servers.cli(port(name, isHome: false), "EXISTS", name) == "0") }
    let totals = ["a": "9007199254740993", "b": "10", "c": "-5", "d.base": "1.5", "a.run": "new"]
    #expect(try entry(names[0]) == Fixture.Entry(kind: "hash", lives: -1, fields: totals))
    let samples = try entry(names[1])
    #expect(
      samples?.fields == [
        "a.count": "4", "a.sum": "-12", "a.min": "0.5", "a.max": "5", "b.count": "1", "b.sum": "2",
      ])
    #expect(900...1_000 ~= samples?.lives ?? 0)
    #expect(try entry(names[2]) == Fixture.Entry(kind: "string", lives: -1, members: 3))
    for name in left { #expect(try servers.cli(port(name, isHome: false), "GET", name) == "text") }
    #expect(try servers.cli(port("footfall:resets", isHome: false), "EXISTS", "footfall:resets") == "0")
  }

  @Test func `stay where they are when two shards are one server`() async throws {
    let servers = try await RedisServers(1)
    let port = servers.ports[0]
    let names = (0..<50).map { "footfall:{visit|page=\($0)}" }
    for name in names { try servers.cli(port, "HSET", name, "gone", "7") }
    let one = try RunningStore([servers.urls[0], RedisURL("redis://localhost:\(port)")], agent: "a")
    try await one.waitUntilUp(2)
    for number in 0..<50 {
      #expect(try await one.sum(series("visit", ["page": "\(number)"])) == .whole(7))
    }
    try await wait("a word of it") {
      one.events.list.withLock {
        $0.contains { if case .refused(let text) = $0 { text.contains("one server") } else { false } }
      }
    }
    one.end()
    for name in names { #expect(try servers.cli(port, "HGETALL", name) == "gone\n7") }
  }

  @Test func `keep at an old place what was written there since it was read`() async throws {
    let servers = try await RedisServers(1)
    let port = servers.ports[0]
    try servers.cli(port, "HSET", "hash", "a", "2", "b", "5")
    try servers.cli(port, "EVAL", MovingScripts.removeFields.text, "1", "hash", "a", "1", "b", "5", "c", "1")
    #expect(try servers.cli(port, "HGETALL", "hash") == "a\n2")
    try servers.cli(port, "PFADD", "members", "anna")
    try servers.cli(port, "EVAL", MovingScripts.removeMembers.text, "1", "members", "0")
    #expect(try servers.cli(port, "PFCOUNT", "members") == "1")
  }

  @Test func `are moved by scripts whose digests are those that the server gives them`() async throws {
    let servers = try await RedisServers(1)
    for script in MovingScripts.all {
      #expect(try servers.cli(servers.ports[0], "SCRIPT", "LOAD", script.text) == script.digest)
    }
  }
}

@Suite struct `a marker of shards` {
  private let urls = [
    try! RedisURL("redis://u:p@b:1/2?weight=3"), try! RedisURL("redis://a"),
    try! RedisURL("unix:///run/r%20s?weight=0"),
  ]

  @Test func `is lines that people can read, the same in whatever order shards are given`() {
    let list = ShardList(urls, virtualNodes: 100)
    let marker = ShardMarker(lists: [list, ShardList([urls[1]], virtualNodes: 9)])
    let text = "ring 100\n1 redis://a:6379\n3 redis://b:1/2\n0 unix:///run/r s\nring 9\n1 redis://a:6379"
    #expect(marker.text == Array(text.utf8))
    #expect(ShardMarker(marker.text) == marker)
    #expect(ShardList(urls.reversed(), virtualNodes: 100) == list && ShardList(urls, virtualNodes: 99) != list)
  }

  @Test(arguments: [
    "", "x", "7\nring 1\n1 a", "ring 0\n1 a", "ring x\n1 a", "rung 1\n1 a", "ring 1\n-1 a", "ring 1\n1001 a",
    "ring 1\na", "ring 10000000\n2 a", "ring 1\n1 a\nring",
  ]) func `that cannot be read is none`(_ text: String) {
    #expect(ShardMarker(Array(text.utf8)) == nil)
  }

  @Test(arguments: [
    ("footfall:{visit}", true), ("footfall:event:{visit|a=}}}", true), ("footfall:resets", true),
    ("footfall:{v}:hours:2026-11-21", true), ("footfall:timer:{v}:minutes:2026-11-21T14", true),
    ("footfall:{v}:joining", false), ("footfall:shards", false), ("footfall:}{", false), ("foot:{visit}", false),
    ("footfall:x{visit}", false), ("footfall:mine:{visit}", false),
    ("footfall:{v}:members:2026-11-21T14:joining", false),
  ]) func `goes with keys of which some are moved`(_ key: String, _ isShared: Bool) {
    #expect(MovingKey.isShared(Array(key.utf8), prefix: Array("footfall:".utf8)) == isShared)
  }

  @Test func `goes with keys that are found by their prefix, letter by letter`() {
    #expect(String(decoding: MovingKey.pattern(prefix: Array(#"a*?[b]\:"#.utf8)), as: UTF8.self) == #"a\*\?\[b\]\\:*"#)
  }

  @Test func `of shards with weights moves 1 of n keys, and all of one that has none`() throws {
    func owners(_ weights: [Int]) throws -> [Int?] {
      let urls = try weights.indices.map { try RedisURL("redis://10.0.0.\($0)?weight=\(weights[$0])") }
      let ring = HashRing(ShardList(urls, virtualNodes: 100))
      return (0..<10_000).map { ring.server(of: KeyPlace(of: "footfall:{visit|page=\($0)}".utf8)) }
    }
    for (before, after, share) in [
      ([1, 1], [1, 1, 1], 1.0 / 3), ([1, 2, 1], [1, 2, 1, 4], 1.0 / 2), ([2, 2, 2], [2, 2, 0], 1.0 / 3),
      ([1, 1, 1], [1, 1, 2], 1.0 / 6),
    ] {
      let (before, after) = (try owners(before), try owners(after))
      let moved = Double(zip(before, after).filter { $0 != $1 }.count) / 10_000
      #expect(0.7...1.3 ~= moved / share, "\(moved) of \(share)")
    }
    #expect(try !owners([1, 0, 1]).contains(1) && owners([0, 0]).allSatisfy { $0 == nil })
  }
}
