import Aggregation
/// Answers of Redis that may be given again for a while: at most `capacity`, of which the one unused for longest goes first.
///
/// A list through an array: each entry knows its neighbours, the one used last is at the head.
/// - Complexity: O(1) each, but for `removeAll`.
struct RedisCache {
  private struct Entry {
    var series: RedisSeries
    var count: RedisCount
    var until: Int64
    var newer: Int
    var older: Int
  }

  private let ttl: Int64
  private let capacity: Int
  private var entries: [Entry] = []
  private var places: [RedisSeries: Int] = [:]
  private var free: [Int] = []
  private var newest = -1
  private var oldest = -1
  private(set) var hits: UInt64 = 0
  private(set) var misses: UInt64 = 0

  /// - Parameter ttl: nanoseconds; 0 keeps nothing.
  init(ttl: Int64, capacity: Int) {
    self.ttl = ttl
    self.capacity = capacity
  }

  var count: Int { places.count }

  /// An answer that is not too old.
  mutating func count(of series: RedisSeries, now: Int64) -> RedisCount? {
    guard let place = places[series], entries[place].until > now else {
      remove(series)
      misses += 1
      return nil
    }
    hits += 1
    unlink(place)
    link(place)
    return entries[place].count
  }

  /// Keeps an answer.
  mutating func keep(_ count: RedisCount, of series: RedisSeries, now: Int64) {
    if ttl <= 0 || capacity <= 0 { return }
    remove(series)
    if places.count >= capacity { remove(entries[oldest].series) }
    let entry = Entry(series: series, count: count, until: now + ttl, newer: -1, older: -1)
    let place = free.popLast() ?? entries.count
    if place == entries.count { entries.append(entry) } else { entries[place] = entry }
    places[series] = place
    link(place)
  }

  /// Forgets an answer that is no longer true.
  mutating func remove(_ series: RedisSeries) {
    guard let place = places.removeValue(forKey: series) else { return }
    unlink(place)
    free.append(place)
  }

  private mutating func link(_ place: Int) {
    entries[place].newer = -1
    entries[place].older = newest
    if newest >= 0 { entries[newest].newer = place } else { oldest = place }
    newest = place
  }

  private mutating func unlink(_ place: Int) {
    let (newer, older) = (entries[place].newer, entries[place].older)
    if newer >= 0 { entries[newer].older = older } else { newest = older }
    if older >= 0 { entries[older].newer = newer } else { oldest = newer }
  }
}
