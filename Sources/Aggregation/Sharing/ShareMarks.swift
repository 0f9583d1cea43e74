import Platform

/// Which series, or which families, other agents are to be told of.
///
///              mark            next            settle
///     clean ────────▶ waiting ──────▶ under way ──────▶ clean
///                       ▲  ▲           │     │ mark
///                 retry │  └───────────┼─────▼
///                       │      settle  │  under way, and changed again
///                     parked ◀─────────┘ park ◀──┘
///
/// - Invariant: an owner is under way at most once.
/// - Complexity: everything O(1); 13 bytes an owner that was told of, 4 more if one could not be told, none while nobody shares.
struct ShareMarks: ~Copyable {
  // What a link says of an owner in no queue (`LinkedQueue`).
  private static let underWay: UInt32 = 1
  private static let changed = UInt32.max - 1
  /// Link, what is known, and whether that was told.
  static let bytesPerOwner = MemoryLayout<UInt32>.stride + MemoryLayout<Int64>.stride + 1

  private let links: ReservedArray<UInt32>
  /// How often an id was used before.
  private let generations: ReservedArray<UInt32>
  /// An owner's total when it began to be shared, of new ones 0; once that is claimed, what the store had more.
  private let known: SeenValues
  /// Whether the store knows this run's total.
  private let isClaimed: ReservedArray<Bool>

  /// The number of `retry`s before an owner was parked, and one more.
  private let parkedSince: ReservedArray<UInt32>
  private var retries: UInt32 = 1

  private var waiting = LinkedQueue()
  private var parked = LinkedQueue()
  private var underWayCount = 0

  init(capacity: Int) throws(SystemError) {
    // All that can fail comes before the first member is set.
    let links = try ReservedArray<UInt32>(capacity: capacity)
    let generations = try ReservedArray<UInt32>(capacity: capacity)
    let known = try SeenValues(capacity: capacity)
    let isClaimed = try ReservedArray<Bool>(capacity: capacity)
    let parkedSince = try ReservedArray<UInt32>(capacity: capacity)
    self.links = links
    self.generations = generations
    self.known = known
    self.isClaimed = isClaimed
    self.parkedSince = parkedSince
  }

  /// Owners that wait for `next`.
  var waitingCount: Int { waiting.count }
  /// Owners that are not clean.
  var uncleanCount: Int { waiting.count + parked.count + underWayCount }

  /// Whether something of an owner is still to be told.
  func isUnclean(_ id: Int) -> Bool { links[id] != LinkedQueue.out }

  /// An owner has changed.
  @inline(__always)
  mutating func mark(_ id: Int) {
    let link = links[id]
    if link > Self.underWay { return }
    if link == LinkedQueue.out { waiting.append(id, links) } else { links[id] = Self.changed }
  }

  /// The owner that waits for longest is under way from now on.
  mutating func next() -> Int? {
    guard let id = waiting.pop(links) else { return nil }
    links[id] = Self.underWay
    underWayCount += 1
    return id
  }

  /// Whether an owner is under way.
  func isUnderWay(_ id: Int) -> Bool { links[id] == Self.underWay || links[id] == Self.changed }

  /// An owner that was under way is told: it waits again if it has changed meanwhile.
  mutating func settle(_ id: Int) {
    let hasChanged = links[id] == Self.changed
    links[id] = LinkedQueue.out
    underWayCount -= 1
    if hasChanged { waiting.append(id, links) }
  }

  /// An owner that was under way is not told.
  mutating func park(_ id: Int) {
    underWayCount -= 1
    parkedSince[id] = retries
    parked.append(id, links)
  }

  /// Whether an owner was not told and waits for `retry`.
  func isParked(_ id: Int) -> Bool { isUnclean(id) && !isUnderWay(id) && parkedSince[id] == retries }

  /// What was parked waits again.
  mutating func retry() {
    waiting.append(&parked, links)
    retries &+= 1
  }

  // MARK: Owners

  /// Tells an owner from all others that had its id.
  func generation(_ id: Int) -> UInt32 { generations[id] }

  /// An owner has left: its id is that of another from now on.
  mutating func forget(_ id: Int) {
    precondition(!isUnclean(id), "an owner of which something is to be told does not leave")
    generations[id] &+= 1
    know(Total(), of: id)
    isClaimed[id] = false
  }

  // MARK: Claims

  /// Sets what is known of an owner from before its first write.
  func know(_ total: Total, of id: Int) {
    // What is zero already takes no memory.
    if known[total: id] != total { known[total: id] = total }
  }

  /// What is known of an owner from before its first write, until that is done: the store may have more from an earlier run.
  func claim(_ id: Int) -> Total? { isClaimed[id] ? nil : known[total: id] }

  /// The store knows this run's total, or the agent the store's, of which it has taken over `adopted`. The first time counts.
  func settleClaim(_ id: Int, adopted: Total = Total()) {
    if isClaimed[id] { return }
    isClaimed[id] = true
    know(adopted, of: id)
  }

  /// What was taken over from the store.
  func adopted(_ id: Int) -> Total { isClaimed[id] ? known[total: id] : Total() }
}

extension SeenValues {
  /// A counter's total in the two columns.
  subscript(total number: Int) -> Total {
    get { Total(whole: self[number].first, fraction: WorkerTable.value(self[number].second)) }
    nonmutating set { self[number] = Seen(first: newValue.whole, second: WorkerTable.bits(newValue.fraction)) }
  }
}
