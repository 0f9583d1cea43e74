/// What timers and sets put into history besides their counts.
extension History {
  /// Adds what a worker gathered of a timer, its count and sum included.
  mutating func add(
    _ block: TimerBlock, at second: UInt32, to owner: Owner, scratch: inout [Sketch.Bucket]
  ) {
    add(HistoryAmount(weight: block.count, sum: block.sum), at: second, to: owner, isTimer: true)
    guard let entry = entryToCount(owner, isTimer: true) else { return }
    changeBlob(at: second, entry) { bytes in
      var sketch = Sketch(bytes: bytes)
      sketch.merge(block, scratch: &scratch)
      bytes.removeAll(keepingCapacity: true)
      sketch.append(to: &bytes)
    }
  }

  /// Adds one value of a timer.
  mutating func add(value: Double, weight: Double, at second: UInt32, to owner: Owner) {
    add(HistoryAmount(weight: weight, sum: (value * weight).finite), at: second, to: owner, isTimer: true)
    guard let entry = entryToCount(owner, isTimer: true) else { return }
    changeBlob(at: second, entry) { bytes in
      var sketch = Sketch(bytes: bytes)
      sketch.add(value, weight: weight)
      bytes.removeAll(keepingCapacity: true)
      sketch.append(to: &bytes)
    }
  }

  /// Raises registers of a set; `raises` is sorted by register, without repetition.
  mutating func add(_ raises: [HyperLogLog.Raise], at second: UInt32, to owner: Owner) {
    if raises.isEmpty { return }
    guard let entry = entryToCount(owner, isTimer: false) else { return }
    changeBlob(at: second, entry) { HyperLogLog.Members.raise(&$0, raises) }
  }
}

/// What the series of each family have gathered of timers and sets in the gather in hand, so that a family's blob is written once for
/// all of them.
@safe
struct FamilyGathering: ~Copyable {
  /// Families held at a time; one more, and all are written.
  static let limit = 256

  private(set) var timers: [FamilyID: TimerBlock] = [:]
  private(set) var sets: [FamilyID: SetBlock] = [:]
  private let noBounds = TimerBounds([])

  var isFull: Bool { timers.count + sets.count >= Self.limit }

  mutating func add(_ block: TimerBlock, to family: FamilyID) {
    let before = timers[family]
    var all = before ?? .make(bounds: noBounds)
    all = all.add(all: block)
    timers[family] = all
  }

  mutating func add(_ raises: [HyperLogLog.Raise], to family: FamilyID) {
    var all = sets[family] ?? .make()
    for raise in raises { all = all.raise(raise.register, to: raise.rank) }
    sets[family] = all
  }

  /// Hands all out and is empty.
  mutating func take(
    timers takeTimer: (FamilyID, TimerBlock) -> Void, sets takeSet: (FamilyID, SetBlock) -> Void
  ) {
    // Safe: the blocks are this value's own, and nobody keeps them beyond the calls.
    for (family, block) in timers {
      takeTimer(family, block)
      unsafe block.address.deallocate()
    }
    for (family, block) in sets {
      takeSet(family, block)
      unsafe block.address.deallocate()
    }
    timers.removeAll(keepingCapacity: true)
    sets.removeAll(keepingCapacity: true)
  }

  deinit {
    // Safe: as above.
    for block in timers.values { unsafe block.address.deallocate() }
    for block in sets.values { unsafe block.address.deallocate() }
  }
}
