/// A timer over all tables: totals since the start, and sketches of the last while in slices.
package struct TimerState: SeriesState {
  /// Slices that a window is made of; the oldest leaves whole, so a window covers between `window` and 7/6 of it.
  static let slices: UInt32 = 6

  /// Sum of the weights of all samples.
  package private(set) var count = 0.0
  /// Sum of value * weight.
  package private(set) var sum = 0.0
  /// Weights between the bounds of `--buckets`, not cumulated; one more for what is above all.
  package private(set) var bounds: [Double] = []
  /// The slices, oldest first, each a `SliceHead` and its run (`BucketRun`): one allocation, since there may be a million of these.
  private var recent: [UInt8] = []

  /// What stands before a slice's run.
  private struct SliceHead {
    var number: UInt32
    var runCount: UInt32 = 0
    var sum = 0.0
    var least = Double.infinity
    var greatest = -Double.infinity

    static let byteCount = 32
  }

  /// Bytes of memory beyond the struct itself.
  var byteCount: Int { recent.capacity + bounds.capacity * 8 }

  /// Adds what a worker gathered at `second`.
  /// - Complexity: O(samples + buckets of the slice), without allocation while the slice does not grow.
  mutating func merge(_ block: TimerBlock, second: Int64, window: Int64, scratch: inout SketchScratch) {
    count = (count + block.count).finite
    sum = (sum + block.sum).finite
    block.forEachBound { place, weight in
      if place >= bounds.count { bounds.append(0) }
      bounds[place] = (bounds[place] + weight).finite
    }
    let place = openSlice(Self.slice(of: second, window: window))
    var head = head(at: place)
    head.sum = (head.sum + block.sum).finite
    head.least = min(head.least, block.least)
    head.greatest = max(head.greatest, block.greatest)
    // Safe: list and run of the block are the reader's in this half, and the result is copied before the scratch is used again.
    var run = unsafe scratch.sort(block.list, unit: block.unit)
    if unsafe !block.run.isEmpty { unsafe run = scratch.merge(block.run, run) }
    let start = place + SliceHead.byteCount
    if head.runCount > 0 {
      unsafe recent.withUnsafeBytes { unsafe run = scratch.merge(UnsafeRawBufferPointer(rebasing: $0[start...]), run) }
    }
    head.runCount = UInt32(run.count)
    let bytes = start + run.count
    // Exactly what is needed and an eighth: doubling would leave a third of all memory here empty.
    if recent.capacity < bytes { recent.reserveCapacity(bytes + bytes / 8) }
    recent.removeSubrange(start...)
    unsafe recent.append(contentsOf: run)
    set(head, at: place)
  }

  /// Adds one value that bears its own time.
  /// - Parameters:
  ///   - bound: which of `places` weights by bound it belongs to; nil without bounds.
  ///   - isRecent: its time lies within the window, so it belongs to the newest slice.
  mutating func add(
    value: Double, weight: Double, bound: Int?, places: Int, isRecent: Bool, second: Int64, window: Int64
  ) {
    count = (count + weight).finite
    sum = (sum + (value * weight).finite).finite
    if let bound {
      while bounds.count < places { bounds.append(0) }
      bounds[bound] = (bounds[bound] + weight).finite
    }
    if !isRecent { return }
    let place = openSlice(Self.slice(of: second, window: window))
    var head = head(at: place)
    head.sum = (head.sum + (value * weight).finite).finite
    head.least = min(head.least, value)
    head.greatest = max(head.greatest, value)
    let start = place + SliceHead.byteCount
    let run = BucketRun.joined(
      Array(recent[start...]), BucketRun.run(of: [.init(number: SketchBucket.number(of: value), weight: weight)]))
    head.runCount = UInt32(run.count)
    recent.replaceSubrange(start..., with: run)
    set(head, at: place)
  }

  /// The samples of the last `window` seconds.
  package mutating func recentSketch(second: Int64, window: Int64) -> Sketch {
    expire(at: Self.slice(of: second, window: window))
    var all = Sketch()
    forEachSlice { place, head in
      // Safe: the array lends its own bytes, and a slice ends where its head says.
      unsafe recent.withUnsafeBytes { bytes in
        let start = place + SliceHead.byteCount
        unsafe all.merge(
          run: UnsafeRawBufferPointer(rebasing: bytes[start..<start + Int(head.runCount)]), sum: head.sum,
          least: head.least, greatest: head.greatest)
      }
    }
    return all
  }

  /// The place of the slice with `number`, the last one; made if it is not there.
  private mutating func openSlice(_ number: UInt32) -> Int {
    expire(at: number)
    var last: (place: Int, number: UInt32)?
    forEachSlice { last = ($0, $1.number) }
    if let last, last.number == number { return last.place }
    let place = recent.count
    if recent.capacity < place + SliceHead.byteCount { recent.reserveCapacity(place + SliceHead.byteCount + 24) }
    recent.append(contentsOf: repeatElement(0, count: SliceHead.byteCount))
    set(SliceHead(number: number), at: place)
    return place
  }

  private mutating func expire(at number: UInt32) {
    var kept = 0
    while kept < recent.count {
      let head = head(at: kept)
      if number &- head.number <= Self.slices { break }
      kept += SliceHead.byteCount + Int(head.runCount)
    }
    // What is left needs less than what there was, for good perhaps.
    if kept > 0 { recent = Array(recent[kept...]) }
  }

  private func forEachSlice(_ body: (Int, SliceHead) -> Void) {
    var place = 0
    while place < recent.count {
      let head = head(at: place)
      body(place, head)
      place += SliceHead.byteCount + Int(head.runCount)
    }
  }

  private func head(at place: Int) -> SliceHead {
    // Safe: the array's bounds are checked; a head has no bits that mean something else than a number.
    unsafe recent.withUnsafeBytes { unsafe $0.loadUnaligned(fromByteOffset: place, as: SliceHead.self) }
  }

  private mutating func set(_ head: SliceHead, at place: Int) {
    unsafe recent.withUnsafeMutableBytes { unsafe $0.storeBytes(of: head, toByteOffset: place, as: SliceHead.self) }
  }

  // MARK: Keeping

  /// One slice of the last window.
  struct RecentSlice {
    var sum: Double
    var least: Double
    var greatest: Double
    var run: [UInt8]
  }

  /// The slices that the window holds at `second`, oldest first, each with the seconds since it began.
  func forEachRecent(second: Int64, window: Int64, _ body: (_ age: Int64, RecentSlice) -> Void) {
    let now = Self.slice(of: second, window: window)
    forEachSlice { place, head in
      let slices = now &- head.number
      if slices > Self.slices || head.runCount == 0 { return }
      let start = place + SliceHead.byteCount
      body(
        Int64(slices) * max(1, window / Int64(Self.slices)),
        RecentSlice(
          sum: head.sum, least: head.least, greatest: head.greatest,
          run: Array(recent[start..<start + Int(head.runCount)])))
    }
  }

  /// Sets the totals to what was kept of them.
  mutating func restore(count: Double, sum: Double, bounds: [Double]) {
    self.count = count
    self.sum = sum
    self.bounds = bounds
  }

  /// Adds samples that came at an earlier second, to the newest slice if that is a later one; nothing if the window has passed them.
  mutating func restoreRecent(
    _ run: [UInt8], sum: Double, least: Double, greatest: Double, at earlier: Int64, second: Int64, window: Int64
  ) {
    var number = Self.slice(of: earlier, window: window)
    if Self.slice(of: second, window: window) &- number > Self.slices { return }
    forEachSlice { number = max(number, $1.number) }
    let place = openSlice(number)
    var head = head(at: place)
    head.sum = (head.sum + sum).finite
    head.least = min(head.least, least)
    head.greatest = max(head.greatest, greatest)
    let start = place + SliceHead.byteCount
    let all = BucketRun.joined(Array(recent[start...]), run)
    head.runCount = UInt32(all.count)
    recent.replaceSubrange(start..., with: all)
    set(head, at: place)
  }

  /// Slices are a sixth of the window, at least a second. Their numbers may wrap around, after an age.
  private static func slice(of second: Int64, window: Int64) -> UInt32 {
    UInt32(truncatingIfNeeded: second / max(1, window / Int64(slices)))
  }
}
