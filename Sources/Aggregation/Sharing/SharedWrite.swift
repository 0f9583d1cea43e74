/// What an agent writes of its own: always absolute, so that to write twice is to write once, and what comes later makes up for all before.
package struct SharedWrite: Sendable {
  /// What is written.
  package enum Value: Sendable {
    /// Its running total and what a reset has set.
    ///
    /// `known`, at an agent's first write of a key after a start: what it knew of its own total when it began to count. If the store
    /// has a larger one, nothing is written and the answer is `SharedNews.found`: the agent raises its own by the difference and writes
    /// again.
    case total(SharedNumber, base: SharedNumber, known: SharedNumber?)
    /// Counts by place: the hour of the day, the minute of the hour.
    case counts([(place: Int, count: SharedNumber)])
    /// A HyperLogLog in Redis's own encoding, joined with what is there.
    case members([UInt8])
    /// All samples of an hour that this agent has had, of a timer.
    case samples(SharedSamples)
  }

  /// Under which it is written.
  package var key: SharedKey
  package var value: Value
  /// Whose write it is: what is said of it bears the same.
  package var ticket: UInt64

  package init(_ key: SharedKey, _ value: Value, ticket: UInt64) {
    self.key = key
    self.value = value
    self.ticket = ticket
  }

  /// What it takes while it waits, in bytes, about.
  package var size: Int {
    switch value {
    case .total: 64
    case .counts(let counts): 64 + counts.count * 24
    case .members(let bytes): 64 + bytes.count
    case .samples(let samples): 64 + samples.buckets.count * 16
    }
  }
}

/// A timer's samples of an hour: exact but for where within its bucket a value lay.
package struct SharedSamples: Equatable, Sendable {
  /// Weighted, as a client's sample rate says.
  package var count = 0.0
  /// Of values by weight.
  package var sum = 0.0
  /// Infinite while there are no samples.
  package var least = Double.infinity
  /// The same below.
  package var greatest = -Double.infinity
  /// Weights by bucket (`SketchBucket`).
  package var buckets: [(number: Int32, weight: Double)] = []

  /// No samples.
  package init() {}

  package static func == (left: Self, right: Self) -> Bool {
    left.count == right.count && left.sum == right.sum && left.least == right.least && left.greatest == right.greatest
      && left.buckets.elementsEqual(right.buckets, by: ==)
  }
}
