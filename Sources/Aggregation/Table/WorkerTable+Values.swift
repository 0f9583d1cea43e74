import Bytes
import Protocol
import Synchronization

/// What a sample does to its record.
extension WorkerTable {
  /// Adds what a line says, that may bear its own time, to the record with `number`.
  mutating func add(_ line: UsualLine, at timestamp: Int64, _ bytes: PaddedBytes, to number: Int) {
    if timestamp != Sample.noTimestamp {
      _ = touch(number)
      if addLate(line, at: timestamp, bytes, to: number) { return }
    }
    add(line, bytes, to: number)
  }

  /// Adds what a line says to the record with `number`.
  @inline(__always)
  mutating func add(_ line: UsualLine, _ bytes: PaddedBytes, to number: Int) {
    let record = touch(number)
    switch line.kind {
    case .counter:
      addCount(record, line.number, line.rate)
    case .event:
      addWhole(record, 1)
    case .gauge:
      if line.isRelative { addDelta(record, line.number.double) } else { setGauge(record, line.number.double) }
    case .serviceCheck:
      setGauge(record, line.number.double)
    case .timer, .histogram, .distribution:
      addToTimer(record, line.kind, line.number.double, line.rate)
    case .set:
      // Safe: the member lies within `bytes`.
      unsafe addToSet(
        record,
        UnsafeRawBufferPointer(
          start: bytes.address(of: line.valueStart), count: line.valueEnd &- line.valueStart))
    }
  }

  /// A whole number is added exactly; what would pass 2^63 goes to the fraction, where the total is a double from then on.
  @inline(__always)
  mutating func addWhole(_ record: SeriesRecord, _ count: Int64) {
    let sum = record.word0.addingReportingOverflow(count)
    if _fastPath(!sum.overflow) { record.word0 = sum.partialValue } else { addFraction(record, Double(count)) }
  }

  @inline(__always)
  private mutating func addCount(_ record: SeriesRecord, _ number: DecimalNumber, _ rate: Double) {
    if _fastPath(rate == 1), number.isInteger { return addWhole(record, number.integer) }
    addWeighed(record, number, rate)
  }

  @inline(never)
  private mutating func addWeighed(_ record: SeriesRecord, _ number: DecimalNumber, _ rate: Double) {
    let amount = Sample.amount(of: number, rate: rate)
    if amount.fraction == 0 { addWhole(record, amount.whole) } else { addFraction(record, amount.fraction) }
  }

  @inline(never)
  private mutating func addFraction(_ record: SeriesRecord, _ count: Double) {
    record.word1 = Self.bits((Self.value(record.word1) + count).finite)
  }

  /// The stamp is odd while value and delta do not belong together: a reader that meets it, or finds it changed, reads again.
  @inline(__always)
  mutating func setGauge(_ record: SeriesRecord, _ value: Double) {
    lastStamp += 2
    record.stamp = lastStamp | 1
    // The release store of the final stamp orders these before itself. The odd stamp may become visible later than they do only on
    // machines that reorder stores, so a reader also compares the stamp before and after.
    atomicMemoryFence(ordering: .acquiringAndReleasing)
    record.word0 = Self.bits(value)
    record.word1 = Self.bits(0)
    record.stamp = lastStamp
  }

  private mutating func addDelta(_ record: SeriesRecord, _ delta: Double) {
    record.word1 = Self.bits((Self.value(record.word1) + delta).finite)
  }

  /// Adds a value of weight 1 to a timer of the kind `ms`.
  @inline(__always)
  mutating func addToTimer(_ record: SeriesRecord, _ value: Double) {
    // Safe: the block in this half belongs to the worker while it is in the epoch.
    if let address = unsafe record.block(half) {
      let block = unsafe TimerBlock(unsafeBase: address, bounds: memory.bounds(SampleKind.timer.rawValue))
      if block.addUsual(value, weight: 1) { return }
    }
    addToTimerSlowly(record, .timer, value, 1)
  }

  /// Not inlined: with all of it in one function the compiler gives up on the rest, and what a line says goes through memory.
  @inline(never)
  private mutating func addToTimer(_ record: SeriesRecord, _ kind: SampleKind, _ value: Double, _ rate: Double) {
    // Safe: the block in this half belongs to the worker while it is in the epoch.
    let weight = rate == 1 ? 1 : Sample.weight(ofRate: rate)
    if let address = unsafe record.block(half),
      unsafe TimerBlock(unsafeBase: address, bounds: memory.bounds(kind.rawValue)).addUsual(value, weight: weight)
    {
      return
    }
    addToTimerSlowly(record, kind, value, weight)
  }

  @inline(never)
  private mutating func addToTimerSlowly(
    _ record: SeriesRecord, _ kind: SampleKind, _ value: Double, _ weight: Double
  ) {
    let bounds = memory.bounds(kind.rawValue)
    let block: TimerBlock
    // Safe: as above.
    if let address = unsafe record.block(half) {
      block = unsafe TimerBlock(unsafeBase: address, bounds: bounds)
    } else {
      block = TimerBlock.make(bounds: bounds)
      blockBytes += block.byteCount
      unsafe record.setBlock(half, block.address)
    }
    let after = block.add(value, weight: weight, &sketchScratch)
    if unsafe after.address != block.address { unsafe record.setBlock(half, after.address) }
  }

  /// Adds a member, any bytes at all.
  ///
  /// `mutating`, though nothing changes: the table as a whole would be copied for a callee that only borrows it.
  @inline(__always)
  mutating func addToSet(_ record: SeriesRecord, _ member: UnsafeRawBufferPointer) {
    // Safe: as above.
    let (register, rank) = unsafe HyperLogLog.place(of: member)
    if let address = unsafe record.block(half), unsafe SetBlock(unsafeBase: address).addUsual(register, rank) { return }
    addToSetSlowly(record, register, rank)
  }

  @inline(never)
  private mutating func addToSetSlowly(_ record: SeriesRecord, _ register: Int, _ rank: UInt8) {
    let block: SetBlock
    // Safe: as above.
    if let address = unsafe record.block(half) {
      block = unsafe SetBlock(unsafeBase: address)
    } else {
      block = SetBlock.make()
      blockBytes += block.byteCount
      unsafe record.setBlock(half, block.address)
    }
    let before = block.byteCount
    let after = block.raise(register, to: rank, &sketchScratch)
    if unsafe after.address != block.address {
      blockBytes += after.byteCount - before
      unsafe record.setBlock(half, after.address)
    }
  }

  @inline(__always) static func bits(_ value: Double) -> Int64 { Int64(bitPattern: value.bitPattern) }
  @inline(__always) static func value(_ bits: Int64) -> Double { Double(bitPattern: UInt64(bitPattern: bits)) }
}
