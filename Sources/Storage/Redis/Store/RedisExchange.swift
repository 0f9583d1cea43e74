import Aggregation
import Platform
import Synchronization

/// What the Redis thread does: moves what the query thread has left in the queues to the client, and the answers back.
final class RedisExchange {
  let store: RedisStore
  let client: RedisClient
  var pending = PendingSeries()
  /// Tickets by series: those who ask for one that is asked for already share the answer.
  var reading: [RedisSeries: [UInt64]] = [:]
  var news: [RedisNews] = []
  var answered = 0

  /// Of what is due, how many the batch under way still has to send.
  private var toSend = 0
  private var batchBegan = Int64.min / 2
  private var batches: UInt64 = 0
  private var lastBatch: Int64?
  private var batchFailed = false
  private var seenGeneration: UInt64 = 0
  private var retryAt: Int64?
  private var fullPassAt: Int64
  private var fullPassNotBefore: Int64
  /// Whether a server has been lost since the last change.
  private var wasAway = false
  private var knownUp: [RedisURL.Place: Bool] = [:]
  private var refusals: Set<String> = []

  /// Series under way at once: enough to keep servers busy, few enough to be kept for a second try.
  private static let window = 4_096
  /// How long a server that refuses is left alone.
  private static let retryPause: Int64 = 1_000_000_000

  init(_ store: RedisStore, _ client: RedisClient) {
    self.store = store
    self.client = client
    let now = Clock.monotonic()
    fullPassAt = now + store.settings.fullPassInterval
    fullPassNotBefore = now + store.settings.fullPassPause
  }

  func run() {
    while true {
      let deadline = takeWork()
      let now = Clock.monotonic()
      client.turn()
      retry(now)
      write(now, all: deadline != nil)
      // What was given to the client goes out.
      client.turn()
      publish(now)
      if let deadline, now >= deadline || (pending.count == 0 && client.underWay == 0) { return }
      client.wait(until: min(nextTime(now), deadline ?? .max))
    }
  }

  /// - Returns: when to end, if that was asked for.
  private func takeWork() -> Int64? {
    let (updates, asks, deadline) = store.shared.withLock { shared in
      defer {
        shared.condition.pendingSeries += shared.incoming.count
        shared.incoming.removeAll(keepingCapacity: shared.incoming.count <= 4_096)
        shared.asks = []
      }
      return (shared.incoming, shared.asks, shared.closeDeadline)
    }
    for update in updates { pending.put(update) }
    for ask in asks { carryOut(ask) }
    return deadline
  }

  /// What failed is tried again when something has changed, or some time has passed.
  private func retry(_ now: Int64) {
    if client.generation != seenGeneration {
      // What came in its place, or what it comes back with, may have forgotten what it had answered for.
      if wasAway { fullPassAt = min(fullPassAt, max(now, fullPassNotBefore)) }
      wasAway = false
      seenGeneration = client.generation
      pending.retry(.change)
    }
    if !pending.isParked(.time) {
      retryAt = nil
    } else if let time = retryAt {
      if now >= time {
        pending.retry(.time)
        retryAt = nil
      }
    } else {
      retryAt = now + Self.retryPause
    }
  }

  // MARK: Writing

  /// Begins a batch when it is time, and sends of it what there is room for.
  private func write(_ now: Int64, all: Bool) {
    let settings = store.settings
    let isTime = all || pending.dueCount >= settings.batchSize || now >= batchBegan + settings.flushInterval
    if toSend == 0 && pending.dueCount > 0 && isTime {
      toSend = pending.dueCount
      batchBegan = now
      batches += 1
      batchFailed = false
    }
    while toSend > 0 && pending.underWay < Self.window && news.count < RedisStore.newsLimit {
      guard let update = pending.next() else {
        toSend = 0
        break
      }
      toSend -= 1
      send(update)
    }
  }

  private func send(_ update: RedisUpdate) {
    let key = update.series.key(store.settings.prefix)
    let request = RedisRequest(
      RedisScripts.write, key: key, at: KeyPlace(of: key), store.agent, Array("\(update.total)".utf8),
      Array("\(update.base)".utf8), Array((update.claims ? "1" : "0").utf8)
    ) { [unowned self] result, _ in
      switch result {
      case .success(let reply): written(update, reply)
      case .failure(let failure): failed(update, failure)
      }
      if toSend == 0 && pending.underWay == 0 && !batchFailed { lastBatch = Clock.wall() }
    }
    client.send(request)
  }

  private func written(_ update: RedisUpdate, _ reply: RESPValue) {
    pending.written(update.series)
    store.shared.withLock { $0.cache.remove(update.series) }
    let numbers = reply.elements?.map { $0.text.flatMap(SharedNumber.init) }
    guard let numbers, numbers.count == 2, let total = numbers[0], let base = numbers[1] else { return }
    if total != update.total || base != update.base { news.append(.corrected(update.series, total: total, base: base)) }
  }

  private func failed(_ update: RedisUpdate, _ failure: RedisFailure) {
    batchFailed = true
    if case .unavailable = failure {
      pending.failed(update.series, until: .change)
    } else {
      pending.failed(update.series, until: .time)
    }
    note(failure)
  }

  /// Tells an operator of a refusal, each once; few texts vary.
  func note(_ failure: RedisFailure) {
    guard case .refused(let text) = failure, refusals.count < 64, refusals.insert(text).inserted else { return }
    store.report(.refused(text))
  }

  // MARK: What others see

  private func publish(_ now: Int64) {
    if now >= fullPassAt {
      fullPassAt = now + store.settings.fullPassInterval
      fullPassNotBefore = now + store.settings.fullPassPause
      store.shared.withLock { $0.wantsFullPass = true }
      store.wake()
    }
    let nodes = client.links.filter { !$0.isRetired }
    for link in nodes { tell(link) }
    var troubles = nodes.compactMap { link in link.isReady ? nil : link.trouble.map { "\(link.url): \($0)" } }
    if let conflict = client.conflict { troubles.append(conflict) }
    let sent = client.sent
    let isNews = store.shared.withLock { shared in
      shared.condition.nodes = nodes.map { ("\($0.url)", $0.isReady) }
      shared.condition.troubles = troubles
      shared.condition.pendingSeries = pending.count
      (shared.condition.commands, shared.condition.bytesSent) = sent
      shared.condition.retries = client.retries
      shared.condition.errors = client.errors
      shared.condition.batches = batches
      shared.condition.lastBatch = lastBatch
      shared.asking -= answered
      let hasRoom = shared.isRefusing && pending.count <= store.settings.pendingLimit / 2
      if hasRoom { shared.isRefusing = false }
      let room = max(0, RedisStore.newsLimit - shared.news.count)
      shared.news += news.prefix(room)
      let hasCome = hasRoom || !news.isEmpty
      news.removeFirst(min(room, news.count))
      return hasCome
    }
    answered = 0
    if isNews { store.wake() }
  }

  private func tell(_ link: RedisLink) {
    let isUp = link.isReady
    let known = knownUp[link.url.place]
    if known == isUp || (!isUp && link.trouble == nil) { return }
    knownUp[link.url.place] = isUp
    if known == true { wasAway = true }
    store.report(isUp ? .up(url: "\(link.url)") : .down(url: "\(link.url)", link.trouble ?? ""))
  }

  /// When there is something to do, if nothing comes before.
  private func nextTime(_ now: Int64) -> Int64 {
    var time = fullPassAt
    if pending.dueCount > 0 && toSend == 0 { time = min(time, batchBegan + store.settings.flushInterval) }
    if let retryAt { time = min(time, retryAt) }
    if pending.isParked(.time) && retryAt == nil { time = min(time, now + Self.retryPause) }
    if client.generation != seenGeneration { time = now }
    return time
  }
}
