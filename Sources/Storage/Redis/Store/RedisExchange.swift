import Aggregation
import Platform

/// What the Redis thread does: moves what the query thread has left in the queues to the client, and the answers back.
final class RedisExchange {
  let store: RedisStore
  let client: RedisClient
  let prefix: [UInt8]
  /// Writes that are not sent yet.
  private var queue = Queue<SharedWrite>()
  /// Writes under way, and the bytes of their commands.
  var writing = 0
  var writingBytes = 0
  var resets = RedisResets()
  private(set) lazy var move = ShardMove(client, prefix: prefix, report: store.report) { [unowned self] in note($0) }

  private var news: [SharedNews] = []
  private var answeredAsks = 0
  private var answeredWrites = 0
  private var answeredBytes = 0
  private var seenGeneration: UInt64 = 0
  private var fullPassAt: Int64
  private var fullPassNotBefore: Int64
  /// Whether a server has been lost since the last change.
  private var wasAway = false
  private var refusals: Set<String> = []

  /// Writes under way at once: enough to keep servers busy, few enough to be kept for a second try. Their bytes leave room for others
  /// in what a connection keeps.
  private static let window = 4_096
  private static let windowBytes = RedisBounds.outbox / 2

  init(_ store: RedisStore, _ client: RedisClient) {
    self.store = store
    self.client = client
    prefix = Array(store.settings.prefix.utf8)
    let now = Clock.monotonic()
    fullPassAt = now + store.settings.fullPassInterval
    fullPassNotBefore = now + store.settings.fullPassPause
  }

  func run() {
    while true {
      let deadline = takeWork()
      client.turn()
      let now = Clock.monotonic()
      noteChanges(now)
      write()
      if deadline == nil { readResets(now) }
      move.isClosing = deadline != nil
      moveKeys(now)
      // What was given to the client goes out.
      client.turn()
      publish(now)
      if let deadline, now >= deadline || (queue.isEmpty && client.underWay == 0) { return }
      client.wait(until: deadline ?? nextTime(now))
    }
  }

  /// - Returns: when to end, if that was asked for.
  private func takeWork() -> Int64? {
    let (writes, asks, deadline) = store.shared.withLock { shared in
      defer {
        shared.incoming.removeAll(keepingCapacity: shared.incoming.count <= 4_096)
        shared.asks = []
      }
      return (shared.incoming, shared.asks, shared.closeDeadline)
    }
    for write in writes { queue.append(write) }
    for ask in asks { carryOut(ask) }
    return deadline
  }

  private func write() {
    while hasRoomForNews && writing < Self.window && writingBytes < Self.windowBytes, let write = queue.popFirst() {
      send(write)
    }
  }

  var hasRoomForNews: Bool { news.count < RedisStore.newsLimit }

  // MARK: Answers

  func answer(write: SharedWrite, _ news: SharedNews) {
    self.news.append(news)
    answeredWrites += 1
    answeredBytes += write.size
  }

  func answer(ask news: SharedNews) {
    self.news.append(news)
    answeredAsks += 1
  }

  /// What nobody has asked for.
  func tell(_ news: SharedNews) { self.news.append(news) }

  /// Tells an operator of a refusal, each once; few texts vary.
  func note(_ failure: RedisFailure) {
    guard case .refused(let text) = failure, refusals.count < 64, refusals.insert(text).inserted else { return }
    store.report(.refused(text))
  }

  /// How an answer names the server that it comes from: with its port where there are several.
  func served(_ node: RedisURL.Place?) -> String {
    guard client.links.count > 1, case .tcp(_, let port)? = node else { return "redis" }
    return "redis_\(port)"
  }

  // MARK: Shards

  /// Sends a command once all that other shards have of its key is where the key belongs.
  /// - Parameter isWhole: see `ShardMove.gather`.
  func sendGathered(_ request: RedisRequest, _ key: RedisKey, isWhole: Bool) {
    move.gather(key.bytes, isWhole: isWhole) { [unowned self] failure in
      if let failure { request.complete(.failure(failure), from: nil) } else { client.send(request) }
    }
  }

  /// After a move all is written again: a total that has fallen may have met a larger one of its own from before.
  private func moveKeys(_ now: Int64) {
    let wasMoving = move.isMoving
    move.turn(now)
    if wasMoving && !move.isMoving { fullPassAt = min(fullPassAt, max(now, fullPassNotBefore)) }
  }

  // MARK: What others see

  /// What came in a lost server's place, or what it comes back with, may have forgotten what it had answered for.
  private func noteChanges(_ now: Int64) {
    if client.generation == seenGeneration { return }
    seenGeneration = client.generation
    // Where resets are is asked for as soon as a server can tell: one that came before that waits for this agent's next write.
    if resets.last == nil && resets.nextTime != .max { resets.nextTime = now }
    if wasAway { fullPassAt = min(fullPassAt, max(now, fullPassNotBefore)) }
    wasAway = false
  }

  private func publish(_ now: Int64) {
    let wantsFullPass = now >= fullPassAt
    if wantsFullPass {
      fullPassAt = now + store.settings.fullPassInterval
      fullPassNotBefore = now + store.settings.fullPassPause
    }
    let nodes = client.links.filter { !$0.isRetired }
    for link in nodes { tell(link) }
    var troubles = nodes.compactMap { link in link.isReady ? nil : link.trouble.map { "\(link.urlText): \($0)" } }
    if let conflict = client.conflict { troubles.append(conflict) }
    var condition = SharedCondition()
    condition.nodes = nodes.map { ($0.urlText, $0.isReady) }
    condition.troubles = troubles
    (condition.commands, condition.bytesSent) = client.sent
    condition.retries = client.retries
    condition.errors = client.errors
    condition.generation = client.generation
    condition.isMoving = move.isMoving
    condition.movedKeys = move.movedKeys
    let answers = news
    let (taken, isNews) = store.shared.withLock { [answeredAsks, answeredWrites, answeredBytes, condition] shared in
      let hasChanged = shared.condition.generation != condition.generation
      shared.condition = condition
      shared.asking -= answeredAsks
      shared.writes -= answeredWrites
      shared.writeBytes -= answeredBytes
      let hasRoom =
        shared.isRefusing && shared.writes <= RedisStore.writeLimit / 2
        && shared.writeBytes <= RedisStore.writeBytesLimit / 2
      if hasRoom { shared.isRefusing = false }
      let taken = min(answers.count, max(0, RedisStore.newsLimit - shared.news.count))
      shared.news += answers.prefix(taken)
      if wantsFullPass { shared.wantsFullPass = true }
      return (taken, hasRoom || hasChanged || wantsFullPass || taken > 0)
    }
    news.removeFirst(taken)
    (answeredAsks, answeredWrites, answeredBytes) = (0, 0, 0)
    if isNews { store.wake() }
  }

  private func tell(_ link: RedisLink) {
    let isUp = link.isReady
    if link.isKnownUp == isUp || (!isUp && link.trouble == nil) { return }
    if link.isKnownUp == true { wasAway = true }
    link.isKnownUp = isUp
    store.report(isUp ? .up(url: link.urlText) : .down(url: link.urlText, link.trouble ?? ""))
  }

  /// When there is something to do, if nothing comes before.
  private func nextTime(_ now: Int64) -> Int64 {
    if client.generation != seenGeneration { return now }
    let time = min(fullPassAt, move.nextTime(now))
    return hasRoomForNews ? min(time, resets.nextTime) : time
  }
}
