import Bytes
import Protocol

/// Where series come and go: the slow way that a spelling takes once.
extension WorkerTable {
  /// The label value that takes what a limit keeps out, and the name of the metric that takes what has none of its own.
  static var other: StaticString { "__other__" }
  static let otherName = Array("__other__".utf8)

  /// Counts a sample whose spelling is not in the index: makes its series, or an alias of the series that it is another spelling of.
  /// - Parameter hash: that of the spelling, if another line may be found by it.
  /// - Returns: false if it was refused, which has been booked.
  @inline(never)
  mutating func applyMissing(_ bytes: PaddedBytes, _ sample: Sample, _ hash: UInt64?) -> Bool {
    do throws(LineFault) {
      try spelling.normalise(
        bytes, lineStart: sample.lineStart, name: sample.nameStart..<sample.nameEnd,
        tags: sample.tagsStart..<sample.tagsEnd, kind: sample.kind, into: &normal)
    } catch {
      refuse(error, bytes, sample.lineStart)
      return false
    }
    guard let number = seriesRecord(of: sample.kind) else {
      refuse(LineFault(.limit, at: 0), bytes, sample.lineStart)
      return false
    }
    if let hash, record(number).role == .series { addAlias(bytes, sample, hash, of: number) }
    add(UsualLine(sample), at: sample.timestamp, bytes, to: number)
    return true
  }

  /// The record of the series whose normal spelling is in `normal`, made if there is none; nil for a gauge beyond the limit.
  mutating func seriesRecord(of sampleKind: SampleKind) -> Int? {
    let kind = sampleKind.rawValue
    let hash = hashOf(normal, kind)
    if let number = find(normal, hash, kind) { return number }
    copyName()
    let known = seriesOfMetric[hashOf(scratch, kind), default: 0]
    let cost = SeriesCost.bytes(kind: sampleKind, spelling: normal.count, newMetric: known == 0 ? scratch.count : nil)
    if known < budget.limitPerMetric && hasFreeRecord && budget.claim(hash, bytes: cost) {
      return makeSeries(hash, sampleKind, known: known)
    }
    return overflowRecord(kind: sampleKind, isKnown: known > 0)
  }

  /// Brings the metric's name in `normal` to `scratch`, without an allocation once both have grown: past a limit every line comes here.
  private mutating func copyName() {
    scratch.removeAll(keepingCapacity: true)
    scratch.append(contentsOf: SeriesSpelling.normalName(of: normal))
  }

  /// The record of a new series whose normal spelling is in `normal`; the budget has paid for it.
  /// - Parameter known: series of its metric so far.
  mutating func makeSeries(_ hash: UInt64, _ kind: SampleKind, known: UInt32) -> Int? {
    seriesOfMetric[metricHash(normal, kind.rawValue)] = known + 1
    return make(normal, hash, kind.rawValue, .series)
  }

  /// The record that takes what the limit keeps out; counts one sample as limited. Gauges have none: several series' values in one would
  /// mean nothing.
  mutating func overflowRecord(kind: SampleKind, isKnown: Bool) -> Int? {
    copyName()
    guard isKnown, let limited = findOrMake(scratch, RecordKind.limited, isOptional: true) else {
      return otherRecord(kind)
    }
    if kind == .gauge || kind == .serviceCheck {
      addWhole(touch(limited), 1)
      return nil
    }
    spelling.write(scratch[...], key: Self.other, kind: kind, into: &normal)
    guard let number = findOrMake(normal, kind.rawValue, isOptional: true) else { return otherRecord(kind) }
    addWhole(touch(limited), 1)
    return number
  }

  /// The record of the metric that takes what has none of its own.
  private mutating func otherRecord(_ kind: SampleKind) -> Int? {
    guard let limited = findOrMake(Self.otherName, RecordKind.limited) else { return nil }
    addWhole(touch(limited), 1)
    return kind == .gauge || kind == .serviceCheck ? nil : findOrMake(Self.otherName, kind.rawValue)
  }

  var hasFreeRecord: Bool { firstFree != 0 || recordsMade < memory.capacity }

  /// - Parameter isOptional: where memory is short there need not be one beyond `overflowBytesAllowed`.
  mutating func findOrMake(_ spelling: [UInt8], _ kind: UInt8, isOptional: Bool = false) -> Int? {
    let hash = hashOf(spelling, kind)
    if let number = find(spelling, hash, kind) { return number }
    let bytes = SeriesCost.bytes(
      kind: SampleKind(rawValue: kind) ?? .counter, spelling: spelling.count, newMetric: spelling.count)
    if isOptional && overflowBytes + bytes > Self.overflowBytesAllowed && !budget.claim(onlyBytes: bytes) { return nil }
    guard let number = make(spelling, hash, kind, .overflow) else { return nil }
    overflowBytes += bytes
    return number
  }

  /// What metrics' own `__other__` may take in a table once `--memory-limit` is reached; those of a thousand metrics and more. Further ones
  /// count into the metric `__other__`.
  private static let overflowBytesAllowed = 1 << 20

  /// Remembers another spelling of a series, so that its next sample is found at once. Without room for one it is taken apart again.
  private mutating func addAlias(_ bytes: PaddedBytes, _ sample: Sample, _ hash: UInt64, of number: Int) {
    scratch.removeAll(keepingCapacity: true)
    scratch += bytes.copy(sample.nameStart..<sample.nameEnd)
    if sample.tagsEnd > sample.tagsStart {
      scratch += [UInt8(ascii: "|"), UInt8(ascii: "#")]
      scratch += bytes.copy(sample.tagsStart..<sample.tagsEnd)
    }
    if scratch == normal || aliasCount >= budget.limit { return }
    if !budget.claim(onlyBytes: SeriesCost.alias(spelling: scratch.count)) { return }
    guard let alias = make(scratch, hash, sample.kind.rawValue, .alias) else { return }
    aliasCount += 1
    record(alias).word0 = Int64(number)
    record(alias).link = record(number).link
    record(number).link = UInt32(alias + 1)
  }

  /// A record with this spelling, in the index; nil when all are in use.
  private mutating func make(_ spelling: [UInt8], _ hash: UInt64, _ kind: UInt8, _ role: SeriesRecord.Role) -> Int? {
    let number: Int
    if firstFree != 0 {
      number = Int(firstFree) - 1
      firstFree = record(number).link
    } else if recordsMade < memory.capacity {
      number = recordsMade
      recordsMade += 1
    } else {
      return nil
    }
    let use = kind == SampleKind.counter.rawValue ? reader.plainUse(of: spelling) : []
    unsafe spelling.withUnsafeBytes { unsafe record(number).begin(spelling: $0, kind: kind, role: role, use: use) }
    textBytes += SeriesRecord.bytesElsewhere(spelling: spelling.count)
    index.insert(number, hash: hash)
    return number
  }

  /// Looks at what the reader wants gone: what nobody has touched since it looked leaves, the rest stays.
  @inline(never)
  mutating func forgetCondemned() {
    var leaving: [Int] = []
    let memory = memory
    memory.takeCondemned { number, epoch in
      let record = memory.record(number)
      let isCurrent = record.role == .series || record.role == .overflow
      if isCurrent && Int32(bitPattern: record.mark &- UInt32(truncatingIfNeeded: epoch)) <= 0 {
        leaving.append(number)
      }
    }
    for number in leaving { forget(number) }
  }

  private mutating func forget(_ number: Int) {
    drop(number)
    log.append(UInt32(number) | TableMemory.departed)
  }

  /// Gives a record with its aliases back; the reader knows.
  mutating func drop(_ number: Int) {
    var alias = record(number).link
    while alias != 0 {
      let next = record(Int(alias) - 1).link
      release(Int(alias) - 1)
      aliasCount -= 1
      alias = next
    }
    if record(number).role == .series {
      let metric = metricHash(text(of: number), record(number).kind)
      if let count = seriesOfMetric[metric] { seriesOfMetric[metric] = count > 1 ? count - 1 : nil }
    }
    release(number)
  }

  private mutating func release(_ number: Int) {
    let record = record(number)
    index.remove(number, hash: hashOf(text(of: number), record.kind))
    blockBytes -= bytesOfBlocks(record)
    textBytes -= SeriesRecord.bytesElsewhere(spelling: record.spellingLength)
    if record.role == .overflow {
      overflowBytes -= SeriesCost.bytes(
        kind: SampleKind(rawValue: record.kind) ?? .counter, spelling: record.spellingLength,
        newMetric: record.spellingLength)
    }
    record.end()
    record.link = firstFree
    firstFree = UInt32(number + 1)
  }

  private func bytesOfBlocks(_ record: SeriesRecord) -> Int {
    if !record.ownsBlocks || record.isAlias { return 0 }
    var bytes = 0
    for half in 0...1 {
      // Safe: the record is about to be ended, so both blocks are the worker's.
      guard let address = unsafe record.block(half) else { continue }
      bytes +=
        record.kind == SampleKind.set.rawValue
        ? unsafe SetBlock(unsafeBase: address).byteCount
        : unsafe TimerBlock(unsafeBase: address, bounds: memory.bounds(record.kind)).byteCount
    }
    return bytes
  }

  private func text(of number: Int) -> [UInt8] {
    let record = record(number)
    // Safe: the record is in use, so its spelling is whole.
    return unsafe [UInt8](UnsafeRawBufferPointer(start: record.spelling, count: record.spellingLength))
  }

  func metricHash(_ spelling: [UInt8], _ kind: UInt8) -> UInt64 {
    hashOf(Array(SeriesSpelling.normalName(of: spelling)), kind)
  }

  mutating func find(_ spelling: [UInt8], _ hash: UInt64, _ kind: UInt8) -> Int? {
    let number = unsafe Self.padded(spelling) { bytes in
      let pipe = spelling.firstIndex(of: UInt8(ascii: "|"))
      // Safe: the copy is padded.
      guard let pipe else { return unsafe find(bytes, spelling.count, hash, kind) }
      return unsafe find(bytes, pipe, bytes + pipe + 2, spelling.count - pipe - 2, hash, kind)
    }
    return number < 0 ? nil : number
  }

  /// The hash of a whole spelling, as `hash(of:_:_:)` has it of a line.
  ///
  /// A normal spelling may hold control bytes, which no line may: then it has a hash that no line can have, so that one which holds the
  /// same bytes does not find the series, and is refused for them.
  func hashOf(_ spelling: [UInt8], _ kind: UInt8) -> UInt64 {
    let salt = UInt64(kind) | (spelling.contains { $0 < 0x20 } ? Self.escapedSalt : 0)
    return unsafe Self.padded(spelling) { bytes in
      let pipe = spelling.firstIndex(of: UInt8(ascii: "|"))
      // Safe: the copy is padded.
      guard let pipe else { return unsafe hasher.hash(bytes, count: spelling.count, salt: salt) }
      return unsafe hasher.hash(
        bytes, count: pipe, bytes + pipe + 2, count: spelling.count - pipe - 2, salt: salt)
    }
  }

  /// Above all kinds.
  private static let escapedSalt: UInt64 = 1 << 8

  @unsafe private static func padded<Result>(_ spelling: [UInt8], _ body: (UnsafeRawPointer) -> Result) -> Result {
    unsafe withUnsafeTemporaryAllocation(byteCount: spelling.count + 40, alignment: 8) { room in
      unsafe room.copyBytes(from: spelling)
      return unsafe body(UnsafeRawPointer(room.baseAddress!))
    }
  }
}
