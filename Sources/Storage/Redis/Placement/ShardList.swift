/// Shards and their weights: all that a ring is made of, and that agents have to agree on.
struct ShardList: Equatable, Sendable {
  struct Shard: Equatable, Sendable {
    /// The server's URL without user and password.
    var name: String
    /// Its share of the keys; 0: none, but it is still asked for those that it has.
    var weight: Int
  }

  var virtualNodes: Int
  /// By name, since their order is of no matter.
  var shards: [Shard]

  /// More points than any ring is made of.
  private static let mostPoints = 10_000_000

  init(_ urls: [RedisURL], virtualNodes: Int) {
    self.virtualNodes = virtualNodes
    shards = urls.map { Shard(name: $0.description, weight: $0.weight) }.sorted { $0.name < $1.name }
  }

  /// Its lines: `ring` and the virtual nodes, then the weight and the name of each shard.
  var lines: [String] { ["ring \(virtualNodes)"] + shards.map { "\($0.weight) \($0.name)" } }

  /// Reads the lines of one list off the front.
  /// - Returns: nil if they are none.
  init?(readingFrom lines: inout ArraySlice<Substring>) {
    let head = lines.popFirst()?.split(separator: " ") ?? []
    guard head.count == 2, head[0] == "ring", let number = Int(head[1]), 1...Self.mostPoints ~= number else {
      return nil
    }
    virtualNodes = number
    shards = []
    var weights = 0
    while let line = lines.first, !line.hasPrefix("ring ") {
      let parts = line.split(separator: " ", maxSplits: 1)
      guard parts.count == 2, let weight = Int(parts[0]), 0...RedisURL.largestWeight ~= weight else { return nil }
      shards.append(Shard(name: String(parts[1]), weight: weight))
      weights += weight
      lines.removeFirst()
    }
    if weights > Self.mostPoints / virtualNodes { return nil }
    shards.sort { $0.name < $1.name }
  }
}
