/// A set over all tables: HyperLogLogs of the last hour in slices of five minutes.
package struct SetState: SeriesState {
  static let sliceSeconds: Int64 = 300
  static let slices: Int64 = 12

  struct Slice: Sendable {
    var number: Int64
    var members = HyperLogLog()
  }

  private var recent: [Slice] = []
  private var cached: UInt64?

  /// Bytes of memory beyond the struct itself.
  /// - Complexity: O(slices).
  var byteCount: Int {
    recent.reduce(recent.capacity * MemoryLayout<Slice>.stride) { $0 + $1.members.bytes.capacity }
  }

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

  // MARK: Keeping

  /// The slices of the last hour, oldest first: the seconds since each began, and its members as bytes (`HyperLogLog.Members`).
  func forEachRecent(second: Int64, _ body: (_ age: Int64, _ members: [UInt8]) -> Void) {
    let now = second / Self.sliceSeconds
    for slice in recent where slice.number >= now - Self.slices {
      var raises: [HyperLogLog.Raise] = []
      slice.members.forEachRank { raises.append(.init(register: $0, rank: $1)) }
      var members: [UInt8] = []
      HyperLogLog.Members.raise(&members, raises)
      if !members.isEmpty { body((now - slice.number) * Self.sliceSeconds, members) }
    }
  }

  /// Raises registers in the slice of an earlier second, if it still counts; `raises` is sorted by register.
  mutating func restoreRecent(_ raises: [HyperLogLog.Raise], at earlier: Int64, second: Int64) {
    let number = earlier / Self.sliceSeconds
    if raises.isEmpty || second / Self.sliceSeconds - number > Self.slices { return }
    let place = recent.firstIndex { $0.number >= number } ?? recent.count
    if place == recent.count || recent[place].number != number { recent.insert(Slice(number: number), at: place) }
    recent[place].members.raise(raises)
    cached = nil
  }

  private mutating func expire(at number: Int64) {
    let kept = recent.drop { $0.number < number - Self.slices }
    if kept.count != recent.count {
      recent = Array(kept)
      cached = nil
    }
  }
}
