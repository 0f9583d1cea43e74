import Aggregation
/// What an agent has counted of one series: absolute, so that an update that is newer makes up for all before it.
package struct RedisUpdate: Equatable, Sendable {
  package var series: RedisSeries
  package var total: SharedNumber
  /// What a reset has set.
  package var base: SharedNumber
  /// Whether a larger total that is there wins: at the first write of a series after a start.
  package var claims: Bool

  package init(_ series: RedisSeries, total: SharedNumber, base: SharedNumber = .zero, claims: Bool = false) {
    self.series = series
    self.total = total
    self.base = base
    self.claims = claims
  }
}

/// Series that are not yet written as they are now. Each is here once, however often it changes:
///
///     put ──▶ due ──next──▶ under way ──written──▶ gone, or due again if it has changed meanwhile
///              ▲                │ failed
///              └──── retry ── parked: until a server is back, or until some time has passed
struct PendingSeries {
  /// What a series that failed waits for.
  enum Patience { case change, time }

  private struct Entry {
    var update: RedisUpdate
    var isUnderWay = false
    var hasChanged = false
  }

  private var entries: [RedisSeries: Entry] = [:]
  private var due = Queue<RedisSeries>()
  private var parked: [Patience: [RedisSeries]] = [.change: [], .time: []]
  private(set) var underWay = 0

  /// All of them.
  var count: Int { entries.count }
  var dueCount: Int { due.count }
  func isParked(_ patience: Patience) -> Bool { parked[patience]?.isEmpty == false }
  func isUnderWay(_ series: RedisSeries) -> Bool { entries[series]?.isUnderWay == true }

  /// Notes the newest state of a series.
  mutating func put(_ update: RedisUpdate) {
    guard var entry = entries[update.series] else {
      entries[update.series] = Entry(update: update)
      due.append(update.series)
      return
    }
    // Nothing has been claimed until a write that claims is done.
    let claims = entry.update.claims || update.claims
    entry.update = update
    entry.update.claims = claims
    entry.hasChanged = entry.isUnderWay
    entries[update.series] = entry
  }

  /// The next that is due, which is under way from now on.
  mutating func next() -> RedisUpdate? {
    guard let series = due.popFirst(), var entry = entries[series] else { return nil }
    entry.isUnderWay = true
    entry.hasChanged = false
    entries[series] = entry
    underWay += 1
    return entry.update
  }

  /// The write of a series is done. What has changed meanwhile is due, and has nothing to claim any more.
  mutating func written(_ series: RedisSeries) {
    guard var entry = entries[series], entry.isUnderWay else { return }
    underWay -= 1
    if !entry.hasChanged {
      entries[series] = nil
      return
    }
    entry.isUnderWay = false
    entry.hasChanged = false
    entry.update.claims = false
    entries[series] = entry
    due.append(series)
  }

  /// The write of a series has failed.
  mutating func failed(_ series: RedisSeries, until patience: Patience) {
    guard entries[series]?.isUnderWay == true else { return }
    underWay -= 1
    entries[series]?.isUnderWay = false
    entries[series]?.hasChanged = false
    parked[patience]?.append(series)
  }

  /// What was parked is due again.
  mutating func retry(_ patience: Patience) {
    for series in parked[patience] ?? [] { due.append(series) }
    parked[patience] = []
  }
}
