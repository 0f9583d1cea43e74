import Aggregation
import Foundation
import Platform
import Protocol
import Testing

@testable import Storage

/// What agents share of their history, as it stands in a real Redis.
struct RedisHistoryChecks {
  let hour: Int64 = 498_686  // 2026-11-21T14
  private let nines: Int64 = 9 * 86_400

  private func isWritten(_ news: SharedNews) { #expect(news.isWritten, "\(news)") }

  /// Two agents' counts, members and samples of an hour, of a metric of this name.
  ///
  /// - Parameter cli: `redis-cli` where the keys are.
  func check(_ metric: String, _ one: RunningStore, _ two: RunningStore, cli: (String...) throws -> String) async throws
  {
    let hours = SharedKey(.counter, metric: metric.utf8, .hours(day: hour / 24))
    let minutes = SharedKey(.counter, metric: metric.utf8, .minutes(hour: hour))
    for key in [hours, minutes] {
      // Twice is once.
      for _ in 0..<2 { isWritten(try await one.write(key, .counts([(3, .whole(5)), (14, .real(0.1))]))) }
      isWritten(try await two.write(key, .counts([(14, .whole(2))])))
      isWritten(try await two.write(key, .counts([(14, .whole(3))])))
      guard case .counts([3: .whole(5), 14: .real(0.1)])? = try await two.holding(key),
        case .counts([14: .whole(3)])? = try await one.holding(key)
      else {
        Issue.record("others' counts are not as written")
        return
      }
    }
    #expect(try cli("HGET", "footfall:{\(metric)}:hours:2026-11-21", "a.03") == "5")
    try expect("footfall:{\(metric)}:hours:2026-11-21", expires: nines, cli)
    try expect("footfall:{\(metric)}:minutes:2026-11-21T14", expires: 26 * 3_600, cli)
    try await checkMembers(metric, one, two, cli)
    try await checkSamples(metric, one, two, cli)
  }

  private func expect(_ key: String, expires seconds: Int64, _ cli: (String...) throws -> String) throws {
    let left = Int64(try cli("TTL", key)) ?? 0
    #expect(seconds - 60...seconds ~= left, "\(key) \(left)")
  }

  private func checkMembers(
    _ metric: String, _ one: RunningStore, _ two: RunningStore, _ cli: (String...) throws -> String
  ) async throws {
    let key = SharedKey(.set, metric: metric.utf8, .members(hour: hour))
    let name = "footfall:{\(metric)}:members:2026-11-21T14"
    guard case .members([])? = try await one.holding(key) else {
      Issue.record("members from nothing")
      return
    }
    var union = HyperLogLog.Ranks()
    for (store, range) in [(one, 0..<40), (two, 20..<70), (one, 0..<6_000), (two, 4_000..<9_000)] {
      var members = HyperLogLog()
      for number in range { members.add(Array("user\(number)".utf8)) }
      union.merge(members)
      for _ in 0..<2 { isWritten(try await store.write(key, .members(members.bytes))) }
      #expect(try cli("PFCOUNT", name) == "\(union.cardinality)")
    }
    guard case .members(let bytes)? = try await one.holding(key) else {
      Issue.record("no members")
      return
    }
    #expect(bytes.count == 12_304)
    try expect(name, expires: nines, cli)
    #expect(try cli("EXISTS", name + ":joining") == "0")
  }

  private func checkSamples(
    _ metric: String, _ one: RunningStore, _ two: RunningStore, _ cli: (String...) throws -> String
  ) async throws {
    let key = SharedKey(.timer, metric: metric.utf8, .samples(hour: hour))
    var samples = SharedSamples()
    (samples.count, samples.sum) = (0.1 + 0.2, -1.0 / 3)
    (samples.least, samples.greatest) = (-Double.leastNonzeroMagnitude, 1.7e308)
    // More than Lua has room for at once.
    samples.buckets = (-3_000..<3_000 as Range<Int32>).map { ($0, 1 / Double($0.magnitude + 3)) }
    for store in [one, two] {
      for _ in 0..<2 { isWritten(try await store.write(key, .samples(samples))) }
      isWritten(try await store.write(key, .samples(SharedSamples())))
    }
    for store in [one, two] {
      guard case .samples(samples)? = try await store.holding(key) else {
        Issue.record("another's samples are not as written")
        return
      }
    }
    try expect("footfall:{\(metric)}:samples:2026-11-21T14", expires: nines, cli)
  }
}

@Suite(.serialized) struct `history in real Redis` {
  @Test func `is written by two agents, each reads the other's, and it expires`() async throws {
    let servers = try await RedisServers(1)
    let (one, two) = (try RunningStore(servers.urls, agent: "a"), try RunningStore(servers.urls, agent: "b"))
    for store in [one, two] { try await store.waitUntilUp() }
    try await RedisHistoryChecks().check("visit", one, two) { try servers.cli(servers.ports[0], $0) }
    #expect(one.store.condition.errors == 0)
    for store in [one, two] { store.end() }
  }

  @Test func `is in one place of several`() async throws {
    let servers = try await RedisServers(3)
    let (one, two) = (
      try RunningStore(servers.urls, agent: "a"), try RunningStore(servers.urls.reversed(), agent: "b")
    )
    for store in [one, two] { try await store.waitUntilUp(3) }
    for number in 0..<6 {
      let metric = "visit\(number)"
      let key = RedisKey(SharedKey(.counter, metric: metric.utf8), prefix: Array("footfall:".utf8))
      let ring = HashRing(servers.urls, virtualNodes: one.store.settings.virtualNodes)
      let shard = try #require(ring.server(of: KeyPlace(of: key.bytes)))
      try await RedisHistoryChecks().check(metric, one, two) { try servers.cli(servers.ports[shard], $0) }
    }
    // Bases of all agents, on every shard.
    for number in 0..<30 {
      let page = series("visit", ["page": "\(number)"])
      for store in [one, two] {
        store.put(page, 4)
        try await store.written()
      }
      #expect(!(try await two.reset(page, 5).isFailed))
      #expect(try await one.sum(page) == .zero)
    }
    for store in [one, two] { store.end() }
  }

  @Test func `is in one slot of a Cluster, whatever its name`() async throws {
    let servers = try await RedisServers(6, isCluster: true)
    let (one, two) = (try RunningStore(servers.urls, agent: "a"), try RunningStore(servers.urls, agent: "b"))
    for store in [one, two] { try await store.waitUntilUp(6) }
    for metric in ["visit", "other", "a}b{c"] {
      try await RedisHistoryChecks().check(metric, one, two) { try servers.cli(servers.ports[0], ["-c"] + $0) }
    }
    let odd = SharedKey(.set, metric: "}x".utf8, .members(hour: 0))
    for _ in 0..<2 {
      let news = try await one.write(odd, .members(HyperLogLog().bytes))
      #expect(news.isWritten, "\(news)")
    }
    #expect(!(try await two.reset(series("visit"), 1).isFailed))
    try await wait("the reset") { one.told()?.text == SharedNews.resetElsewhere(series("visit")).text }
    #expect(one.store.condition.errors == 0 && two.store.condition.errors == 0)
    for store in [one, two] { store.end() }
  }

  @Test func `is not written over what is of another type, and leaves nothing behind`() async throws {
    let servers = try await RedisServers(1)
    let port = servers.ports[0]
    let one = try RunningStore(servers.urls, agent: "a")
    try await one.waitUntilUp()
    let key = SharedKey(.set, metric: "users".utf8, .members(hour: 498_686))
    let name = "footfall:{users}:members:2026-11-21T14"
    for words in [["SET", name, "a text"], ["HSET", name, "a", "1"]] {
      try servers.cli(port, words)
      guard case .unwritten = try await one.write(key, .members(HyperLogLog().bytes)) else {
        Issue.record("joined with \(words)")
        return
      }
      #expect(try await one.read(key).isFailed)
      #expect(try servers.cli(port, "KEYS", "*") == name)
      try servers.cli(port, "DEL", name)
    }
    for key in [
      SharedKey(.counter, metric: "visit".utf8, .hours(day: 0)),
      SharedKey(.timer, metric: "visit".utf8, .samples(hour: 0)),
    ] {
      try servers.cli(port, "SET", "\(RedisKey(key, prefix: Array("footfall:".utf8)))", "a text")
    }
    let counts = try await one.write(
      SharedKey(.counter, metric: "visit".utf8, .hours(day: 0)), .counts([(1, .whole(1))]))
    #expect(counts.isUnwritten)
    #expect(one.events.list.withLock { $0.contains { if case .refused = $0 { true } else { false } } })
    one.end()
  }
}
