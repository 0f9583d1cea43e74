/// One key on its way.
extension ShardMove {
  enum Outcome: Equatable {
    /// It was not there, or is none that agents share.
    case nothing
    case moved
    case failed(RedisFailure)
  }

  /// What is found under a key.
  private struct Content {
    let isHash: Bool
    /// What is merged, a slice after the other: what it has to live, in milliseconds, then fields and values by turns, or a HyperLogLog.
    let merged: [[[UInt8]]]
    /// What has to be there still to be removed: fields and values again, or the SHA-1 of the HyperLogLog.
    let removed: [[[UInt8]]]

    init?(_ reply: RESPValue) {
      guard let parts = reply.elements, parts.count == 3, let lifetime = parts[1].integer, let list = parts[2].elements
      else { return nil }
      isHash = parts[0].string == "hash"
      let values = list.compactMap(\.text)
      let slices = isHash ? MovingKey.slices(values) : [Array(values.prefix(1))]
      merged = slices.map { [Array("\(lifetime)".utf8)] + $0 }
      removed = isHash ? slices : [Array(values.dropFirst())]
    }
  }

  /// Copies what a shard has of a key to another, then removes it, but for what was written meanwhile. Nothing is removed before all of it
  /// is merged, so that whoever reads both places meanwhile, first the old one, has all. As long as it is not known that both are not one
  /// server, nothing is removed.
  func move(_ key: [UInt8], from source: Int, to target: Int, done: @escaping (Outcome) -> Void) {
    // As it is now: while the merge is under way it may come out that both are one.
    let isCopy = phase == .asking
    send(key, MovingScripts.read, [], to: source, done) { [unowned self] reply in
      guard let content = Content(reply) else { return done(.nothing) }
      let merge = content.isHash ? MovingScripts.mergeHash : MovingScripts.mergeMembers
      send(key, merge, slices: content.merged[...], to: target, done) { [unowned self] in
        if isCopy { return done(.moved) }
        let remove = content.isHash ? MovingScripts.removeFields : MovingScripts.removeMembers
        send(key, remove, slices: content.removed[...], to: source, done) { [unowned self] in
          movedKeys += 1
          done(.moved)
        }
      }
    }
  }

  /// One script for each slice, one after the other.
  private func send(
    _ key: [UInt8], _ script: RedisScripts.Script, slices: ArraySlice<[[UInt8]]>, to shard: Int,
    _ done: @escaping (Outcome) -> Void, then: @escaping () -> Void
  ) {
    guard let slice = slices.first else { return then() }
    send(key, script, slice, to: shard, done) { [unowned self] _ in
      send(key, script, slices: slices.dropFirst(), to: shard, done, then: then)
    }
  }

  private func send(
    _ key: [UInt8], _ script: RedisScripts.Script, _ arguments: [[UInt8]], to shard: Int,
    _ done: @escaping (Outcome) -> Void, then: @escaping (RESPValue) -> Void
  ) {
    let request = RedisRequest(moving: key, script, arguments) { [unowned self] result in
      isDue = true
      switch result {
      case .success(let reply): then(reply)
      case .failure(let failure):
        note(failure)
        // What is there under this name is of another kind: one of the two is not ours, and stays.
        if case .refused(let text) = failure, text.contains("WRONGTYPE") { return done(.nothing) }
        done(.failed(failure))
      }
    }
    client.send(request, to: client.links[shard])
  }
}
