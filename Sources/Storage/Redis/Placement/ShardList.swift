/// Shards and their weights: all that a ring is made of, and that agents have to agree on.
package struct ShardList: Equatable, Sendable {
  struct Shard: Equatable, Sendable {
    /// The server's URL without user and password.
    var name: String
    /// Its share of the keys; 0: none, but it is still asked for those that it has.
    var weight: Int
  }

  var virtualNodes: Int
  /// By name, since their order is of no matter.
  var shards: [Shard]

  /// A ring of more points is refused: this one takes 160 MB, and seconds to be made.
  package static let mostPoints = 10_000_000

  /// A list of servers as they were given.
  package init(_ urls: [RedisURL], virtualNodes: Int) {
    self.virtualNodes = virtualNodes
    shards = urls.map { Shard(name: $0.description, weight: $0.weight) }.sorted { $0.name < $1.name }
  }

  /// Of its ring.
  package var points: Int { shards.reduce(0) { $0 + $1.weight } * virtualNodes }

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
    while let line = lines.first, !line.hasPrefix("ring ") {
      let parts = line.split(separator: " ", maxSplits: 1)
      guard parts.count == 2, let weight = Int(parts[0]), 0...RedisURL.largestWeight ~= weight else { return nil }
      shards.append(Shard(name: String(parts[1]), weight: weight))
      lines.removeFirst()
    }
    if points > Self.mostPoints { return nil }
    shards.sort { $0.name < $1.name }
  }
}
