import Aggregation
import HTTPQuery
import Platform
import Storage

/// What a running program shares with others through Redis: its name among them, its thread, and what the query thread knows of it.
///
/// The query thread may hold `store` from the beginning; nothing is read or written before `start`. So one that takes over writes only
/// after the one before it, whose name it bears, has written for the last time.
struct Sharing {
  private let redis: RedisStore
  private let flushInterval: Int64
  private let batchSize: Int

  /// What Redis may take of the end of a run, which is over within 5 s.
  private static let patience: Int64 = 500_000_000

  /// - Parameters:
  ///   - password: of servers whose URL has none.
  ///   - agent: the same over all starts on one state directory.
  ///   - wake: called when the query thread should look at its store.
  /// - Returns: nil: no Redis is asked for.
  init?(
    _ configuration: Configuration, password: String?, agent: @autoclosure () -> AgentID, _ log: Log,
    wake: @escaping @Sendable () -> Void
  ) throws(SystemError) {
    guard let settings = RedisSettings(configuration, password: password) else { return nil }
    let agent = agent().description
    let servers = settings.urls.map(\.description).joined(separator: ",")
    log.info("sharing counts", ["agent": .text(agent), "redis": .text(servers), "prefix": .text(settings.prefix)])
    let teller = RedisTeller(log)
    redis = try RedisStore(settings, agent: agent, wake: wake, report: { teller.tell($0) })
    flushInterval = configuration.redisFlushInterval.nanoseconds
    batchSize = configuration.redisBatchSize
  }

  /// Starts the Redis thread.
  func start() throws(SystemError) -> Thread {
    let redis = redis
    return try Thread("redis") {
      // Datagrams that nobody takes in time are lost; what goes to Redis waits.
      Thread.standBack()
      redis.run()
    }
  }

  /// Asks the Redis thread to write what it has, and to end soon.
  func close() { redis.close(within: Self.patience) }

  /// What the query thread asks.
  var store: SharedStore {
    let redis = redis
    return SharedStore(
      flushInterval: flushInterval, batchSize: batchSize, write: { redis.write($0) },
      read: { redis.read($0, ticket: $1) }, reset: { redis.reset($0, own: $1, ticket: $2) },
      cached: { redis.cached($0) }, takeNews: { redis.takeNews() }, takeFullPass: { redis.takeFullPass() },
      condition: { redis.condition })
  }
}

/// Tells the log of servers: of one that comes and goes all the time a few times a minute.
private final class RedisTeller: Sendable {
  private static let minute: Int64 = 60_000_000_000
  private static let linesAMinute = 10

  private struct Minute {
    var since: Int64
    var lines = 0
  }

  private let log: Log
  /// By server.
  private let minutes = Guarded<[String: Minute]>([:])

  init(_ log: Log) { self.log = log }

  func tell(_ event: RedisEvent) {
    switch event {
    case .up(let url): tell(of: url) { log.info("redis is there", ["node": .text(url)]) }
    case .down(let url, let why):
      tell(of: url) { log.warning("redis is away; counts go on in memory", ["node": .text(url), "fault": .text(why)]) }
    case .refused(let text): log.error("redis refuses a command", ["fault": .text(text)])
    case .moveBegan: log.info("the list of shards has changed: keys move to where they belong")
    case .moveEnded(let keys): log.info("keys are where they belong", ["moved": .integer(Int(clamping: keys))])
    case .shardGone(let url):
      log.warning(
        "a shard is listed no more, and what it holds is not counted; list it with ?weight=0 until its keys have moved",
        ["node": .text(url)])
    case .stopped(let error): log.error("nothing is shared: redis cannot be spoken to", ["fault": .text(error)])
    }
  }

  private func tell(of url: String, _ line: () -> Void) {
    let now = Clock.monotonic()
    let lines = minutes.withLock { minutes in
      var minute = minutes[url] ?? Minute(since: now)
      if now - minute.since > Self.minute { minute = Minute(since: now) }
      minute.lines += 1
      minutes[url] = minute
      return minute.lines
    }
    if lines <= Self.linesAMinute { line() }
    if lines == Self.linesAMinute {
      log.warning("redis comes and goes; no more of that for a minute", ["node": .text(url)])
    }
  }
}

extension RedisSettings {
  /// What the options say; nil: no server is named.
  ///
  /// - Parameter password: of servers whose URL has none.
  init?(_ configuration: Configuration, password: String?) {
    self.init(urls: configuration.shards + configuration.redisCluster)
    if urls.isEmpty { return nil }
    isCluster = !configuration.redisCluster.isEmpty
    for place in urls.indices where urls[place].password == nil { urls[place].password = password }
    prefix = configuration.redisPrefix
    timeout = configuration.redisTimeout.nanoseconds
    retries = configuration.redisRetries
    cacheTTL = configuration.cacheTTL.nanoseconds
    cacheCapacity = configuration.cacheCapacity
    virtualNodes = configuration.virtualNodes
  }
}
