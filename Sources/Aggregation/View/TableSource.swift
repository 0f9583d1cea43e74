import Platform

/// What the reader remembers of one table, by record number.
final class TableSource {
  let memory: TableMemory
  /// The record's series, id + 1; 0 is a record that the reader has not met. The top bit: the budget paid for it.
  var seriesOf: ReservedArray<UInt32>
  /// What the reader saw last: a counter's two parts, a gauge's stamp and delta.
  var seen: SeenValues
  /// Refused lines that were taken over to be shown, in the last second in which any were.
  var noted: (second: Int64, lines: Int) = (-1, 0)
  /// Bytes of the table's blocks that the reader gave back.
  var freedBytes = 0
  /// Where the search for idle records goes on.
  var sweep = 0
  /// Records that people want gone, each with the epoch after which a touch keeps it.
  var dismissed: [(record: UInt32, epoch: UInt64)] = []

  static let paid: UInt32 = 1 << 31
  /// Of a table's log, the reader's number and the first part of what it saw.
  static let bytesPerRecord = MemoryLayout<UInt32>.stride * 2 + MemoryLayout<Int64>.stride

  init(memory: TableMemory) throws(SystemError) {
    self.memory = memory
    seriesOf = try ReservedArray(capacity: memory.capacity)
    seen = try SeenValues(capacity: memory.capacity)
  }
}

/// What a reader saw last of each record, in two columns: most records have no second part, and a page of zeros that is only read takes
/// no memory.
struct SeenValues: ~Copyable {
  struct Seen {
    var first: Int64
    var second: Int64
  }

  private let first: ReservedArray<Int64>
  private let second: ReservedArray<Int64>

  init(capacity: Int) throws(SystemError) {
    // All that can fail comes before the first member is set.
    let first = try ReservedArray<Int64>(capacity: capacity)
    let second = try ReservedArray<Int64>(capacity: capacity)
    self.first = first
    self.second = second
  }

  subscript(number: Int) -> Seen {
    @inline(__always) get { Seen(first: first[number], second: second[number]) }
    @inline(__always) nonmutating set {
      first[number] = newValue.first
      if second[number] != newValue.second { second[number] = newValue.second }
    }
  }
}
