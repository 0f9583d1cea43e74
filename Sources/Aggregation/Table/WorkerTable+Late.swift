import Bytes
import Protocol

/// Samples that bear their own time (`T`).
extension WorkerTable {
  /// Puts a sample with a time into the late log instead of its record, which has been touched.
  ///
  /// Its record would be read as the present's: a counter's words are read while they are written, so nothing could take the sample out
  /// of the second in which the reader met it.
  /// - Returns: false for what has no history (gauges) and for what finds the log full, which is noted: it is of the present.
  @inline(never)
  mutating func addLate(_ line: UsualLine, at timestamp: Int64, _ bytes: PaddedBytes, to number: Int) -> Bool {
    let second = placed(timestamp)
    var late = LateLog.Sample(number: UInt32(truncatingIfNeeded: number), form: .whole, second: second)
    switch line.kind {
    case .gauge, .serviceCheck: return false
    case .event: late.whole = 1
    case .counter:
      let amount = Sample.amount(of: line.number, rate: line.rate)
      late.form = amount.fraction == 0 ? .whole : .fraction
      late.whole = amount.whole
      late.double = amount.fraction
    case .timer, .histogram, .distribution:
      late.form = .value
      late.double = line.number.double
      late.weight = line.rate == 1 ? 1 : Sample.weight(ofRate: line.rate)
    case .set:
      // Safe: the member lies within `bytes`.
      let place = unsafe HyperLogLog.place(
        of: UnsafeRawBufferPointer(
          start: bytes.address(of: line.valueStart), count: line.valueEnd - line.valueStart))
      late.form = .register
      (late.register, late.rank) = place
    }
    return memory.late(half).append(late)
  }

  /// A count that happened at a second since 1970. Returns as above.
  mutating func addLate(_ amount: Int64, at second: Int64, to number: Int) -> Bool {
    memory.late(half).append(
      .init(number: UInt32(truncatingIfNeeded: number), form: .whole, second: placed(second), whole: amount))
  }

  /// A set's member of a second since 1970. Returns as above.
  mutating func addLate(member: UnsafeRawBufferPointer, at second: Int64, to number: Int) -> Bool {
    // Safe: the caller lends the bytes for the call.
    let place = unsafe HyperLogLog.place(of: member)
    return memory.late(half).append(
      .init(
        number: UInt32(truncatingIfNeeded: number), form: .register, second: placed(second), register: place.register,
        rank: place.rank))
  }

  private func placed(_ second: Int64) -> Int64 {
    HistorySpan.includes(second, at: wallSeconds) ? second : LateLog.farOff
  }
}
