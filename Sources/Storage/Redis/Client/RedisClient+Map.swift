import Platform

/// The map of a Cluster, asked for when a reply has shown that it is old, and every now and then.
extension RedisClient {
  /// At most so often.
  static let mapPause: Int64 = 200_000_000
  /// At least so often, for a resharding that nobody ran into.
  private static let mapAge: Int64 = 60_000_000_000

  /// Asks a node that is there, one after the other: one of them may be cut off from the rest and know nothing new.
  func askForMap(_ now: Int64) {
    guard case .cluster = topology, !mapIsAsked, now >= mapAskedAt + (mapIsOld ? Self.mapPause : Self.mapAge) else {
      return
    }
    let ready = links.filter(\.knowsMap)
    guard let link = ready.randomElement() else { return }
    mapAskedAt = now
    mapIsAsked = true
    mapIsOld = false
    ask(link, RESPCommand("CLUSTER", "SHARDS")) { [unowned self] reply in
      if case .error = reply {
        // Before Redis 7.
        ask(link, RESPCommand("CLUSTER", "SLOTS")) { [unowned self] in read(SlotMap(slots: $0, asked: host(of: link))) }
      } else {
        read(SlotMap(shards: reply, asked: host(of: link)))
      }
    }
  }

  /// - Parameter answer: is not called when the connection is lost: then the map stays old.
  private func ask(_ link: RedisLink, _ command: RESPCommand, _ answer: @escaping (RESPValue) -> Void) {
    let request = RedisRequest(command, at: nil) { [unowned self] result, _ in
      switch result {
      case .success(let reply): answer(reply)
      case .failure(.refused(let text)): answer(.error(text))
      case .failure: read(nil)
      }
    }
    send(request, to: link)
  }

  private func read(_ map: SlotMap?) {
    mapIsAsked = false
    guard let map else {
      mapIsOld = true
      return
    }
    take(map)
    // A failover is under way: somebody will serve the rest.
    if !map.isWhole { mapIsOld = true }
  }
}
