/// A timer over all tables: totals since the start, and sketches of the last while in slices.
package struct TimerState: Sendable {
  /// Slices that a window is made of; the oldest leaves whole, so a window covers between `window` and 7/6 of it.
  static let slices: Int64 = 6

  struct Slice: Sendable {
    var number: Int64
    var sketch = Sketch()
  }

  /// Sum of the weights of all samples.
  package private(set) var count = 0.0
  package private(set) var sum = 0.0
  /// Weights between the bounds of `--buckets`, not cumulated; one more for what is above all.
  package private(set) var bounds: [Double] = []
  private var recent: [Slice] = []

  /// Adds what a worker gathered at `second`.
  mutating func merge(_ block: TimerBlock, second: Int64, window: Int64, scratch: inout [Sketch.Bucket]) {
    count = (count + block.count).finite
    sum = (sum + block.sum).finite
    block.forEachBound { place, weight in
      if place >= bounds.count { bounds.append(0) }
      bounds[place] = (bounds[place] + weight).finite
    }
    let number = Self.slice(of: second, window: window)
    expire(at: number)
    if recent.last?.number != number { recent.append(Slice(number: number)) }
    recent[recent.count - 1].sketch.merge(block, scratch: &scratch)
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
    let number = Self.slice(of: second, window: window)
    expire(at: number)
    if recent.last?.number != number { recent.append(Slice(number: number)) }
    recent[recent.count - 1].sketch.add(value, weight: weight)
  }

  /// The samples of the last `window` seconds.
  package mutating func recentSketch(second: Int64, window: Int64) -> Sketch {
    expire(at: Self.slice(of: second, window: window))
    var all = Sketch()
    for slice in recent { all.merge(slice.sketch) }
    return all
  }

  private mutating func expire(at number: Int64) {
    let kept = recent.drop { $0.number < number - Self.slices }
    if kept.count != recent.count { recent = Array(kept) }
  }

  /// Slices are a sixth of the window, at least a second.
  private static func slice(of second: Int64, window: Int64) -> Int64 { second / max(1, window / slices) }
}

/// A set over all tables: HyperLogLogs of the last hour in slices of five minutes.
package struct SetState: Sendable {
  static let sliceSeconds: Int64 = 300
  static let slices: Int64 = 12

  struct Slice: Sendable {
    var number: Int64
    var members = HyperLogLog()
  }

  private var recent: [Slice] = []
  private var cached: UInt64?

  /// Adds what a worker gathered at `second`.
  mutating func merge(_ block: SetBlock, second: Int64, scratch: inout [HyperLogLog.Raise]) {
    let number = second / Self.sliceSeconds
    expire(at: number)
    if recent.last?.number != number { recent.append(Slice(number: number)) }
    recent[recent.count - 1].members.merge(block, scratch: &scratch)
    cached = nil
  }

  /// Raises registers in the newest slice; `raises` is sorted by register.
  mutating func add(_ raises: [HyperLogLog.Raise], second: Int64) {
    let number = second / Self.sliceSeconds
    expire(at: number)
    if recent.last?.number != number { recent.append(Slice(number: number)) }
    recent[recent.count - 1].members.raise(raises)
    cached = nil
  }

  /// Adds the members of the last hour to a union over several sets.
  mutating func add(to union: inout HyperLogLog.Ranks, second: Int64) {
    expire(at: second / Self.sliceSeconds)
    for slice in recent { union.merge(slice.members) }
  }

  /// Distinct members over the last hour, to the slice: 60 to 65 minutes.
  package mutating func cardinality(second: Int64) -> UInt64 {
    expire(at: second / Self.sliceSeconds)
    if let cached { return cached }
    var all = HyperLogLog.Ranks()
    for slice in recent { all.merge(slice.members) }
    let count = recent.isEmpty ? 0 : all.cardinality
    cached = count
    return count
  }

  private mutating func expire(at number: Int64) {
    let kept = recent.drop { $0.number < number - Self.slices }
    if kept.count != recent.count {
      recent = Array(kept)
      cached = nil
    }
  }
}
