import Aggregation
import Foundation
import Testing

@testable import Storage

/// What agents have left on some shards: series of three agents, one of them gone for good and once reset, hours that expire, samples, and
/// members of sets.
struct MovingFixture {
  static let many = (0..<2_000).map { series("visit", ["page": "\($0)"]) }
  static let hours = (0..<20).map { SharedKey(.counter, metric: "metric\($0)".utf8, .hours(day: 20_000)) }
  static let samples = (0..<20).map { SharedKey(.timer, metric: "timer\($0)".utf8, .samples(hour: 480_000)) }
  static let members = (0..<20).map { SharedKey(.set, metric: "set\($0)".utf8, .members(hour: 480_000)) }
  static let keys = many.count + hours.count + samples.count + members.count
  static let agents = ["a", "b", "gone"]
  static let prefix = Array("footfall:".utf8)

  /// Of the series of a number.
  static func sum(_ number: Int) -> SharedNumber { .whole(Int64(number + (number + 7) + 600)) }
  static let sums = many.indices.map { Optional(sum($0)) }

  static func name(_ key: SharedKey) -> String { "\(RedisKey(key, prefix: prefix))" }

  /// The port of the shard that has a key.
  static func home(_ key: String, _ urls: [RedisURL]) -> UInt16? {
    guard let index = HashRing(urls, virtualNodes: 100).server(of: KeyPlace(of: key.utf8)),
      case .tcp(_, let port) = urls[index].place
    else { return nil }
    return port
  }

  static func fill(_ servers: RedisServers, _ urls: [RedisURL]) async throws {
    for (index, agent) in agents.enumerated() {
      let one = try RunningStore(urls, agent: agent)
      try await one.waitUntilUp(urls.count)
      func write(_ key: SharedKey, _ value: SharedWrite.Value) {
        #expect(one.store.write(SharedWrite(key, value, ticket: 0)))
      }
      for (number, key) in many.enumerated() {
        let total = SharedNumber.whole(Int64([number, number + 7, 1_000][index]))
        write(key, .total(total, base: .whole(index == 2 ? 400 : 0), known: nil))
      }
      for key in hours {
        write(key, .counts([(place: 9, count: .whole(5)), (place: 10, count: .whole(Int64(index)))]))
      }
      var some = SharedSamples()
      (some.count, some.sum, some.least, some.greatest) = (2, -3, -4, 1)
      some.buckets = [(number: -3, weight: 1), (number: 1, weight: 1)]
      for key in samples { write(key, .samples(some)) }
      try await wait("everything written") { one.store.pendingWrites == 0 }
      try await closed(one, urls, servers)
    }
    for key in members {
      let name = name(key)
      let port = try #require(home(name, urls))
      try servers.cli(port, "PFADD", name, "anna", "berta", "clara")
      try servers.cli(port, "EXPIRE", name, "777600")
    }
  }

  /// Waits until no more is to be moved, and ends a store.
  static func closed(_ one: RunningStore, _ urls: [RedisURL], _ servers: RedisServers) async throws {
    try await wait("the end of the move") { try !one.store.condition.isMoving && isNoted(urls, servers) }
    one.end()
  }

  /// Whether every shard says that keys lie by this list alone.
  static func isNoted(_ urls: [RedisURL], _ servers: RedisServers) throws -> Bool {
    let list = ShardList(urls, virtualNodes: 100)
    return try urls.count == 1
      || urls.allSatisfy { url in
        guard case .tcp(_, let port) = url.place else { return false }
        return ShardMarker(Array(try servers.cli(port, "GET", "footfall:shards").utf8))?.lists == [list]
      }
  }

  struct Entry: Decodable, Equatable {
    var kind: String
    var lives: Int
    var fields: [String: String]?
    var members: Int?
  }

  /// All that a server holds, but for its marker and the resets.
  static func entries(_ servers: RedisServers, _ port: UInt16) throws -> [String: Entry] {
    let text = try servers.cli(
      port, "EVAL",
      """
      local all = {none = {kind = 'none', lives = 0}}
      for _, key in ipairs(redis.call('KEYS', '*')) do
        local kind = redis.call('TYPE', key).ok
        local entry = {kind = kind, lives = redis.call('TTL', key)}
        if kind == 'hash' then
          entry.fields = {}
          local fields = redis.call('HGETALL', key)
          for i = 1, #fields, 2 do entry.fields[fields[i]] = fields[i + 1] end
        elseif kind == 'string' and redis.call('GETRANGE', key, 0, 3) == 'HYLL' then
          entry.members = redis.call('PFCOUNT', key)
        end
        all[key] = entry
      end
      return cjson.encode(all)
      """, "0")
    var entries = try JSONDecoder().decode([String: Entry].self, from: Data(text.utf8))
    for key in ["none", "footfall:shards", "footfall:resets"] { entries[key] = nil }
    return entries
  }

  /// Expects each key to be on its own shard alone, and what was filled in to be whole.
  static func expectHome(_ servers: RedisServers, _ urls: [RedisURL]) throws {
    var found: [String: Entry] = [:]
    for port in servers.ports {
      for (key, entry) in try entries(servers, port) {
        #expect(home(key, urls) == port, "\(key)")
        #expect(found.updateValue(entry, forKey: key) == nil, "\(key) is on two shards")
      }
    }
    #expect(found.count == keys)
    for (number, key) in many.enumerated() {
      let fields = ["a": "\(number)", "b": "\(number + 7)", "gone": "1000", "gone.base": "400"]
      #expect(found[name(key)] == Entry(kind: "hash", lives: -1, fields: fields))
    }
    for key in hours + samples + members { #expect(777_000...777_600 ~= found[name(key)]?.lives ?? 0, "\(name(key))") }
    for key in hours {
      #expect(found[name(key)]?.fields?["gone.09"] == "5" && found[name(key)]?.fields?["b.10"] == "1")
    }
    for key in samples {
      let fields = found[name(key)]?.fields
      #expect(fields?.count == 18 && fields?["gone.min"] == "-4.0" && fields?["a.sum"] == "-3.0")
    }
    for key in members { #expect(found[name(key)]?.members == 3) }
  }
}
