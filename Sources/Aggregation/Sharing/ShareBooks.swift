import Platform

/// What other agents are to be told of: series and families, each for itself.
struct ShareBooks: ~Copyable {
  private(set) var isOn = false
  var series: ShareMarks
  var families: ShareMarks
  /// By family: the second since 1970 from which history is to be told; what is older was.
  private let from: ReservedArray<UInt32>
  /// The same of what is under way.
  private let underWayFrom: ReservedArray<UInt32>
  /// Whose turn it is where both wait.
  private var isFamilysTurn = false

  static let bytesPerFamily = ShareMarks.bytesPerOwner + 2 * MemoryLayout<UInt32>.stride

  init(capacity: Int) throws(SystemError) {
    // All that can fail comes before the first member is set.
    let series = try ShareMarks(capacity: capacity)
    let families = try ShareMarks(capacity: capacity)
    let from = try ReservedArray<UInt32>(capacity: capacity)
    let underWayFrom = try ReservedArray<UInt32>(capacity: capacity)
    self.series = series
    self.families = families
    self.from = from
    self.underWayFrom = underWayFrom
  }

  mutating func begin() { isOn = true }

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
      underWayFrom[$0] = .max
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

  // MARK: History

  /// Something was counted at a second that may have been told.
  mutating func lower(_ family: FamilyID, to second: UInt32) {
    if from[Int(family)] > second { from[Int(family)] = second }
  }

  /// The time of day was set back: what comes now belongs to seconds that were told.
  mutating func lowerAll(_ count: Int, to second: UInt32) {
    for id in 0..<count { lower(FamilyID(id), to: second) }
  }

  /// Takes what is to be told of a family's history: all from the second that is given back. What is counted at `now` will be told again.
  mutating func takeHistory(of family: FamilyID, now: UInt32) -> UInt32 {
    let id = Int(family)
    let start = min(from[id], underWayFrom[id])
    underWayFrom[id] = start
    from[id] = now
    return start
  }

  /// What was taken is not told.
  mutating func returnHistory(of family: FamilyID) { lower(family, to: underWayFrom[Int(family)]) }

  mutating func forget(family: FamilyID) {
    families.forget(Int(family))
    from[Int(family)] = 0
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
