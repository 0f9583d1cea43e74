import Platform

/// Takes keys to the shards that have them by the ring, after a shard was added, was taken out (a weight of 0), or has got another weight.
///
///     asking ──▶ noting ──▶ looking ⇄ resting ──▶ closing ──▶ over
///
/// It asks each shard for its marker (`ShardMarker`), notes on all of them that keys may from now on lie by the agent's own list too, and
/// looks through all keys of all shards, again and again, until once there was nothing to move; then it notes that keys lie by its own list
/// alone. An agent whose list is that of all markers looks through them as well, since others that had another list may have written
/// meanwhile.
///
/// Every agent does so by itself. None waits for another, and one that ends half way leaves the rest to the next. Until the move is over
/// `gather` brings a key home before it is read, reset, or written for the first time: who asked both places at once could miss what is
/// being moved between them. What is written goes to a key's own place only.
///
/// One server, or a Cluster, has nothing to move. A shard that is no longer in the list cannot be asked: its keys stay there.
final class ShardMove {
  enum Phase: Equatable {
    case asking
    case noting
    case looking
    case resting(until: Int64)
    case closing
    case over
  }

  /// Where keys may lie that are not at their own place.
  private enum Whereabouts {
    /// On any shard.
    case anywhere
    /// By these rings, each with its servers as links (nil: not in the own list).
    case rings([(ring: HashRing, links: [Int?])])
    /// Nowhere else.
    case home
  }

  let client: RedisClient
  let prefix: [UInt8]
  let report: (RedisEvent) -> Void
  /// Is told what a server refuses.
  let note: (RedisFailure) -> Void
  /// Keys that were brought home.
  var movedKeys: UInt64 = 0
  /// Whether keys are known not to be at home.
  private(set) var isMoving = false
  /// Whether nothing more is to be begun.
  var isClosing = false
  /// Whether something completed that `turn` can go on from.
  var isDue = true
  var round = MovingRound(shards: 0)

  private let own: ShardList
  private let ownRing: HashRing
  private(set) var phase = Phase.asking
  private var whereabouts = Whereabouts.anywhere
  /// What each shard has answered; nil: it has no marker, or one that cannot be read.
  private var markers: [ShardMarker?]
  /// Two shards that are one server: nothing may be moved between them.
  private var twins: (Int, Int)?
  /// Tells what this run has left on a server from what others have.
  private let probe: [UInt8]
  /// Shards that have not yet done what the phase asks of all, those that were asked for it, and when to ask again.
  private var missing: Set<Int>
  private var awaited = 0
  private var askAt: Int64 = 0
  private var backoff = Backoff(first: 50_000_000, longest: 5_000_000_000)
  private var random = SystemRandomNumberGenerator()

  private static let askPause: Int64 = 200_000_000

  init(
    _ client: RedisClient, prefix: [UInt8], report: @escaping (RedisEvent) -> Void,
    note: @escaping (RedisFailure) -> Void
  ) {
    self.client = client
    self.prefix = prefix
    self.report = report
    self.note = note
    let settings = client.settings
    own = ShardList(settings.urls, virtualNodes: settings.virtualNodes)
    ownRing = HashRing(settings.urls, virtualNodes: settings.virtualNodes)
    missing = Set(settings.urls.indices)
    markers = settings.urls.map { _ in nil }
    probe = ShardMarker.key(prefix: prefix) + ":\(String(UInt64.random(in: .min ... .max), radix: 16))".utf8
    if settings.urls.count == 1 { phase = .over }
  }

  var shardCount: Int { client.settings.urls.count }

  /// Whether there are shards: several servers, none of them of a Cluster.
  private var hasShards: Bool { if case .standalone = client.topology { shardCount > 1 } else { false } }

  // MARK: The whole

  /// Does what can be done now.
  func turn(_ now: Int64) {
    guard phase != .over, hasShards, !isClosing else { return }
    isDue = false
    switch phase {
    case .asking:
      if !isEverybodyThere { return }
      let key = ShardMarker.key(prefix: prefix)
      for shard in missing {
        askAll(MovingScripts.introduction(marker: key, probe: probe, shard: shard), of: [shard], now, answer: introduce)
      }
      if isAnswered { begin() }
    case .noting:
      askAll(setting(ShardMarker(lists: lists + [own])), now)
      if isAnswered { look() }
    case .looking:
      lookOn()
      if round.isOver { endRound(now) }
    case .resting(let time): if now >= time { look() }
    case .closing:
      askAll(setting(ShardMarker(lists: [own])), now)
      if isAnswered { end() }
    case .over: break
    }
  }

  /// When `turn` has something to do, if nothing comes before.
  func nextTime(_ now: Int64) -> Int64 {
    guard phase != .over, hasShards, !isClosing else { return .max }
    if isDue { return now }
    switch phase {
    case .asking: return isEverybodyThere && !missing.isEmpty ? askAt : .max
    case .noting, .closing: return missing.contains { client.links[$0].isReady } ? askAt : .max
    case .resting(let time): return time
    case .looking, .over: return .max
    }
  }

  /// All lists but the own that keys may lie by.
  private var lists: [ShardList] {
    var lists: [ShardList] = []
    for marker in markers {
      for list in marker?.lists ?? [] where list != own && !lists.contains(list) { lists.append(list) }
    }
    return lists
  }

  /// Whether every shard has said that keys lie by the own list alone.
  private var isAgreed: Bool { markers.allSatisfy { $0?.lists == [own] } }

  /// Takes what a shard has said of itself: who was there before, and its marker.
  private func introduce(_ shard: Int, _ reply: RESPValue) {
    let parts = reply.elements ?? []
    if let twin = parts.first?.string.flatMap({ Int($0) }), twin != shard { twins = (twin, shard) }
    markers[shard] = parts.last?.text.flatMap(ShardMarker.init)
  }

  private func begin() {
    for link in client.links.prefix(shardCount) {
      client.send(RedisRequest(RESPCommand([Array("DEL".utf8), probe]), at: nil) { _, _ in }, to: link)
    }
    if let (one, two) = twins {
      let (one, two) = (client.links[one].url, client.links[two].url)
      note(.refused("\(one) and \(two) are one server: no key is moved; name each server once in --redis"))
      return end()
    }
    let lists = lists
    if lists.isEmpty {
      // The first start, or that of a shard, or one server until now.
      if markers.contains(where: { $0 != nil }) { whereabouts = .home }
      return look()
    }
    let names = client.settings.urls.map(\.description)
    whereabouts = .rings(lists.map { (HashRing($0), $0.shards.map { names.firstIndex(of: $0.name) }) })
    tellOfBeginning()
    for name in Set(lists.flatMap(\.shards).map(\.name)).subtracting(names).sorted() { report(.shardGone(url: name)) }
    enter(.noting)
  }

  func tellOfBeginning() {
    if isMoving { return }
    isMoving = true
    report(.moveBegan)
  }

  private func look() {
    round = MovingRound(shards: shardCount)
    enter(.looking)
  }

  private func endRound(_ now: Int64) {
    if !round.isClean { return enter(.resting(until: now + backoff.next(&random))) }
    if isAgreed { end() } else { enter(.closing) }
  }

  private func end() {
    whereabouts = .home
    if isMoving { report(.moveEnded(keys: movedKeys)) }
    isMoving = false
    enter(.over)
  }

  private func enter(_ phase: Phase) {
    self.phase = phase
    missing = Set(0..<shardCount)
    askAt = 0
    isDue = true
  }

  // MARK: What is asked of all shards

  private var isAnswered: Bool { missing.isEmpty && awaited == 0 }

  private var isEverybodyThere: Bool { client.links.prefix(shardCount).allSatisfy(\.isReady) }

  /// Sends a command to each shard that is there and has not yet carried it out.
  private func askAll(
    _ command: RESPCommand, of shards: Set<Int>? = nil, _ now: Int64,
    answer: @escaping (Int, RESPValue) -> Void = { _, _ in }
  ) {
    if now < askAt { return }
    for shard in shards ?? missing where client.links[shard].isReady {
      missing.remove(shard)
      awaited += 1
      let request = RedisRequest(command, at: nil) { [unowned self] result, _ in
        awaited -= 1
        isDue = true
        switch result {
        case .success(let reply): answer(shard, reply)
        case .failure(let failure):
          note(failure)
          missing.insert(shard)
          askAt = Clock.monotonic() + Self.askPause
        }
      }
      client.send(request, to: client.links[shard])
    }
  }

  private func setting(_ marker: ShardMarker) -> RESPCommand {
    RESPCommand([Array("SET".utf8), ShardMarker.key(prefix: prefix), marker.text])
  }

  // MARK: Places

  /// The shard that a key belongs to; nil: none has a weight.
  func home(of place: KeyPlace) -> Int? { ownRing.server(of: place) }

  /// The shards that may have a key besides its own.
  private func others(of place: KeyPlace, but home: Int, isWhole: Bool) -> [Int] {
    guard hasShards else { return [] }
    var found: Set<Int> = []
    var isAnywhere = false
    switch whereabouts {
    case .home: return []
    case .anywhere: isAnywhere = true
    case .rings(let rings):
      for (ring, links) in rings {
        guard let server = ring.server(of: place) else { continue }
        // It may have got another name only, or its keys may have been written elsewhere since.
        if let link = links[server] { found.insert(link) } else { isAnywhere = true }
      }
    }
    return (0..<shardCount).filter { shard in
      // On one that is away there may be nothing of it, and what is asked for need not wait for that.
      let link = client.links[shard]
      return shard != home && (found.contains(shard) || isAnywhere && (isWhole || link.isReady || link.trouble == nil))
    }
  }

  /// Calls `then` when all that other shards have of a key is at its own place, or cannot be brought there. At once if nothing moves.
  /// - Parameter isWhole: whether it fails where a shard is away that may have some of it, as it must for a reset: what that shard has
  ///   would come back with it. Else only one that is known to have had the key has to be there.
  func gather(_ key: [UInt8], isWhole: Bool, then: @escaping (RedisFailure?) -> Void) {
    let place = KeyPlace(of: key)
    guard phase != .over, let home = home(of: place) else { return then(nil) }
    let others = others(of: place, but: home, isWhole: isWhole)
    if others.isEmpty { return then(nil) }
    if let away = others.lazy.map({ self.client.links[$0] }).first(where: { !$0.isReady }) {
      return then(.unavailable(away.trouble ?? "\(away.urlText) is not there yet"))
    }
    var missing = others.count
    var failure: RedisFailure?
    for other in others {
      move(key, from: other, to: home) { outcome in
        missing -= 1
        if case .failed(let reason) = outcome { failure = reason }
        if missing == 0 { then(failure) }
      }
    }
  }
}
