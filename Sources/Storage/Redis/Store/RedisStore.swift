import Aggregation
import Platform

/// Redis as the store that several agents share, and the queues between the query thread and the Redis thread, which does all that may
/// take time.
///
///     query thread                       Redis thread (`run`)
///     write ─────────▶ incoming ───────▶ one command each, sent at once, many under way
///     read, reset ───▶ asks ───────────▶ HGETALL or GET, script
///     takeNews ◀────── news ◀─────────── answers by ticket; what other agents have reset
///     cached ◀──────── RedisCache
///
/// The layout, for people with `redis-cli`. `PREFIX` is `--redis-prefix`, an agent's name 32 hexadecimal digits, dates and hours are UTC's
/// (ISO 8601):
///
/// | key                                       | type        | field               | value                                    | expires |
/// |-------------------------------------------|-------------|---------------------|------------------------------------------|---------|
/// | `PREFIX{visit\|page=page1}`               | hash        | `<agent>`           | that agent's running total, in decimal   | never   |
/// |                                           |             | `<agent>.base`      | its total at the last reset; missing: 0  |         |
/// |                                           |             | `<agent>.run`       | its run that wrote this first, until it writes again | |
/// | `PREFIX{visit}`                           | hash        | the same            | of the whole metric                      | never   |
/// | `PREFIX{visit}:hours:2026-11-21`          | hash        | `<agent>.14`        | its count of the hour from 14:00         | 9 days  |
/// | `PREFIX{visit}:minutes:2026-11-21T14`     | hash        | `<agent>.37`        | its count of the minute 14:37            | 26 h    |
/// | `PREFIX{users}:members:2026-11-21T14`     | HyperLogLog |                     | all agents' members of a set             | 9 days  |
/// | `PREFIX{latency}:samples:2026-11-21T14`   | hash        | `<agent>.count`, `.sum`, `.min`, `.max` | of a timer           | 9 days  |
/// |                                           |             | `<agent>.<bucket>`  | the weight of a bucket (`SketchBucket`)  |         |
/// | `PREFIXresets`                            | stream      | `agent`, `kind`, `tag` | who has reset what                    | trimmed |
/// | `PREFIXshards`                            | string      |                     | of shards: their list (`ShardMarker`)    | never   |
///
/// A count is the sum of totals less the sum of bases, `redis-cli HGETALL 'footfall:{visit|page=page1}'`. What stands between the braces
/// is a `SharedKey`'s tag; how kinds of one name are told apart, `RedisKey` says. Only its owner writes a total, a base its owner and
/// whoever resets (`RedisScripts`). Since all that is written is absolute, to write twice is to write once, and what a server forgot the
/// next write brings back.
///
/// Everything but `run` may be called from any thread and never blocks for longer than it takes to move a few references. All queues are
/// bounded: what finds no room is told so. Nothing is kept of a write that fails.
package final class RedisStore: Sendable {
  struct Shared {
    var incoming: [SharedWrite] = []
    /// Writes without an answer, and their bytes.
    var writes = 0
    var writeBytes = 0
    var asks: [Ask] = []
    /// Asks without an answer.
    var asking = 0
    var news: [SharedNews] = []
    var cache: RedisCache
    var condition = SharedCondition()
    var isRefusing = false
    var wantsFullPass = false
    var closeDeadline: Int64?
  }

  /// What wants an answer.
  enum Ask: Sendable {
    case read(SharedKey, ticket: UInt64)
    case reset(SharedKey, own: SharedNumber?, ticket: UInt64)
  }

  let settings: RedisSettings
  let agent: [UInt8]
  /// Tells this run of the agent from those before it.
  let runName: [UInt8]
  let shared: Guarded<Shared>
  let wakeUp: WakeUp
  let wake: @Sendable () -> Void
  let report: @Sendable (RedisEvent) -> Void

  /// Writes that may wait for an answer, and what they may take together: a set's members are some thousand bytes.
  static let writeLimit = 16_384
  static let writeBytesLimit = 16 << 20
  /// Asks that may wait for an answer.
  static let askLimit = 8_192
  /// News that the query thread has not fetched: beyond, nothing is written.
  static let newsLimit = 16_384

  /// - Parameters:
  ///   - agent: this agent's name, the same over all its starts: a field of its own in every hash. Without a dot.
  ///   - wake: called by the Redis thread when there is news, room again, a wish for a full pass, or another `generation`.
  ///   - report: called by the Redis thread with what an operator should know.
  package init(
    _ settings: RedisSettings, agent: String, wake: @escaping @Sendable () -> Void,
    report: @escaping @Sendable (RedisEvent) -> Void
  ) throws(SystemError) {
    self.settings = settings
    self.agent = Array(agent.utf8)
    // No number, lest somebody add it up.
    runName = Array("r\(String(UInt32.random(in: .min ... .max), radix: 16))".utf8)
    self.wake = wake
    self.report = report
    shared = Guarded(Shared(cache: RedisCache(ttl: settings.cacheTTL, capacity: settings.cacheCapacity)))
    wakeUp = try WakeUp()
  }

  // MARK: Any thread

  /// Takes a write, which is sent as soon as may be. The answer comes as news, with its ticket: `written`, `rebased`, `found` or
  /// `unwritten`.
  /// - Returns: false if too many wait already: `wake` is called when there is room.
  package func write(_ write: SharedWrite) -> Bool {
    let (isTaken, isFirst) = shared.withLock { shared in
      if shared.writes >= Self.writeLimit || shared.writeBytes >= Self.writeBytesLimit {
        shared.isRefusing = true
        return (false, false)
      }
      shared.cache.expire(write.key)
      shared.incoming.append(write)
      shared.writes += 1
      shared.writeBytes += write.size
      return (true, shared.incoming.count == 1)
    }
    if isFirst { wakeUp.signal() }
    return isTaken
  }

  /// What was held under a key a short while ago; nil: ask with `read`.
  ///
  /// After a read has failed because the server is away, what the last one found is given again for as long once more, old as it is.
  package func cached(_ key: SharedKey) -> SharedHolding? {
    let now = Clock.monotonic()
    return shared.withLock { $0.cache.holding(of: key, now: now) }
  }

  /// Asks for what is held under a key. The answer comes as news, with the ticket: `holding` or `failed`.
  /// - Returns: false if too many asks wait already.
  package func read(_ key: SharedKey, ticket: UInt64) -> Bool { ask(.read(key, ticket: ticket)) }

  /// Writes this agent's total of a key, unless that is nil, and sets the base of every agent to its total. The answer comes as news,
  /// with the ticket: `reset`, `failed` or `unanswered`. Other agents learn of it as `resetElsewhere`.
  /// - Returns: false if too many asks wait already.
  package func reset(_ key: SharedKey, own: SharedNumber?, ticket: UInt64) -> Bool {
    ask(.reset(key, own: own, ticket: ticket))
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
  package func takeNews() -> [SharedNews] {
    let (news, wasFull) = shared.withLock { shared in
      defer { shared.news = [] }
      return (shared.news, shared.news.count >= Self.newsLimit)
    }
    if wasFull { wakeUp.signal() }
    return news
  }

  /// Whether everything should be written, changed or not: every few minutes, and when a server was away. Asked once, it is done.
  package func takeFullPass() -> Bool {
    shared.withLock { shared in
      defer { shared.wantsFullPass = false }
      return shared.wantsFullPass
    }
  }

  /// Writes without an answer.
  var pendingWrites: Int { shared.withLock { $0.writes } }

  /// How the store is.
  package var condition: SharedCondition {
    shared.withLock { shared in
      var condition = shared.condition
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

/// What an operator should know of Redis.
package enum RedisEvent: Equatable, Sendable {
  /// A server can be used, for the first time or again.
  case up(url: String)
  /// A server cannot be used, and why.
  case down(url: String, String)
  /// A server refused a command for good, which is told once for each text.
  case refused(String)
  /// Keys are being taken to the shards that have them by the list of shards as it is now.
  case moveBegan
  /// Every key is where it belongs; so many were not.
  case moveEnded(keys: UInt64)
  /// A shard is no longer in the list, and what it still holds is not counted: it should be listed with a weight of 0 first.
  case shardGone(url: String)
  /// The store cannot even begin.
  case stopped(SystemError)
}
