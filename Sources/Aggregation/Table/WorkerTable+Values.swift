import Bytes
import Protocol
import Synchronization

/// What a sample does to its record.
extension WorkerTable {
  /// Adds `sample` to the record with `number`.
  mutating func add(_ sample: inout Sample, _ bytes: PaddedBytes, to number: Int) {
    let record = touch(number)
    if _slowPath(sample.timestamp != Sample.noTimestamp), addLate(sample, bytes, to: number) { return }
    switch sample.kind {
    case .counter:
      addCount(record, &sample)
    case .event:
      addWhole(record, 1)
    case .gauge:
      if sample.isRelative { addDelta(record, sample.double) } else { setGauge(record, sample.double) }
    case .serviceCheck:
      setGauge(record, sample.double)
    case .timer, .histogram, .distribution:
      addToTimer(record, &sample)
    case .set:
      addToSet(record, bytes, sample.valueStart, sample.valueEnd)
    }
  }

  /// A whole number is added exactly; what would pass 2^63 goes to the fraction, where the total is a double from then on.
  @inline(__always)
  mutating func addWhole(_ record: SeriesRecord, _ count: Int64) {
    let sum = record.word0.addingReportingOverflow(count)
    if _fastPath(!sum.overflow) { record.word0 = sum.partialValue } else { addFraction(record, Double(count)) }
  }

  @inline(__always)
  private mutating func addCount(_ record: SeriesRecord, _ sample: inout Sample) {
    if _fastPath(sample.rate == 1), sample.isInteger { return addWhole(record, sample.integer) }
    let amount = sample.amount
    if amount.fraction == 0 { addWhole(record, amount.whole) } else { addFraction(record, amount.fraction) }
  }

  @inline(never)
  private mutating func addFraction(_ record: SeriesRecord, _ count: Double) {
    record.word1 = Self.bits((Self.value(record.word1) + count).finite)
  }

  /// The stamp is odd while value and delta do not belong together: a reader that meets it, or finds it changed, reads again.
  private mutating func setGauge(_ record: SeriesRecord, _ value: Double) {
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

  private mutating func addToTimer(_ record: SeriesRecord, _ sample: inout Sample) {
    let bounds = memory.bounds(sample.kind.rawValue)
    let block: TimerBlock
    // Safe: the block in this half belongs to the worker while it is in the epoch.
    if let address = unsafe record.block(half) {
      block = unsafe TimerBlock(unsafeBase: address, bounds: bounds)
    } else {
      block = TimerBlock.make(bounds: bounds)
      blockBytes += block.byteCount
      unsafe record.setBlock(half, block.address)
    }
    let after = block.add(sample.double, weight: sample.rate == 1 ? 1 : sample.weight, &sketchScratch)
    if unsafe after.address != block.address { unsafe record.setBlock(half, after.address) }
  }

  // Not methods that leave the table as it is: the compiler would copy the whole table for their call.
  private mutating func addToSet(_ record: SeriesRecord, _ bytes: PaddedBytes, _ start: Int, _ end: Int) {
    // Safe: the member lies within `bytes`.
    unsafe addToSet(record, UnsafeRawBufferPointer(start: bytes.address(of: start), count: end - start))
  }

  /// Adds a member, any bytes at all.
  mutating func addToSet(_ record: SeriesRecord, _ member: UnsafeRawBufferPointer) {
    let block: SetBlock
    // Safe: as above.
    if let address = unsafe record.block(half) {
      block = unsafe SetBlock(unsafeBase: address)
    } else {
      block = SetBlock.make()
      blockBytes += block.byteCount
      unsafe record.setBlock(half, block.address)
    }
    let place = unsafe HyperLogLog.place(of: member)
    let before = block.byteCount
    let after = block.raise(place.register, to: place.rank)
    if unsafe after.address != block.address {
      blockBytes += after.byteCount - before
      unsafe record.setBlock(half, after.address)
    }
  }

  @inline(__always) static func bits(_ value: Double) -> Int64 { Int64(bitPattern: value.bitPattern) }
  @inline(__always) static func value(_ bits: Int64) -> Double { Double(bitPattern: UInt64(bitPattern: bits)) }
}
