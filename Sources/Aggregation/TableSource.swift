import Platform

/// What the reader remembers of one table, by record number.
final class TableSource {
  let memory: TableMemory
  /// The record's series, id + 1; 0 is a record that the reader has not met. The top bit: the budget paid for it.
  var seriesOf: ReservedArray<UInt32>
  /// What the reader saw last: a counter's two parts, a gauge's stamp and delta.
  var seen: ReservedArray<Seen>
  /// Where the search for idle records goes on.
  var sweep = 0
  /// Records that people want gone, each with the epoch after which a touch keeps it.
  var dismissed: [(record: UInt32, epoch: UInt64)] = []

  struct Seen: BitwiseCopyable {
    var first: Int64
    var second: Int64
  }

  static let paid: UInt32 = 1 << 31
  static let bytesPerRecord = MemoryLayout<UInt32>.stride * 3 + MemoryLayout<Seen>.stride

  init(memory: TableMemory) throws(SystemError) {
    self.memory = memory
    seriesOf = try ReservedArray(capacity: memory.capacity)
    seen = try ReservedArray(capacity: memory.capacity)
  }
}
