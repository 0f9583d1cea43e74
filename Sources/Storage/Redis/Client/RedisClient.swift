import Platform

/// Sends commands to the server that has their key, over one connection to each, and sees redirections and losses through.
///
/// Which of the three it is, one server, shards that know nothing of each other, or a Cluster, the first server that answers says, unless
/// the settings do. All is done by the thread that calls `turn`; nothing blocks but `wait`. A command is sent again at most `retries`
/// times, after a pause where the server asked for one: all that is sent here may come twice.
final class RedisClient {
  /// How keys find their servers.
  enum Topology {
    /// No server has answered yet.
    case unknown
    case standalone(HashRing)
    case cluster(SlotMap)
  }

  let settings: RedisSettings
  /// Grows with everything that may let a command pass that did not before.
  private(set) var generation: UInt64 = 0
  private(set) var topology = Topology.unknown
  /// Commands under way.
  private(set) var underWay = 0
  private(set) var retries: UInt64 = 0
  private(set) var errors: UInt64 = 0
  /// The map is asked for when a reply has shown it to be old.
  var mapIsOld = false
  var mapAskedAt = Int64.min / 2
  var mapIsAsked = false

  let wakeUp: WakeUp
  private let poll: Poll
  /// One for each URL, in their order, then those that a Cluster's map names.
  private(set) var links: [RedisLink] = []
  private var linksByPlace: [RedisURL.Place: RedisLink] = [:]
  private var lastToken: UInt64 = 0
  /// Of links that are gone.
  private var retiredCommands: UInt64 = 0
  private var retiredBytes: UInt64 = 0
  private var delayed: [(at: Int64, request: RedisRequest)] = []
  private var now = Clock.monotonic()
  private var random = SystemRandomNumberGenerator()

  /// Said on each connection before anything else; what is answered is of no matter.
  private let prelude: [RESPCommand]

  init(_ settings: RedisSettings, wakeUp: WakeUp, prelude: [RESPCommand] = []) throws(SystemError) {
    precondition(!settings.urls.isEmpty)
    self.settings = settings
    self.wakeUp = wakeUp
    self.prelude = prelude
    poll = try Poll()
    try poll.add(wakeUp.descriptor, token: 0, for: .input)
    for url in settings.urls { _ = makeLink(url) }
  }

  // MARK: Commands

  /// Sends a command to the server that has its key. Its completion comes once, now or in a later `turn`.
  func send(_ request: RedisRequest) {
    if underWay >= RedisBounds.commands { return request.complete(.failure(.full), from: nil) }
    underWay += 1
    dispatch(request)
  }

  /// Sends a command to one server; its completion comes with a loss too, and it is not tried again.
  func send(_ request: RedisRequest, to link: RedisLink) {
    underWay += 1
    if link.send(request, now: now) { return }
    complete(request, .failure(link.isReady ? .full : .unavailable(link.trouble ?? "not yet")), link)
  }

  /// The link to the server that has a key; nil while that is not known, or nobody has it.
  func link(for place: KeyPlace) -> RedisLink? {
    switch topology {
    case .unknown: nil
    case .standalone(let ring): ring.server(of: place).map { links[$0] }
    case .cluster(let map): map.node(of: place.slot).flatMap { linksByPlace[$0] }
    }
  }

  /// A server that is of another kind than the others, or than the settings say; nil: there is none.
  var conflict: String? { links.lazy.compactMap { self.conflict(of: $0) }.first }

  private func conflict(of link: RedisLink) -> String? {
    let isForeign =
      switch topology {
      case .unknown: settings.isCluster && !link.isCluster
      case .standalone: link.isCluster
      case .cluster: !link.isCluster
      }
    guard link.isReady && isForeign else { return nil }
    return "\(link.urlText): \(link.isCluster ? "a node of a Cluster among shards" : "no node of a Cluster")"
  }

  private func dispatch(_ request: RedisRequest) {
    guard let place = request.place, let link = link(for: place) else {
      return complete(request, .failure(.unavailable(unknownPlace)), nil)
    }
    dispatch(request, to: link)
  }

  private func dispatch(_ request: RedisRequest, to link: RedisLink) {
    if let conflict = conflict(of: link) { return complete(request, .failure(.unavailable(conflict)), link) }
    if link.send(request, now: now) { return }
    if link.isReady { return complete(request, .failure(.full), link) }
    let reason = link.trouble ?? "not yet"
    // A server that was just heard of is given the time to be connected to, and one that has lost the command to come back.
    if link.trouble == nil || request.backoff.tries > 0 { return sendLater(request, .unavailable(reason), link) }
    complete(request, .failure(.unavailable(reason)), link)
  }

  private var unknownPlace: String {
    if case .cluster = topology { return "no node serves the slot" }
    return conflict ?? links.lazy.compactMap(\.trouble).first ?? "no server has answered yet"
  }

  private func sendLater(_ request: RedisRequest, _ failure: RedisFailure, _ link: RedisLink?) {
    if request.backoff.tries >= settings.retries { return complete(request, .failure(failure), link) }
    retries += 1
    delayed.append((now + request.backoff.next(&random), request))
  }

  private func complete(_ request: RedisRequest, _ result: Result<RESPValue, RedisFailure>, _ link: RedisLink?) {
    underWay -= 1
    if case .failure(.refused) = result { errors += 1 }
    var result = result
    // Why it could not be sent again does not tell what became of it.
    if request.wasLost, case .failure(let failure) = result, !failure.mayBeDone {
      result = .failure(.lost("\(failure)"))
    }
    request.complete(result, from: link?.url.place)
  }

  // MARK: Turns

  /// Does what is due, and sends what was gathered.
  func turn() {
    now = Clock.monotonic()
    if !delayed.isEmpty {
      let due = delayed.filter { $0.at <= now }
      delayed.removeAll { $0.at <= now }
      for (_, request) in due { dispatch(request) }
    }
    askForMap(now)
    retireLinks()
    for link in links {
      link.tick(now: now) {
        lastToken += 1
        return lastToken
      }
      link.flush(now: now)
    }
  }

  /// When `turn` has something to do, if nothing comes before.
  var nextTime: Int64 {
    var time = delayed.lazy.map(\.at).min() ?? .max
    for link in links { time = min(time, link.deadline) }
    // While no node is there that could be asked, there is nothing to do about an old map.
    if mapIsOld && !mapIsAsked && links.contains(where: \.knowsMap) { time = min(time, mapAskedAt + Self.mapPause) }
    return time
  }

  /// Waits until something happens, at the latest until `deadline`, and does what comes of it. Call `turn` after it.
  func wait(until deadline: Int64) {
    let left = max(0, min(deadline, nextTime) - Clock.monotonic())
    poll.wait(milliseconds: Int(min(left, 60_000_000_000) + 999_999) / 1_000_000) { event in
      now = Clock.monotonic()
      if event.token == 0 { return wakeUp.clear() }
      links.first { $0.token == event.token }?.handle(event, now: now)
    }
  }

  // MARK: Links

  private func makeLink(_ url: RedisURL) -> RedisLink {
    let link = RedisLink(url, settings, poll: poll, wakeUp: wakeUp, owner: self)
    links.append(link)
    linksByPlace[url.place] = linksByPlace[url.place] ?? link
    return link
  }

  /// The link to a node that a Cluster has named: let in as the first one was.
  func link(to place: RedisURL.Place) -> RedisLink {
    if let link = linksByPlace[place] {
      link.isRetired = false
      return link
    }
    var url = settings.urls[0]
    url.place = place
    url.database = nil
    return makeLink(url)
  }

  /// Lets go of nodes that the map no longer names, once nothing waits for them. What was given as a URL stays.
  private func retireLinks() {
    guard links.count > settings.urls.count, links.contains(where: { $0.isRetired && $0.waiting == 0 }) else { return }
    for link in links where link.isRetired && link.waiting == 0 {
      linksByPlace[link.url.place] = nil
      retiredCommands += link.commands
      retiredBytes += link.bytesSent
    }
    links.removeAll { $0.isRetired && $0.waiting == 0 }
  }

  /// Takes a new map: links to all its masters.
  func take(_ map: SlotMap) {
    if case .cluster(let old) = topology, old == map { return }
    topology = .cluster(map)
    let masters = Set(map.nodes)
    for node in map.nodes { _ = link(to: node) }
    for link in links.dropFirst(settings.urls.count) { link.isRetired = !masters.contains(link.url.place) }
    generation += 1
  }

  /// Commands and bytes sent since the start.
  var sent: (commands: UInt64, bytes: UInt64) {
    links.reduce((retiredCommands, retiredBytes)) { ($0.0 + $1.commands, $0.1 + $1.bytesSent) }
  }
}

extension RedisClient: RedisLinkOwner {
  func linkIsReady(_ link: RedisLink) {
    if conflict(of: link) != nil { return }
    for command in prelude { send(RedisRequest(command, at: nil) { _, _ in }, to: link) }
    generation += 1
    switch topology {
    case .unknown where link.isCluster:
      topology = .cluster(SlotMap())
      mapIsOld = true
    case .unknown: topology = .standalone(HashRing(settings.urls, virtualNodes: settings.virtualNodes))
    case .cluster: mapIsOld = true
    case .standalone: break
    }
  }

  func link(_ link: RedisLink, lost requests: [RedisRequest], because reason: String) {
    if case .cluster = topology { mapIsOld = true }
    for request in requests {
      if request.place == nil {
        complete(request, .failure(.lost(reason)), link)
      } else {
        request.wasLost = true
        sendLater(request, .lost(reason), link)
      }
    }
  }

  func link(_ link: RedisLink, gaveUp request: RedisRequest, because reason: String) {
    complete(request, .failure(.lost(reason)), link)
  }

  func link(_ link: RedisLink, answered request: RedisRequest, with reply: RESPValue) {
    guard case .error(let text) = reply else { return complete(request, .success(reply), link) }
    let isAsking = request.isAsking
    request.isAsking = false
    switch Redirection(text, asked: host(of: link)) {
    case .unknownScript where request.sendsScript():
      request.isAsking = isAsking
      dispatch(request, to: link)
    case .moved(let slot, let place):
      guard case .cluster(var map) = topology else { return complete(request, .failure(.refused(text)), link) }
      map.move(slot, to: place)
      take(map)
      mapIsOld = true
      guard isRedirected(request, text, link) else { return }
      dispatch(request)
    case .ask(let place):
      guard case .cluster = topology else { return complete(request, .failure(.refused(text)), link) }
      guard isRedirected(request, text, link) else { return }
      request.isAsking = true
      dispatch(request, to: self.link(to: place))
    case .later(let asksMap):
      if asksMap, case .cluster = topology { mapIsOld = true }
      if request.place == nil { return complete(request, .failure(.patience(text)), link) }
      sendLater(request, .patience(text), link)
    case .refused, .unknownScript: complete(request, .failure(.refused(text)), link)
    }
  }

  /// Counts a redirection as a try.
  /// - Returns: false if it was one too many: the command is completed.
  private func isRedirected(_ request: RedisRequest, _ text: String, _ link: RedisLink) -> Bool {
    if request.place == nil {
      complete(request, .failure(.refused(text)), link)
      return false
    }
    if request.backoff.tries >= settings.retries {
      complete(request, .failure(.patience(text)), link)
      return false
    }
    retries += 1
    _ = request.backoff.next(&random)
    return true
  }

  /// The host of a server as its neighbours would name it; of a unix socket this machine's.
  func host(of link: RedisLink) -> String {
    if case .tcp(let host, _) = link.url.place { host } else { "127.0.0.1" }
  }
}
