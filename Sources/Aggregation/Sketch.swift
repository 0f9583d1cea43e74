/// Values in about a kilobyte: count, sum and extremes exact, every quantile within 0.8 % of a value that was sent.
///
/// Buckets (`SketchBucket`) with their weights in ascending order, so that two sketches merge in one pass.
/// - Invariant: `buckets` is sorted by number without repetition, and holds at most `SketchBucket.fineLimit` buckets and one more for
///   each power of two.
package struct Sketch: Sendable {
  struct Bucket: Sendable {
    var number: Int32
    /// Single precision: weights are added up in the workers in double precision, here once a flush.
    var weight: Float
  }

  /// Sum of the weights.
  package private(set) var count = 0.0
  package private(set) var sum = 0.0
  /// Infinite while nothing was added.
  package private(set) var least = Double.infinity
  package private(set) var greatest = -Double.infinity
  private(set) var buckets: [Bucket] = []

  package init() {}

  /// A sketch that was taken apart; `buckets` as the invariant says.
  init(count: Double, sum: Double, least: Double, greatest: Double, buckets: [Bucket]) {
    self.count = count
    self.sum = sum
    self.least = least
    self.greatest = greatest
    self.buckets = buckets
  }

  package var isEmpty: Bool { count == 0 }

  /// Adds one value.
  /// - Complexity: O(buckets).
  package mutating func add(_ value: Double, weight: Double = 1) {
    take(count: weight, sum: value * weight, least: value, greatest: value)
    insert(SketchBucket.number(of: value), Float(weight))
  }

  /// Adds all that a worker gathered.
  mutating func merge(_ block: TimerBlock, scratch: inout [Bucket]) {
    take(count: block.count, sum: block.sum, least: block.least, greatest: block.greatest)
    if block.bucketsInUse <= 4 { return block.forEachBucket { insert($0, Float($1)) } }
    scratch.removeAll(keepingCapacity: true)
    block.forEachBucket { scratch.append(Bucket(number: $0, weight: Float($1))) }
    scratch.sort { $0.number < $1.number }
    mergeSorted(scratch)
  }

  /// Adds all of another sketch.
  /// - Complexity: O(buckets of both).
  package mutating func merge(_ other: Sketch) {
    if other.isEmpty { return }
    take(count: other.count, sum: other.sum, least: other.least, greatest: other.greatest)
    mergeSorted(other.buckets)
  }

  /// The value below which the share `share` (0 to 1) of the weight lies; nil if nothing was added.
  package func quantile(_ share: Double) -> Double? {
    if isEmpty { return nil }
    if share <= 0 { return least }
    if share >= 1 { return greatest }
    let total = buckets.reduce(0.0) { $0 + Double($1.weight) }
    let wanted = share * total
    var below = 0.0
    for bucket in buckets {
      below += Double(bucket.weight)
      if below >= wanted { return min(max(SketchBucket.value(of: bucket.number), least), greatest) }
    }
    return greatest
  }

  /// Bytes of memory beyond the struct itself.
  package var byteCount: Int { buckets.capacity * MemoryLayout<Bucket>.stride }

  private mutating func take(count: Double, sum: Double, least: Double, greatest: Double) {
    self.count = (self.count + count).finite
    self.sum = (self.sum + sum).finite
    self.least = min(self.least, least)
    self.greatest = max(self.greatest, greatest)
  }

  private mutating func insert(_ number: Int32, _ weight: Float) {
    var low = 0
    var high = buckets.count
    while low < high {
      let middle = (low + high) / 2
      if buckets[middle].number < number { low = middle + 1 } else { high = middle }
    }
    if low < buckets.count && buckets[low].number == number {
      buckets[low].weight += weight
    } else if buckets.count < SketchBucket.fineLimit || SketchBucket.coarse(number) == number {
      buckets.insert(Bucket(number: number, weight: weight), at: low)
    } else {
      insert(SketchBucket.coarse(number), weight)
    }
  }

  private mutating func mergeSorted(_ others: [Bucket]) {
    if buckets.isEmpty && others.count <= SketchBucket.fineLimit {
      buckets = others
      return
    }
    if buckets.count + others.count > SketchBucket.fineLimit {
      for bucket in others { insert(bucket.number, bucket.weight) }
      return
    }
    var merged: [Bucket] = []
    merged.reserveCapacity(buckets.count + others.count)
    var mine = 0
    for other in others {
      while mine < buckets.count && buckets[mine].number < other.number {
        merged.append(buckets[mine])
        mine += 1
      }
      if mine < buckets.count && buckets[mine].number == other.number {
        merged.append(Bucket(number: other.number, weight: buckets[mine].weight + other.weight))
        mine += 1
      } else {
        merged.append(other)
      }
    }
    merged += buckets[mine...]
    buckets = merged
  }
}
