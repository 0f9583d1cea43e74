/// What one worker gathered of one timer in one half: count, sum, extremes and a hash table of sketch buckets, in one allocation.
///
///     offset  bytes
///          0      8  count: the sum of the weights
///          8      8  sum of value * weight
///         16     16  least and greatest value
///         32      4  buckets in use
///         36      4  slots, a power of two from 8 to 16,384
///         40   8 * b  weights by `--buckets` bound, not cumulated (b bounds and one more for what is above all)
///          …   8 * s  weights by slot
///          …   4 * s  bucket numbers by slot, `empty` where none
///
/// - Invariant: at most 3/4 of the slots are in use.
@safe
struct TimerBlock {
  private static let empty = Int32.min
  private static let weightsOffset = 40

  private let base: UnsafeMutableRawPointer
  private let bounds: TimerBounds

  /// Takes a block up again; `bounds` are those that it was made with.
  init(unsafeBase base: UnsafeMutableRawPointer, bounds: TimerBounds) {
    unsafe self.base = base
    self.bounds = bounds
  }

  /// Where the block lies.
  @unsafe var address: UnsafeMutableRawPointer { unsafe base }

  /// Allocates an empty block. Whoever holds its address frees it with `deallocate()`.
  static func make(slots: Int = 8, bounds: TimerBounds) -> TimerBlock {
    let bytes = weightsOffset + 8 * bounds.places + 12 * slots
    let block = unsafe TimerBlock(unsafeBase: .allocate(byteCount: bytes, alignment: 16), bounds: bounds)
    unsafe block.base.storeBytes(of: UInt32(slots), toByteOffset: 36, as: UInt32.self)
    block.clear()
    return block
  }

  // Safe: all of the below, the offsets are those of the table above, and slots are masked by the capacity.

  var count: Double { unsafe base.load(as: Double.self) }
  var sum: Double { unsafe base.load(fromByteOffset: 8, as: Double.self) }
  var least: Double { unsafe base.load(fromByteOffset: 16, as: Double.self) }
  var greatest: Double { unsafe base.load(fromByteOffset: 24, as: Double.self) }
  var bucketsInUse: Int { Int(unsafe base.load(fromByteOffset: 32, as: UInt32.self)) }
  var slotCount: Int { Int(unsafe base.load(fromByteOffset: 36, as: UInt32.self)) }

  /// Counts `value` with `weight` (1 / rate), both finite.
  /// - Returns: the block to use from now on: itself, or a larger copy, in which case this one has been freed.
  /// - Complexity: O(1) expected, without allocation unless it grows.
  @inline(__always)
  func add(_ value: Double, weight: Double) -> TimerBlock {
    unsafe base.storeBytes(of: (count + weight).finite, as: Double.self)
    unsafe base.storeBytes(of: (sum + value * weight).finite, toByteOffset: 8, as: Double.self)
    if value < least { unsafe base.storeBytes(of: value, toByteOffset: 16, as: Double.self) }
    if value > greatest { unsafe base.storeBytes(of: value, toByteOffset: 24, as: Double.self) }
    if _slowPath(bounds.places > 0) { unsafe boundWeights[bounds.place(of: value)] += weight }
    let bucket = SketchBucket.number(of: value)
    let slots = slotCount
    let place = find(bucket, slots)
    if _fastPath(unsafe keys(slots)[place] == bucket) {
      unsafe weights[place] += weight
      return self
    }
    return insert(bucket, weight, at: place)
  }

  /// Counts all of another block, but for its weights by bound.
  /// - Returns: the block to use from now on, as `add`.
  func add(all other: TimerBlock) -> TimerBlock {
    let totals = (
      (count + other.count).finite, (sum + other.sum).finite, min(least, other.least), max(greatest, other.greatest)
    )
    var block = self
    other.forEachBucket { number, weight in block = block.add(SketchBucket.value(of: number), weight: weight) }
    // What the middles of the buckets would give, gives way to what was sent.
    unsafe block.base.storeBytes(of: totals.0, as: Double.self)
    unsafe block.base.storeBytes(of: totals.1, toByteOffset: 8, as: Double.self)
    unsafe block.base.storeBytes(of: totals.2, toByteOffset: 16, as: Double.self)
    unsafe block.base.storeBytes(of: totals.3, toByteOffset: 24, as: Double.self)
    return block
  }

  /// Forgets all samples and keeps the memory.
  func clear() {
    let slots = slotCount
    unsafe base.storeBytes(of: 0, as: Double.self)
    unsafe base.storeBytes(of: 0, toByteOffset: 8, as: Double.self)
    unsafe base.storeBytes(of: .infinity, toByteOffset: 16, as: Double.self)
    unsafe base.storeBytes(of: -.infinity, toByteOffset: 24, as: Double.self)
    unsafe base.storeBytes(of: 0, toByteOffset: 32, as: UInt32.self)
    for bound in 0..<bounds.places { unsafe boundWeights[bound] = 0 }
    for slot in 0..<slots { unsafe keys(slots)[slot] = Self.empty }
  }

  /// The buckets in use with their weights, in no order.
  func forEachBucket(_ body: (Int32, Double) -> Void) {
    let slots = slotCount
    for slot in 0..<slots where unsafe keys(slots)[slot] != Self.empty { unsafe body(keys(slots)[slot], weights[slot]) }
  }

  /// The weights between the bounds, in their order; empty without bounds.
  func forEachBound(_ body: (Int, Double) -> Void) {
    for bound in 0..<bounds.places { unsafe body(bound, boundWeights[bound]) }
  }

  @inline(never)
  private func insert(_ bucket: Int32, _ weight: Double, at place: Int) -> TimerBlock {
    if bucketsInUse >= SketchBucket.fineLimit {
      let coarse = SketchBucket.coarse(bucket)
      let slots = slotCount
      let coarsePlace = find(coarse, slots)
      if unsafe keys(slots)[coarsePlace] == coarse {
        unsafe weights[coarsePlace] += weight
        return self
      }
      return occupy(coarse, weight, at: coarsePlace)
    }
    return occupy(bucket, weight, at: place)
  }

  private func occupy(_ bucket: Int32, _ weight: Double, at place: Int) -> TimerBlock {
    let slots = slotCount
    if (bucketsInUse + 1) * 4 > slots * 3 { return grown().occupyFound(bucket, weight) }
    unsafe keys(slots)[place] = bucket
    unsafe weights[place] = weight
    unsafe base.storeBytes(of: UInt32(bucketsInUse + 1), toByteOffset: 32, as: UInt32.self)
    return self
  }

  private func occupyFound(_ bucket: Int32, _ weight: Double) -> TimerBlock {
    occupy(bucket, weight, at: find(bucket, slotCount))
  }

  private func grown() -> TimerBlock {
    let larger = Self.make(slots: slotCount * 2, bounds: bounds)
    // Count, sum, extremes and the bounds' weights stand in front of what depends on the capacity, but for the two numbers of slots.
    unsafe larger.base.copyMemory(from: base, byteCount: 32)
    for bound in 0..<bounds.places { unsafe larger.boundWeights[bound] = boundWeights[bound] }
    forEachBucket { _ = larger.occupyFound($0, $1) }
    unsafe base.deallocate()
    return larger
  }

  /// The slot of `bucket`, or the empty one where it would go.
  @inline(__always)
  private func find(_ bucket: Int32, _ slots: Int) -> Int {
    let mask = slots &- 1
    // Neighbours in value are neighbours here: a timer's values lie close together, so they share cache lines.
    var place = Int(bucket) & mask
    let keys = unsafe keys(slots)
    while true {
      let key = unsafe keys[place]
      if key == bucket || key == Self.empty { return place }
      place = (place &+ 1) & mask
    }
  }

  @unsafe private var boundWeights: UnsafeMutablePointer<Double> {
    unsafe (base + Self.weightsOffset).assumingMemoryBound(to: Double.self)
  }
  @unsafe @inline(__always) private var weights: UnsafeMutablePointer<Double> {
    unsafe boundWeights + bounds.places
  }
  @unsafe @inline(__always) private func keys(_ slots: Int) -> UnsafeMutablePointer<Int32> {
    unsafe UnsafeMutableRawPointer(weights + slots).assumingMemoryBound(to: Int32.self)
  }
}
