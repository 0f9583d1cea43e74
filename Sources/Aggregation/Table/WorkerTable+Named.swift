import Bytes
import Protocol

/// Samples that come in no line: their series are named by a normal spelling.
extension WorkerTable {
  /// Counts `amount` into a counter.
  ///
  /// - Parameters:
  ///   - spelling: as `SeriesSpelling.write` makes it.
  ///   - event: seconds since 1970 at which it happened; nil is now.
  /// - Returns: the record counted into, which is that of `__other__` where a limit keeps the series out; nil if there is no room at all,
  ///   which is booked as a refused line would be.
  @discardableResult
  package mutating func count(_ spelling: [UInt8], by amount: Int64, at event: Int64? = nil) -> Int? {
    guard let number = named(spelling, .counter) else { return nil }
    let record = touch(number)
    if let event, addLate(amount, at: event, to: number) { return number }
    addWhole(record, amount)
    return number
  }

  /// Adds a member to a set; otherwise as for counters.
  @discardableResult
  package mutating func addMember(_ member: [UInt8], to spelling: [UInt8], at event: Int64? = nil) -> Int? {
    guard let number = named(spelling, .set) else { return nil }
    let record = touch(number)
    // Safe: the member's bytes live through the call.
    unsafe member.withUnsafeBytes {
      if let event, unsafe addLate(member: $0, at: event, to: number) { return }
      unsafe addToSet(record, $0)
    }
    return number
  }

  private mutating func named(_ spelling: [UInt8], _ kind: SampleKind) -> Int? {
    tally.lines &+= 1
    normal = spelling
    guard let number = seriesRecord(of: kind) else {
      tally.refused[Int(Refusal.limit.rawValue)] &+= 1
      return nil
    }
    tally.accepted &+= 1
    tally.samples[Int(kind.rawValue)] &+= 1
    return number
  }
}

/// A refused line: where it begins among the bytes counted, and what is wrong with it.
package struct RefusedPlace {
  /// Offset among the bytes counted.
  package var start: Int
  /// Why, and where in the line.
  package var fault: LineFault
}
