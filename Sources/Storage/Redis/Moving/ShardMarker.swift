/// What each shard keeps of where keys may lie: every list of shards that some agent has placed keys by and not yet moved them from. It is
/// written before the first key moves, and with one list alone after the last.
///
///     key  = prefix "shards"
///     text = list { LF list } ;  list = "ring " virtual-nodes { LF weight " " url }
struct ShardMarker: Equatable {
  var lists: [ShardList]

  static func key(prefix: [UInt8]) -> [UInt8] { prefix + "shards".utf8 }

  init(lists: [ShardList]) { self.lists = lists }

  var text: [UInt8] { Array(lists.flatMap(\.lines).joined(separator: "\n").utf8) }

  /// - Returns: nil if it is none.
  init?(_ text: [UInt8]) {
    var lines = String(decoding: text, as: UTF8.self).split(separator: "\n")[...]
    lists = []
    while !lines.isEmpty {
      guard let list = ShardList(readingFrom: &lines) else { return nil }
      lists.append(list)
    }
    if lists.isEmpty { return nil }
  }
}
