import Aggregation
import Platform
import Synchronization

/// Redis as the store that several agents share, and the queues between the query thread and the Redis thread, which does all that may
/// take time.
///
///     query thread                       Redis thread (`run`)
///     submit ────────▶ incoming ───────▶ PendingSeries: each changed series once, written in batches
///     read, reset ───▶ asks ───────────▶ HGETALL, script
///     nextNews ◀────── news ◀─────────── answers by ticket; what the store knew better
///     cached ◀──────── RedisCache
///
/// The layout, for people with `redis-cli` (`PREFIX` is `--redis-prefix`, an agent's name 32 hexadecimal digits):
///
/// | key                                 | type | field          | value                                             |
/// |-------------------------------------|------|----------------|---------------------------------------------------|
/// | `PREFIX{metric\|label=value,…}`     | hash | `<agent>`      | that agent's running total, in decimal            |
/// |                                     |      | `<agent>.base` | its total at the last reset; missing: 0           |
///
/// A series' count is the sum of totals less the sum of bases, `redis-cli HGETALL 'footfall:{visit|page=page1}'`. Within names and values
/// `\` stands before `\`, `,`, `=` and `|` (`RedisSeries`). Only its owner writes a total, a base its owner and whoever resets
/// (`RedisScripts`). Since totals are absolute, to write twice is to write once, and what a server forgot the next write brings back.
///
/// Everything but `run` may be called from any thread and never blocks for longer than it takes to move a few references. All queues are
/// bounded: what finds no room is told so.
package final class RedisStore: Sendable {
  struct Shared {
    var incoming: [RedisUpdate] = []
    var asks: [Ask] = []
    /// Asks without an answer.
    var asking = 0
    var news: [RedisNews] = []
    var cache: RedisCache
    var condition = RedisCondition()
    var isRefusing = false
    var wantsFullPass = false
    var closeDeadline: Int64?
  }

  /// What wants an answer.
  enum Ask: Sendable {
    case read(RedisSeries, ticket: UInt64)
    case reset(RedisSeries, total: SharedNumber, ticket: UInt64)
  }

  let settings: RedisSettings
  let agent: [UInt8]
  let shared: Mutex<Shared>
  let wakeUp: WakeUp
  let wake: @Sendable () -> Void
  let report: @Sendable (RedisEvent) -> Void

  /// Asks that may wait for an answer.
  static let askLimit = 8_192
  /// News that the query thread has not fetched: beyond, nothing is written.
  static let newsLimit = 16_384

  /// - Parameters:
  ///   - agent: this agent's name, the same over all its starts: a field of its own in every series.
  ///   - wake: called by the Redis thread when there is news, room again, or a wish for a full pass.
  ///   - report: called by the Redis thread with what an operator should know.
  package init(
    _ settings: RedisSettings, agent: String, wake: @escaping @Sendable () -> Void,
    report: @escaping @Sendable (RedisEvent) -> Void
  ) throws(SystemError) {
    self.settings = settings
    self.agent = Array(agent.utf8)
    self.wake = wake
    self.report = report
    shared = Mutex(Shared(cache: RedisCache(ttl: settings.cacheTTL, capacity: settings.cacheCapacity)))
    wakeUp = try WakeUp()
  }

  // MARK: Any thread

  /// Takes what a series is now, in the place of what was submitted of it and is not yet written.
  /// - Returns: false if too many series wait already: `wake` is called when there is room. Submit its newest state then.
  package func submit(_ update: RedisUpdate) -> Bool {
    let (isTaken, isFirst) = shared.withLock { shared in
      if shared.incoming.count + shared.condition.pendingSeries >= settings.pendingLimit {
        shared.isRefusing = true
        return (false, false)
      }
      shared.cache.remove(update.series)
      shared.incoming.append(update)
      return (true, shared.incoming.count == 1)
    }
    if isFirst { wakeUp.signal() }
    return isTaken
  }

  /// What Redis held of a series a short while ago; nil: ask with `read`.
  package func cached(_ series: RedisSeries) -> RedisCount? {
    let now = Clock.monotonic()
    return shared.withLock { $0.cache.count(of: series, now: now) }
  }

  /// Asks for all agents' totals of a series. The answer comes as news, with the ticket.
  /// - Returns: false if too many asks wait already.
  package func read(_ series: RedisSeries, ticket: UInt64) -> Bool { ask(.read(series, ticket: ticket)) }

  /// Writes this agent's total of a series and sets the base of every agent to its total. The answer comes as news, with the ticket.
  /// - Returns: false if too many asks wait already.
  package func reset(_ series: RedisSeries, total: SharedNumber, ticket: UInt64) -> Bool {
    ask(.reset(series, total: total, ticket: ticket))
  }

  private func ask(_ ask: Ask) -> Bool {
    let isTaken = shared.withLock { shared in
      if shared.asking >= Self.askLimit { return false }
      shared.asking += 1
      shared.asks.append(ask)
      return true
    }
    if isTaken { wakeUp.signal() }
    return isTaken
  }

  /// All that has come since the last call, in order.
  package func takeNews() -> [RedisNews] {
    let (news, wasFull) = shared.withLock { shared in
      defer { shared.news = [] }
      return (shared.news, shared.news.count >= Self.newsLimit)
    }
    if wasFull { wakeUp.signal() }
    return news
  }

  /// Whether every series should be submitted, changed or not: every few minutes, and when a server was away. Asked once, it is done.
  package func takeFullPass() -> Bool {
    shared.withLock { shared in
      defer { shared.wantsFullPass = false }
      return shared.wantsFullPass
    }
  }

  /// How the store is.
  package var condition: RedisCondition {
    shared.withLock { shared in
      var condition = shared.condition
      condition.pendingSeries += shared.incoming.count
      condition.cacheHits = shared.cache.hits
      condition.cacheMisses = shared.cache.misses
      condition.cacheSize = shared.cache.count
      return condition
    }
  }

  /// Asks `run` to write what is there and to return, at the latest after `nanoseconds`.
  package func close(within nanoseconds: Int64) {
    shared.withLock { $0.closeDeadline = Clock.monotonic() + nanoseconds }
    wakeUp.signal()
  }

  // MARK: The Redis thread

  /// Writes and reads until `close`. The body of the Redis thread.
  package func run() {
    do throws(SystemError) {
      let client = try RedisClient(settings, wakeUp: wakeUp, prelude: RedisScripts.loading)
      RedisExchange(self, client).run()
    } catch { report(.stopped(error)) }
  }
}

/// What the query thread learns of Redis.
package enum RedisNews: Equatable, Sendable {
  /// The answer to `read`. `served` names the server: `redis`, or `redis_<port>` where there are several.
  case count(ticket: UInt64, RedisCount, served: String)
  /// The answer to `reset`: all bases are set.
  case reset(ticket: UInt64, served: String)
  /// The answer to either: it could not be done, and why.
  case failed(ticket: UInt64, String)
  /// Redis knows better: a larger total of this agent from before its start, a base that somebody's reset has set. To be taken over.
  case corrected(RedisSeries, total: SharedNumber, base: SharedNumber)
}

/// How the store is, for `/health`, `/status` and `/metrics`.
package struct RedisCondition: Sendable {
  /// The servers by their URLs, those of a Cluster that were learned included, and whether each can be used.
  package var nodes: [(url: String, isUp: Bool)] = []
  /// Why something does not work; empty: everything does.
  package var troubles: [String] = []
  package var pendingSeries = 0
  /// Commands and bytes sent.
  package var commands: UInt64 = 0
  package var bytesSent: UInt64 = 0
  /// Commands sent once more.
  package var retries: UInt64 = 0
  /// Commands that a server refused for good.
  package var errors: UInt64 = 0
  package var batches: UInt64 = 0
  /// When the last batch was written whole, in nanoseconds since 1970; nil: none was.
  package var lastBatch: Int64?
  package var cacheHits: UInt64 = 0
  package var cacheMisses: UInt64 = 0
  package var cacheSize = 0
}

/// What an operator should know of Redis.
package enum RedisEvent: Equatable, Sendable {
  /// A server can be used, for the first time or again.
  case up(url: String)
  /// A server cannot be used, and why.
  case down(url: String, String)
  /// A server refused a command for good, which is told once for each text.
  case refused(String)
  /// The store cannot even begin.
  case stopped(SystemError)
}
