/// What timers and sets put into history besides their counts.
extension History {
  /// Adds samples of a timer: their amount, and their buckets as a run (`BucketRun`).
  mutating func add(
    _ amount: HistoryAmount, run: [UInt8], least: Double, greatest: Double, at second: UInt32, to owner: Owner
  ) {
    add(amount, at: second, to: owner, isTimer: true)
    guard let entry = entryToCount(owner, isTimer: true) else { return }
    changeBlob(at: second, entry) { Sketch.join(&$0, run, least: least, greatest: greatest) }
  }

  /// Adds one value of a timer.
  mutating func add(value: Double, weight: Double, at second: UInt32, to owner: Owner) {
    add(
      HistoryAmount(weight: weight, sum: (value * weight).finite),
      run: BucketRun.run(of: [.init(number: SketchBucket.number(of: value), weight: weight)]), least: value,
      greatest: value, at: second, to: owner)
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

  /// A family's samples: their buckets in the block, whose own sums are of the buckets' middles, and the true ones.
  struct Timer {
    var block: TimerBlock
    var amount = HistoryAmount()
    var least = Double.infinity
    var greatest = -Double.infinity
  }

  private var timers: [FamilyID: Timer] = [:]
  private var sets: [FamilyID: SetBlock] = [:]
  private let noBounds = TimerBounds([])

  var isFull: Bool { timers.count + sets.count >= Self.limit }

  mutating func add(
    _ block: TimerBlock, _ amount: HistoryAmount, to family: FamilyID, scratch: inout SketchScratch
  ) {
    var all = timers[family] ?? Timer(block: .make(bounds: noBounds))
    // Safe: the reader's own half.
    all.block = unsafe all.block.add(samplesOf: block, &scratch)
    all.amount.add(amount)
    all.least = min(all.least, block.least)
    all.greatest = max(all.greatest, block.greatest)
    timers[family] = all
  }

  mutating func add(_ raises: [HyperLogLog.Raise], to family: FamilyID, scratch: inout SketchScratch) {
    var all = sets[family] ?? .make()
    for raise in raises { all = all.raise(raise.register, to: raise.rank, &scratch) }
    sets[family] = all
  }

  /// Hands all out and is empty.
  mutating func take(
    timers takeTimer: (FamilyID, Timer) -> Void, sets takeSet: (FamilyID, SetBlock) -> Void
  ) {
    // Safe: the blocks are this value's own, and nobody keeps them beyond the calls.
    for (family, timer) in timers {
      takeTimer(family, timer)
      unsafe timer.block.address.deallocate()
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
    for timer in timers.values { unsafe timer.block.address.deallocate() }
    for block in sets.values { unsafe block.address.deallocate() }
  }
}

extension TimerBlock {
  /// Counts each sample of another block as the middle of its bucket.
  /// - Returns: the block to use from now on, as `add`.
  @unsafe
  fileprivate func add(samplesOf other: TimerBlock, _ scratch: inout SketchScratch) -> TimerBlock {
    var block = self
    // Safe: a mark for no code has its six words behind it; list and run are lent for the call.
    let words = unsafe other.list
    var place = 0
    while place < words.count {
      let word = unsafe words[place]
      if word == SketchBucket.noCode {
        let odd = unsafe TimerBlock.odd(words.baseAddress! + place)
        block = block.add(SketchBucket.value(of: odd.number), weight: odd.weight, &scratch)
        place += TimerBlock.oddWords
      } else {
        let number = word == SketchBucket.zeroCode ? 0 : SketchBucket.number(ofCode: Int(word))
        block = block.add(SketchBucket.value(of: number), weight: other.unit, &scratch)
        place += 1
      }
    }
    var reader = unsafe BucketRun.Reader(unsafeRun: other.run)
    while reader.next() { block = block.add(SketchBucket.value(of: reader.number), weight: reader.weight, &scratch) }
    return block
  }

  /// All samples as a run.
  func sortedRun(_ scratch: inout SketchScratch) -> [UInt8] {
    // Safe: list and run are lent for the call, and the result is copied before the scratch is used again.
    var run = unsafe scratch.sort(list, unit: unit)
    if unsafe !self.run.isEmpty { unsafe run = scratch.merge(self.run, run) }
    return unsafe [UInt8](run)
  }
}
