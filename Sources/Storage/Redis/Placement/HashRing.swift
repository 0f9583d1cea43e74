/// Which of several servers that know nothing of each other has a key: consistent hashing (Karger and others, 1997).
///
/// Each server has weight × `virtualNodes` points on a circle of 2^64; a key belongs to the server of the first point at or after its
/// own. Where the points are depends on a server's address alone, so the order of the servers is of no matter, and one that is added or
/// removed moves its own share of the keys and no others.
struct HashRing: Sendable {
  private var points: [(point: UInt64, server: Int)] = []

  /// - Complexity: O(n log n) in the number of points.
  init(_ servers: [RedisURL], virtualNodes: Int) {
    self.init(servers.map { .init(name: $0.description, weight: $0.weight) }, virtualNodes)
  }

  init(_ list: ShardList) { self.init(list.shards, list.virtualNodes) }

  private init(_ shards: [ShardList.Shard], _ virtualNodes: Int) {
    for (index, shard) in shards.enumerated() {
      for number in 0..<virtualNodes * shard.weight {
        points.append((RingHash.of("\(shard.name)#\(number)".utf8), index))
      }
    }
    // Two points that meet: whoever has the smaller address, not whoever was named first.
    points.sort { ($0.point, shards[$0.server].name) < ($1.point, shards[$1.server].name) }
  }

  /// The server of a key, as its index; nil if there are none.
  /// - Complexity: O(log n)
  func server(of key: KeyPlace) -> Int? {
    var low = 0
    var high = points.count
    while low < high {
      let middle = (low + high) / 2
      if points[middle].point < key.point { low = middle + 1 } else { high = middle }
    }
    return points.isEmpty ? nil : points[low == points.count ? 0 : low].server
  }
}
