import Protocol

/// One look through all keys of all shards.
struct MovingRound {
  /// How far it has come on one shard.
  struct Scan {
    /// Where SCAN goes on; nil: it has seen all.
    var cursor: [UInt8]? = [UInt8(ascii: "0")]
    var isAsked = false
    /// Keys that belong elsewhere.
    var strays = Queue<[UInt8]>()
  }

  var scans: [Scan]
  /// Keys under way.
  var underWay = 0
  /// Whether each shard was seen whole, and nothing was to be moved.
  var isClean = true

  /// Keys under way at once.
  static let window = 256

  init(shards: Int) { scans = Array(repeating: Scan(), count: shards) }

  var isOver: Bool {
    underWay == 0 && scans.allSatisfy { $0.cursor == nil && !$0.isAsked && $0.strays.isEmpty }
  }
}

extension ShardMove {
  /// Keys that a shard looks at for one answer.
  private static let page = "500"

  /// Goes on with the round as far as there is room.
  func lookOn() {
    for shard in round.scans.indices {
      while round.underWay < MovingRound.window, let key = round.scans[shard].strays.popFirst() {
        bringHome(key, from: shard)
      }
      if round.scans[shard].strays.isEmpty && !round.scans[shard].isAsked, let cursor = round.scans[shard].cursor {
        ask(shard, from: cursor)
      }
    }
  }

  private func ask(_ shard: Int, from cursor: [UInt8]) {
    round.scans[shard].isAsked = true
    let words = ["SCAN", "", "MATCH", "", "COUNT", Self.page].map { Array($0.utf8) }
    let command = RESPCommand([words[0], cursor, words[2], MovingKey.pattern(prefix: prefix), words[4], words[5]])
    let request = RedisRequest(command, at: nil) { [unowned self] result, _ in
      isDue = true
      round.scans[shard].isAsked = false
      if case .success(let reply) = result, let parts = reply.elements, parts.count == 2, let next = parts[0].text,
        let keys = parts[1].elements
      {
        round.scans[shard].cursor = next == [UInt8(ascii: "0")] ? nil : next
        for key in keys.compactMap(\.text) where isStray(key, shard) { round.scans[shard].strays.append(key) }
      } else {
        // A cursor is of no use after a server's start: the next round begins anew.
        if case .failure(let failure) = result { note(failure) }
        round.scans[shard].cursor = nil
        round.isClean = false
      }
    }
    client.send(request, to: client.links[shard])
  }

  private func isStray(_ key: [UInt8], _ shard: Int) -> Bool {
    MovingKey.isShared(key, prefix: prefix) && home(of: KeyPlace(of: key)).map { $0 != shard } ?? false
  }

  private func bringHome(_ key: [UInt8], from shard: Int) {
    guard let home = home(of: KeyPlace(of: key)) else { return }
    round.underWay += 1
    move(key, from: shard, to: home) { [unowned self] outcome in
      round.underWay -= 1
      if outcome == .nothing { return }
      round.isClean = false
      tellOfBeginning()
    }
  }
}

/// Which keys are moved.
enum MovingKey {
  /// All keys with a prefix, for SCAN.
  static func pattern(prefix: [UInt8]) -> [UInt8] {
    prefix.flatMap { "*?[]^-\\".utf8.contains($0) ? [UInt8(ascii: "\\"), $0] : [$0] } + "*".utf8
  }

  /// Whether a key is one that `RedisKey` makes, or the stream of resets.
  static func isShared(_ key: [UInt8], prefix: [UInt8]) -> Bool {
    if key == RedisKey.resets(prefix: prefix) { return true }
    guard key.starts(with: prefix) else { return false }
    let rest = key.dropFirst(prefix.count)
    guard let open = rest.firstIndex(of: UInt8(ascii: "{")), let close = rest.lastIndex(of: UInt8(ascii: "}")),
      open < close
    else { return false }
    let kind = rest[..<open]
    let part = rest[(close + 1)...].split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
    let isPart = part.count == 3 && part[0].isEmpty && parts.contains { part[1].elementsEqual($0.utf8) }
    let isKind = kind.isEmpty || SampleKind.allCases.contains { kind.elementsEqual("\($0.label):".utf8) }
    return isKind && (isPart || close == rest.endIndex - 1)
  }

  /// Cuts fields and values, by turns, into slices: a connection has no room for all fields of a long hash at once. Those of one agent stay
  /// together, since they are merged by each other; it has a few thousand at the most, a timer's buckets.
  /// - Parameter most: fields, unless one agent has more.
  static func slices(_ values: [[UInt8]], most: Int = 1_000) -> [[[UInt8]]] {
    var agents: [ArraySlice<UInt8>: [[UInt8]]] = [:]
    for index in stride(from: 0, to: values.count - 1, by: 2) {
      let agent = values[index].prefix { $0 != UInt8(ascii: ".") }
      agents[agent, default: []] += values[index...(index + 1)]
    }
    var slices: [[[UInt8]]] = []
    for fields in agents.values {
      if let count = slices.last?.count, count + fields.count <= 2 * most {
        slices[slices.count - 1] += fields
      } else {
        slices.append(fields)
      }
    }
    return slices
  }

  private static let parts = ["hours", "minutes", "members", "samples"]
}
