import Bytes
import Protocol

/// The table that the reader's own thread counts into: what comes over HTTP.
///
/// Writer and reader being one, nothing needs an epoch's end between them: what a batch has counted is in the view as soon as it is asked
/// for, and the answer to whoever sent it holds it.
extension MergedView {
  /// Takes over what the table has gathered in its current half.
  ///
  /// - Parameters:
  ///   - table: the table's place among those that the view was made of; its writer is this thread, and outside a batch.
  ///   - second: the reader's clock in whole seconds.
  ///   - wall: the time of day in seconds since 1970, whose bucket of history takes what has no time of its own.
  /// - Complexity: O(records touched since the last time).
  package mutating func takeOwn(_ table: Int, second: Int64, wall: Int64) {
    self.second = max(self.second, second)
    setClock(wall: wall)
    let source = sources[table]
    let half = Int(source.memory.gate.current & 1)
    let log = source.memory.log(half)
    for place in 0..<log.count {
      let entry = log[place]
      take(entry, half, source)
      // The next touch in this epoch is a first one again.
      if entry & TableMemory.departed == 0 {
        let record = source.memory.record(Int(entry))
        record.mark = record.mark &- 1
      }
    }
    log.count = 0
    _ = takeLate(source, half, from: 0, limit: .max)
    settleFamilies()
  }

  /// The series that a record of a table feeds; nil if the reader has not met it.
  package func series(ofRecord number: Int, in table: Int) -> SeriesID? {
    Self.id(sources[table].seriesOf[number] & ~TableSource.paid)
  }

  /// The live series of this normal spelling and kind.
  package func series(spelled spelling: [UInt8], kind: SampleKind) -> SeriesID? {
    // Safe: the bytes are read within the call.
    unsafe spelling.withUnsafeBytes { unsafe find($0, hashOf($0, kind), kind).map { SeriesID($0) } }
  }
}
