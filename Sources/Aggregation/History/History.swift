import Platform

/// What every family and every series has counted over the last 168 hours, within a budget of memory.
///
///     count ─▶ entry: the open second ─▶ seconds ─▶ minutes ─▶ hours ─▶ gone
///                │                       600 s      25 h       168 h
///                └▶ blobs (sketches, members): minutes of an hour ─▶ hours
///
/// The buckets are those of the time of day. When the clock is set back, counts go to the buckets of that time, which are there
/// already; when it is set forward, what is older than 168 hours by the new time goes. No count is in two buckets.
///
/// Families and series are kept alike, each with a list in the order of their last counts. When the budget is used up, the series
/// at the end of its list gives all it has; a family only when no series is left. A series that has none gets one then only if the last
/// of the list was not counted for a minute: else a million series that count every second would take it from each other for ever.
/// - Complexity: a count O(1); one whose second is not the newest O(runs of the track), some 60 for minutes of a day.
struct History: ~Copyable {
  /// Seconds without a count after which a series gives way to one that has no history yet.
  private static let quietSeconds: Int64 = 60

  var arena: HistoryArena
  var clock = HistoryClock()
  /// Entries by the numbers of families and of series; 0: none.
  let families: ReservedArray<UInt32>
  let series: ReservedArray<UInt32>
  /// Numbers below are in use or were; what a table of entries has touched.
  private var familiesKnown = 0
  private var seriesKnown = 0

  /// By list, 0 of families, 1 of series: those counted last, and those counted longest ago.
  var newest = InlineArray<2, UInt32>(repeating: 0)
  var oldest = InlineArray<2, UInt32>(repeating: 0)
  private var held = InlineArray<2, Int>(repeating: 0)
  /// The entry in hand, which does not give way to itself.
  var inHand: UInt32 = 0

  /// Series and families that gave way.
  var evictions: UInt64 = 0
  /// Counts that found no room: they are in the totals only.
  var misfits: UInt64 = 0
  /// Runs became so many that the oldest may be due.
  var isAging = false

  var folding: [HistoryPoint] = []
  var inserting: [HistoryPoint] = []
  var blobScratch: [UInt8] = []

  /// An empty history.
  /// - Parameters:
  ///   - byteLimit: what it may take, with the 4 bytes that lead from each series and family to its entry.
  ///   - capacity: numbers of series, and of families.
  ///   - expected: series that are likely at most, for whose links room is spared.
  init(byteLimit: Int, capacity: Int, expected: Int = 0) throws(SystemError) {
    // All that can fail comes before the first member is set.
    let arena = try HistoryArena(limit: byteLimit, spare: min(8 * expected, byteLimit / 8))
    let families = try ReservedArray<UInt32>(capacity: capacity)
    let series = try ReservedArray<UInt32>(capacity: capacity)
    self.arena = arena
    self.families = families
    self.series = series
  }

  var byteCount: Int { arena.byteCount }
  /// Bytes of memory that it keeps from others: of slots in use and of those that were.
  var touchedBytes: Int { arena.touchedBytes }
  var seriesHeld: Int { held[1] }
  var familiesHeld: Int { held[0] }

  /// Whose history it is.
  enum Owner {
    case family(FamilyID)
    case series(SeriesID)

    var isFamily: Bool { if case .family = self { true } else { false } }
  }

  // MARK: Counting

  /// Adds what was counted at a second since 1970.
  mutating func add(_ amount: HistoryAmount, at second: UInt32, to owner: Owner, isTimer: Bool) {
    guard let entry = entryToCount(owner, isTimer: isTimer) else { return }
    if _fastPath(entry.openSecond == second) {
      var open = entry.open
      open.add(amount)
      entry.open = open
      return
    }
    take(amount, at: second, entry)
    if isAging { age(entry) }
  }

  private mutating func take(_ amount: HistoryAmount, at second: UInt32, _ entry: HistoryEntry) {
    let open = entry.openSecond
    // What lies ahead of the clock would keep the seconds that come from being the open one.
    if open > second || second > clock.wall && open != 0 { return place(amount, at: second, entry) }
    let sealed = entry.open
    entry.openSecond = second
    entry.open = amount
    if open != 0 && !sealed.isZero { place(sealed, at: open, entry) }
  }

  /// The entry, now the last counted of its list; nil if there is none and no room for one.
  mutating func entryToCount(_ owner: Owner, isTimer: Bool) -> HistoryEntry? {
    var number = number(of: owner)
    if _slowPath(number == 0) {
      number = make(owner, isTimer: isTimer)
      if number == 0 { return nil }
    }
    inHand = number
    let entry = entry(number)
    moveToFront(entry)
    return entry
  }

  /// The entry of an owner, for reading.
  func entry(of owner: Owner) -> HistoryEntry? {
    let number = number(of: owner)
    return number == 0 ? nil : entry(number)
  }

  @inline(__always)
  func entry(_ number: UInt32) -> HistoryEntry { HistoryEntry(number, arena[number]) }

  /// Keeps an entry from giving way to its own growth.
  mutating func takeInHand(_ entry: HistoryEntry) { inHand = entry.number }

  /// Forgets what was counted: its owner has left.
  mutating func remove(_ owner: Owner) {
    let number = number(of: owner)
    if number != 0 { free(entry(number)) }
  }

  @inline(__always)
  private func number(of owner: Owner) -> UInt32 {
    switch owner {
    case .family(let id): families[Int(id)]
    case .series(let id): series[Int(id)]
    }
  }

  private mutating func make(_ owner: Owner, isTimer: Bool) -> UInt32 {
    let list = owner.isFamily ? 0 : 1
    if arena.isFull && list == 1 && oldest[1] != 0 && clock.second - entry(oldest[1]).touched < Self.quietSeconds {
      misfits += 1
      return 0
    }
    inHand = 0
    guard let number = allocate() else { return 0 }
    let entry = entry(number)
    switch owner {
    case .family(let id):
      entry.begin(owner: id, isFamily: true, isTimer: isTimer)
      families[Int(id)] = number
      familiesKnown = max(familiesKnown, Int(id) + 1)
    case .series(let id):
      entry.begin(owner: id, isFamily: false, isTimer: isTimer)
      series[Int(id)] = number
      seriesKnown = max(seriesKnown, Int(id) + 1)
    }
    arena.bytesElsewhere = MemoryLayout<UInt32>.stride * (familiesKnown + seriesKnown)
    held[list] += 1
    push(entry)
    return number
  }

  // MARK: Who gives way

  /// A slot, at the cost of whoever was not counted for longest; nil if only the entry in hand is left.
  mutating func allocate() -> UInt32? {
    while true {
      if let number = arena.allocate() { return number }
      guard let victim = victim else {
        misfits += 1
        return nil
      }
      evictions += 1
      free(entry(victim))
    }
  }

  var victim: UInt32? {
    if oldest[1] != 0 && oldest[1] != inHand { return oldest[1] }
    // A series does not take a family's.
    if inHand != 0 && !entry(inHand).isFamily { return nil }
    return oldest[0] != 0 && oldest[0] != inHand ? oldest[0] : nil
  }

  /// Gives back all that an entry has, and itself.
  mutating func free(_ entry: HistoryEntry) {
    clear(entry)
    if entry.isFamily { families[Int(entry.owner)] = 0 } else { series[Int(entry.owner)] = 0 }
    held[entry.isFamily ? 0 : 1] -= 1
    unlink(entry)
    if inHand == entry.number { inHand = 0 }
    arena.release(entry.number)
  }

  private mutating func moveToFront(_ entry: HistoryEntry) {
    if newest[entry.isFamily ? 0 : 1] != entry.number {
      unlink(entry)
      push(entry)
    }
    entry.touched = clock.second
  }

  private mutating func push(_ entry: HistoryEntry) {
    let list = entry.isFamily ? 0 : 1
    entry.older = newest[list]
    entry.newer = 0
    if newest[list] == 0 { oldest[list] = entry.number } else { self.entry(newest[list]).newer = entry.number }
    newest[list] = entry.number
  }

  private mutating func unlink(_ entry: HistoryEntry) {
    let list = entry.isFamily ? 0 : 1
    if entry.older == 0 { oldest[list] = entry.newer } else { self.entry(entry.older).newer = entry.newer }
    if entry.newer == 0 { newest[list] = entry.older } else { self.entry(entry.newer).older = entry.older }
  }
}
