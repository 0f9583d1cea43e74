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
    /// What it has to live, in milliseconds.
    let lifetime: Int64
    /// Fields and values by turns, or a HyperLogLog and its SHA-1.
    let values: [[UInt8]]

    init?(_ reply: RESPValue) {
      guard let parts = reply.elements, parts.count == 3, let lifetime = parts[1].integer, let list = parts[2].elements
      else { return nil }
      isHash = parts[0].string == "hash"
      self.lifetime = lifetime
      values = list.compactMap(\.text)
    }

    /// What is merged, and what has to be there still to be removed.
    var merged: [[UInt8]] { [Array("\(lifetime)".utf8)] + (isHash ? values : Array(values.prefix(1))) }
    var removed: [[UInt8]] { isHash ? values : Array(values.dropFirst()) }
  }

  /// Copies what a shard has of a key to another, then removes it, but for what was written meanwhile. As long as it is not known that both
  /// are not one server, nothing is removed.
  func move(_ key: [UInt8], from source: Int, to target: Int, done: @escaping (Outcome) -> Void) {
    send(key, MovingScripts.read, [], to: source, done) { [unowned self] reply in
      guard let content = Content(reply) else { return done(.nothing) }
      let merge = content.isHash ? MovingScripts.mergeHash : MovingScripts.mergeMembers
      send(key, merge, content.merged, to: target, done) { [unowned self] _ in
        if phase == .asking { return done(.moved) }
        let remove = content.isHash ? MovingScripts.removeFields : MovingScripts.removeMembers
        send(key, remove, content.removed, to: source, done) { [unowned self] _ in
          movedKeys += 1
          done(.moved)
        }
      }
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
