import Aggregation

/// Answers of Redis that may be given again for a while: at most `capacity`, of which the one unused for longest goes first.
///
/// One that is too old is kept until then, for the case that its server is away. A list through an array: each entry knows its
/// neighbours, the one used last is at the head.
/// - Complexity: O(1) each.
struct RedisCache {
  private struct Entry {
    var key: SharedKey
    var holding: SharedHolding
    var until: Int64
    var newer: Int
    var older: Int
  }

  private let ttl: Int64
  private let capacity: Int
  private var entries: [Entry] = []
  private var places: [SharedKey: Int] = [:]
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
  mutating func holding(of key: SharedKey, now: Int64) -> SharedHolding? {
    guard let place = places[key], entries[place].until > now else {
      misses += 1
      return nil
    }
    hits += 1
    unlink(place)
    link(place)
    return entries[place].holding
  }

  /// Keeps an answer.
  mutating func keep(_ holding: SharedHolding, of key: SharedKey, now: Int64) {
    if ttl <= 0 || capacity <= 0 { return }
    remove(key)
    if places.count >= capacity { remove(entries[oldest].key) }
    let entry = Entry(key: key, holding: holding, until: now + ttl, newer: -1, older: -1)
    let place = free.popLast() ?? entries.count
    if place == entries.count { entries.append(entry) } else { entries[place] = entry }
    places[key] = place
    link(place)
  }

  /// An answer is too old now: this agent writes.
  mutating func expire(_ key: SharedKey) {
    if let place = places[key] { entries[place].until = .min }
  }

  /// An answer will do for once more, however old: there is no other.
  mutating func extend(_ key: SharedKey, now: Int64) {
    if let place = places[key] { entries[place].until = now + ttl }
  }

  /// Forgets an answer that is wrong from now on: a reset.
  mutating func remove(_ key: SharedKey) {
    guard let place = places.removeValue(forKey: key) else { return }
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
