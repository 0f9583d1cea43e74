/// Values in a few hundred bytes: count, sum and extremes exact, every quantile within 0.8 % of a value that was sent.
///
/// - Invariant: `run` holds at most `SketchBucket.fineLimit` buckets and one more for each power of two.
package struct Sketch: Sendable {
  /// Sum of the weights.
  package private(set) var count = 0.0
  /// Sum of value * weight.
  package private(set) var sum = 0.0
  /// Infinite while nothing was added.
  package private(set) var least = Double.infinity
  /// The greatest value; -infinity without samples.
  package private(set) var greatest = -Double.infinity
  /// The buckets with their weights (`BucketRun`).
  private(set) var run: [UInt8] = []

  /// No samples.
  package init() {}

  /// Whether it has no samples.
  package var isEmpty: Bool { count == 0 }

  /// Adds one value.
  /// - Complexity: O(buckets).
  package mutating func add(_ value: Double, weight: Double = 1) {
    take(count: weight, sum: value * weight, least: value, greatest: value)
    let one = BucketRun.run(of: [.init(number: SketchBucket.number(of: value), weight: weight)])
    // Safe: the array lends its own bytes.
    unsafe one.withUnsafeBytes { unsafe merge(run: $0) }
  }

  /// Adds all of another sketch.
  /// - Complexity: O(buckets of both).
  package mutating func merge(_ other: Sketch) {
    if other.isEmpty { return }
    take(count: other.count, sum: other.sum, least: other.least, greatest: other.greatest)
    // Safe: as above.
    unsafe other.run.withUnsafeBytes { unsafe merge(run: $0) }
  }

  /// Adds samples whose buckets are those of a run.
  @unsafe
  mutating func merge(run other: UnsafeRawBufferPointer, sum: Double, least: Double, greatest: Double) {
    // Safe: the caller lends the run for the call.
    take(count: unsafe BucketRun.weight(of: other), sum: sum, least: least, greatest: greatest)
    unsafe merge(run: other)
  }

  /// The value below which the share `share` (0 to 1) of the weight lies; nil if nothing was added.
  /// - Complexity: O(buckets).
  package func quantile(_ share: Double) -> Double? {
    if isEmpty { return nil }
    if share <= 0 { return least }
    if share >= 1 { return greatest }
    let wanted = share * count
    // Safe: the array lends its own bytes.
    return unsafe run.withUnsafeBytes { bytes in
      var reader = unsafe BucketRun.Reader(unsafeRun: bytes)
      var below = 0.0
      while reader.next() {
        below += reader.weight
        if below >= wanted { return min(max(SketchBucket.value(of: reader.number), least), greatest) }
      }
      return greatest
    }
  }

  /// Bytes of memory beyond the struct itself.
  package var byteCount: Int { run.capacity }

  /// The buckets one by one.
  var buckets: [BucketRun.Bucket] {
    // Safe: the array lends its own bytes.
    unsafe run.withUnsafeBytes { unsafe BucketRun.buckets(of: $0) }
  }

  private mutating func take(count: Double, sum: Double, least: Double, greatest: Double) {
    self.count = (self.count + count).finite
    self.sum = (self.sum + sum).finite
    self.least = min(self.least, least)
    self.greatest = max(self.greatest, greatest)
  }

  @unsafe
  private mutating func merge(run other: UnsafeRawBufferPointer) {
    // Safe: the caller lends `other`; the room is as large as both runs.
    if run.isEmpty {
      run = unsafe [UInt8](other)
    } else {
      run = unsafe run.withUnsafeBytes { mine in
        unsafe withUnsafeTemporaryAllocation(byteCount: mine.count + other.count, alignment: 1) { room in
          let length = unsafe BucketRun.merge(mine, other, into: room.baseAddress!)
          return unsafe [UInt8](room[..<length])
        }
      }
    }
  }
}
