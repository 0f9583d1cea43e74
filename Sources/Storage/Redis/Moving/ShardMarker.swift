/// What each shard keeps of where keys may lie: every list of shards that some agent has placed keys by and not yet moved them from. It is
/// written before the first key moves, and with one list alone after the last.
///
///     key  = prefix "shards"
///     text = version LF list { LF list } ;  list = "ring " virtual-nodes { LF weight " " url }
struct ShardMarker: Equatable {
  /// One more with each move that is over.
  var version: UInt64
  var lists: [ShardList]

  static func key(prefix: [UInt8]) -> [UInt8] { prefix + "shards".utf8 }

  init(version: UInt64, lists: [ShardList]) {
    self.version = version
    self.lists = lists
  }

  var text: [UInt8] { Array((["\(version)"] + lists.flatMap(\.lines)).joined(separator: "\n").utf8) }

  /// - Returns: nil if it is none, or one of a version to come.
  init?(_ text: [UInt8]) {
    var lines = String(decoding: text, as: UTF8.self).split(separator: "\n")[...]
    guard let version = lines.popFirst().flatMap({ UInt64($0) }), version < .max else { return nil }
    self.version = version
    lists = []
    while !lines.isEmpty {
      guard let list = ShardList(readingFrom: &lines) else { return nil }
      lists.append(list)
    }
    if lists.isEmpty { return nil }
  }
}
