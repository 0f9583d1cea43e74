import Testing

@testable import Storage

@Suite struct `a key's place` {
  /// As CLUSTER KEYSLOT of Redis 7.0 gives them.
  @Test(arguments: [
    ("foo", 12182), ("visit:{page1}", 16054), ("123456789", 12739), ("{}x", 10595), ("a{}b", 13694),
    ("{user1000}.following", 3443), ("", 0),
  ]) func `in a Cluster is that of its hash tag`(_ key: String, _ slot: Int) {
    #expect(KeyPlace(of: key.utf8).slot == slot)
  }

  @Test func `is of the first braces alone`() {
    func place(_ key: String) -> KeyPlace { KeyPlace(of: key.utf8) }
    #expect(CRC16.of("123456789".utf8) == 0x31C3)
    #expect(place("{a}b{c}") == place("a") && place("foo{{bar}}zap") == place("{bar"))
    #expect(place("a}b{c") != place("c"))
  }

  private func urls(_ count: Int, weights: [Int] = []) throws -> [RedisURL] {
    try (0..<count).map { try RedisURL("redis://10.0.0.\($0):6379?weight=\($0 < weights.count ? weights[$0] : 1)") }
  }

  private let keys = (0..<20_000).map { KeyPlace(of: "footfall:{visit|page=page\($0)}".utf8) }

  private func owners(_ urls: [RedisURL]) -> [RedisURL.Place?] {
    let ring = HashRing(urls, virtualNodes: 100)
    return keys.map { ring.server(of: $0).map { urls[$0].place } }
  }

  @Test(arguments: 2...8) func `among shards moves only to one that is added, about 1 of n`(_ count: Int) throws {
    let before = owners(try urls(count - 1))
    let added = try urls(count)
    let after = owners(added)
    let moved = zip(before, after).filter { $0 != $1 }
    #expect(moved.allSatisfy { $0.1 == added[count - 1].place })
    let share = Double(moved.count) / Double(keys.count) * Double(count)
    #expect(0.6...1.4 ~= share, "\(share) of 1/\(count)")
  }

  @Test func `among shards is as often each one's as its weight says`() throws {
    let weighted = try urls(3, weights: [1, 2, 5])
    let counts = Dictionary(grouping: owners(weighted), by: \.self).mapValues(\.count)
    for url in weighted {
      let share = Double(counts[url.place] ?? 0) / Double(keys.count) / (Double(url.weight) / 8)
      #expect(0.7...1.3 ~= share, "\(url): \(share)")
    }
  }

  @Test func `among shards does not depend on their order, nor on how one is let in`() throws {
    let some = try urls(5)
    var others = Array(some.reversed())
    for index in others.indices { others[index].password = "p" }
    #expect(owners(some) == owners(others))
    #expect(HashRing([], virtualNodes: 100).server(of: keys[0]) == nil)
  }

  /// All agents of all versions have to agree. Worked out apart, in Python.
  @Test func `on the ring never changes`() throws {
    #expect(RingHash.of("".utf8) == 0xEFD0_1F60_BA99_2926)
    #expect(RingHash.of("footfall".utf8) == 0xB2CA_2E67_2EFB_899F)
    let three = try urls(3)
    let ring = HashRing(three, virtualNodes: 100)
    #expect(keys.prefix(16).map { ring.server(of: $0) ?? -1 } == [0, 1, 2, 0, 1, 0, 1, 1, 0, 0, 1, 0, 2, 0, 0, 2])
  }
}

@Suite struct `a Cluster's map` {
  private func node(_ fields: KeyValuePairs<String, RESPValue>, asMap: Bool) -> RESPValue {
    let flat = fields.flatMap { [.bulk(Array($0.key.utf8)), $0.value] as [RESPValue] }
    return asMap ? .map(flat) : .array(flat)
  }
  private func text(_ text: String) -> RESPValue { .bulk(Array(text.utf8)) }

  @Test(arguments: [true, false]) func `is read from CLUSTER SHARDS in either version`(_ asMap: Bool) throws {
    func server(_ port: Int64, _ endpoint: RESPValue, _ role: String, _ health: String) -> RESPValue {
      node(
        [
          "port": .integer(port), "ip": text("10.0.0.9"), "endpoint": endpoint, "role": text(role),
          "health": text(health),
        ],
        asMap: asMap)
    }
    func shard(_ slots: [Int64], _ nodes: [RESPValue]) -> RESPValue {
      node(["slots": .array(slots.map { .integer($0) }), "nodes": .array(nodes)], asMap: asMap)
    }
    let reply = RESPValue.array([
      shard([0, 99, 200, 200], [server(1, text("a"), "replica", "online"), server(2, text("b"), "master", "online")]),
      shard([100, 199], [server(3, text(""), "master", "fail"), server(4, text(""), "master", "online")]),
      shard([201, 201], [server(5, .null, "master", "fail")]),
      shard([202, 202], [server(6, text("?"), "master", "online")]),
      shard([], [server(7, text("d"), "master", "online")]),
    ])
    let map = try #require(SlotMap(shards: reply, asked: "asked"))
    #expect(map.node(of: 0) == .tcp(host: "b", port: 2) && map.node(of: 99) == map.node(of: 200))
    #expect(map.node(of: 100) == .tcp(host: "asked", port: 4))
    #expect(map.node(of: 201) == .tcp(host: "asked", port: 5))
    #expect(map.node(of: 202) == .tcp(host: "10.0.0.9", port: 6))
    #expect(map.node(of: 203) == nil && !map.isWhole && map.nodes.count == 4)
  }

  @Test func `is read from CLUSTER SLOTS`() throws {
    let reply = RESPValue.array([
      .array([
        .integer(0), .integer(8191), .array([text("a"), .integer(1), text("id")]), .array([text("r"), .integer(9)]),
      ]),
      .array([.integer(8192), .integer(16383), .array([.null, .integer(2)])]),
    ])
    let map = try #require(SlotMap(slots: reply, asked: "asked"))
    #expect(map.isWhole && map.node(of: 8191) == .tcp(host: "a", port: 1))
    #expect(map.node(of: 8192) == .tcp(host: "asked", port: 2))
  }

  @Test func `that is none is refused`() {
    let slots: [RESPValue] = [
      .error("ERR"), .array([.integer(1)]),
      .array([.array([.integer(0), .integer(16384), .array([text("a"), .integer(1)])])]),
      .array([.array([.integer(5), .integer(4), .array([text("a"), .integer(1)])])]),
      .array([.array([.integer(0), .integer(1), .array([text("a"), .integer(0)])])]),
      .array([.array([.integer(-1), .integer(1), .array([text("a"), .integer(1)])])]),
    ]
    for reply in slots {
      #expect(SlotMap(slots: reply, asked: "h") == nil)
      #expect(SlotMap(shards: reply, asked: "h") == nil)
    }
  }

  @Test func `takes what a redirection tells`() {
    var map = SlotMap()
    map.move(7, to: .tcp(host: "a", port: 1))
    map.move(8, to: .tcp(host: "a", port: 1))
    map.move(7, to: .tcp(host: "b", port: 1))
    #expect(map.node(of: 7) == .tcp(host: "b", port: 1) && map.node(of: 8) == .tcp(host: "a", port: 1))
    #expect(map.nodes.count == 2)
  }

  @Test(arguments: [
    ("MOVED 3999 127.0.0.1:6381", Redirection.moved(slot: 3999, to: .tcp(host: "127.0.0.1", port: 6381))),
    ("MOVED 3999 :6381", .moved(slot: 3999, to: .tcp(host: "asked", port: 6381))),
    ("MOVED 3999 ?:6381", .moved(slot: 3999, to: .tcp(host: "asked", port: 6381))),
    ("MOVED 3999 ::1:6381", .moved(slot: 3999, to: .tcp(host: "::1", port: 6381))),
    ("ASK 3999 b:1", .ask(.tcp(host: "b", port: 1))), ("MOVED 16384 b:1", .refused), ("MOVED 1 b:0", .refused),
    ("MOVED", .refused), ("ASK 1", .refused),
    ("TRYAGAIN Multiple keys request during rehashing of slot", .later(asksMap: false)),
    ("LOADING Redis is loading the dataset in memory", .later(asksMap: false)),
    ("CLUSTERDOWN The cluster is down", .later(asksMap: true)),
    ("READONLY You can't write against a read only replica.", .later(asksMap: true)),
    ("NOSCRIPT No matching script.", .unknownScript), ("WRONGTYPE Operation against a key", .refused), ("", .refused),
    ("NOAUTH Authentication required.", .refused), ("OOM command not allowed", .refused),
  ]) func `changes by what errors say`(_ text: String, _ redirection: Redirection) {
    #expect(Redirection(text, asked: "asked") == redirection)
  }
}
