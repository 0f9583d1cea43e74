import Platform

/// What other agents are to be told of: series and families, each for itself.
struct ShareBooks: ~Copyable {
  private(set) var isOn = false
  var series: ShareMarks
  var families: ShareMarks
  /// By family: since when history is to be told; what is older was. All of what has an id for the first time.
  private let due: ReservedArray<HistoryDue>
  /// The same of what is under way.
  private let underWayDue: ReservedArray<HistoryDue>
  /// By family: older hours in which something was counted late; most have none.
  private var lateHours: [FamilyID: HourSet] = [:]
  /// The same of what is under way.
  private var underWayHours: [FamilyID: HourSet] = [:]
  /// Whose turn it is where both wait.
  private var isFamilysTurn = false

  private static let bytesPerFamily = ShareMarks.bytesPerOwner + 2 * MemoryLayout<HistoryDue>.stride
  /// Key and value in a hash table at most three quarters full.
  private static let bytesPerLateFamily = 64

  init(capacity: Int) throws(SystemError) {
    // All that can fail comes before the first member is set.
    let series = try ShareMarks(capacity: capacity)
    let families = try ShareMarks(capacity: capacity)
    let due = try ReservedArray<HistoryDue>(capacity: capacity)
    let underWayDue = try ReservedArray<HistoryDue>(capacity: capacity)
    self.series = series
    self.families = families
    self.due = due
    self.underWayDue = underWayDue
  }

  mutating func begin() { isOn = true }

  /// Bytes that so many series and families take.
  func byteCount(series: Int, families: Int) -> Int {
    if !isOn { return 0 }
    return series * ShareMarks.bytesPerOwner + families * Self.bytesPerFamily
      + (lateHours.capacity + underWayHours.capacity) * Self.bytesPerLateFamily
  }

  /// A series has changed, and its metric. Out of line, so that a count without sharing is no longer for it.
  @inline(never)
  mutating func mark(_ id: Int, _ family: Int) {
    series.mark(id)
    families.mark(family)
  }

  // MARK: Turns

  /// The next that is under way: of series and families by turns.
  mutating func next() -> SharedOwner? {
    isFamilysTurn.toggle()
    if isFamilysTurn { return nextFamily() ?? nextSeries() }
    return nextSeries() ?? nextFamily()
  }

  private mutating func nextSeries() -> SharedOwner? {
    series.next().map { SharedOwner(series: SeriesID($0), series.generation($0)) }
  }

  private mutating func nextFamily() -> SharedOwner? {
    families.next().map {
      underWayDue[$0] = .none
      underWayHours[FamilyID($0)] = nil
      return SharedOwner(family: FamilyID($0), families.generation($0))
    }
  }

  /// Whether an owner lives: its id has not been given to another.
  func isCurrent(_ owner: SharedOwner) -> Bool {
    let generation = owner.isFamily ? families.generation(Int(owner.id)) : series.generation(Int(owner.id))
    return owner.generation == generation & SharedOwner.generationMask
  }

  /// Whether an owner is under way.
  func isUnderWay(_ owner: SharedOwner) -> Bool {
    isCurrent(owner) && (owner.isFamily ? families.isUnderWay(Int(owner.id)) : series.isUnderWay(Int(owner.id)))
  }

  // MARK: Owners

  /// Calls `body` with the marks that an owner is in, and its place there.
  private mutating func withMarks(of owner: SharedOwner, _ body: (inout ShareMarks, _ id: Int) -> Void) {
    if owner.isFamily { body(&families, Int(owner.id)) } else { body(&series, Int(owner.id)) }
  }

  /// An owner waits, changed or not.
  mutating func mark(_ owner: SharedOwner) { withMarks(of: owner) { $0.mark($1) } }

  /// All writes of an owner are done.
  mutating func settle(_ owner: SharedOwner) {
    withMarks(of: owner) {
      $0.settleClaim($1)
      $0.settle($1)
    }
  }

  /// Some write of an owner was not done.
  mutating func park(_ owner: SharedOwner) {
    if owner.isFamily { returnHistory(of: owner.id) }
    withMarks(of: owner) { $0.park($1) }
  }

  /// See `ShareMarks.claim`.
  func claim(_ owner: SharedOwner) -> Total? {
    owner.isFamily ? families.claim(Int(owner.id)) : series.claim(Int(owner.id))
  }

  /// See `ShareMarks.settleClaim`.
  mutating func settleClaim(_ owner: SharedOwner, adopted: Total) {
    withMarks(of: owner) { $0.settleClaim($1, adopted: adopted) }
  }

  // MARK: History

  /// What was counted before others are told is told in full, but of members and samples what lies before `second`.
  mutating func begin(_ family: FamilyID, valuesFrom second: UInt32) {
    due[Int(family)] = HistoryDue(counts: 0, values: second)
  }

  /// What was counted since `second` is told again.
  mutating func lower(_ family: FamilyID, to second: UInt32) {
    due[Int(family)] = due[Int(family)].lowered(to: second)
  }

  /// The time of day was set back: what comes now belongs to seconds that were told.
  mutating func lowerAll(_ count: Int, to second: UInt32) {
    for id in 0..<count { lower(FamilyID(id), to: second) }
  }

  /// Something was counted at a second that may have been told.
  ///
  /// Long ago, it is told with its hour alone: samples of days ago that keep coming bring no more with them.
  mutating func addLate(_ second: UInt32, to family: FamilyID) {
    if second / 3_600 + 1 >= due[Int(family)].values / 3_600 { return lower(family, to: second) }
    lateHours[family, default: HourSet()].insert(Int64(second) / 3_600)
  }

  /// Takes what is to be told of a family's history. What is counted at `now` will be told again.
  mutating func takeHistory(of family: FamilyID, now: UInt32) -> HistoryStretch {
    let id = Int(family)
    underWayDue[id] = underWayDue[id].lowered(to: due[id])
    due[id] = HistoryDue(counts: now, values: now)
    if let hours = lateHours.removeValue(forKey: family) { underWayHours[family, default: HourSet()].formUnion(hours) }
    return HistoryStretch(due: underWayDue[id], hours: underWayHours[family] ?? HourSet())
  }

  /// What was taken is not told.
  private mutating func returnHistory(of family: FamilyID) {
    due[Int(family)] = due[Int(family)].lowered(to: underWayDue[Int(family)])
    if let hours = underWayHours.removeValue(forKey: family) {
      lateHours[family, default: HourSet()].formUnion(hours)
    }
  }

  /// A family has left, told: what comes in its place is told since then, and what is late with its hour.
  mutating func forget(family: FamilyID) {
    families.forget(Int(family))
    underWayHours[family] = nil
  }
}

extension SharedOwner {
  // A ticket:   63 is a family   62 … 32 generation   31 … 0 id
  fileprivate static let generationMask: UInt32 = 1 << 31 - 1

  init(series id: SeriesID, _ generation: UInt32) {
    self.init(ticket: UInt64(generation & Self.generationMask) << 32 | UInt64(id))
  }

  init(family id: FamilyID, _ generation: UInt32) {
    self.init(ticket: 1 << 63 | UInt64(generation & Self.generationMask) << 32 | UInt64(id))
  }

  var isFamily: Bool { ticket >> 63 == 1 }
  var id: UInt32 { UInt32(truncatingIfNeeded: ticket) }
  fileprivate var generation: UInt32 { UInt32(truncatingIfNeeded: ticket >> 32) & Self.generationMask }
}
