import Bytes
import Platform
import Protocol
import Synchronization

/// The series that one worker has seen, with what it has counted of each.
///
/// One thread owns the table and is the only one that writes it; the reader (`MergedView`) looks at `memory` by the rules of
/// `TableMemory`. A batch of received bytes is counted between `beginBatch` and `endBatch`:
///
///     line ─ LineReader ─▶ sample ─ hash of the spelling ─▶ index ─▶ record ─ add ─▶ done
///                                            └ not there ─▶ WorkerTable+Admission.swift
///
/// A record is found by the bytes of name and tags as they stand in the line. Another spelling of a known series becomes an alias
/// record that names the series' record, so each series has one record, whatever the order of its tags.
/// - Invariant: every record in use is in `index` once, under the hash of its spelling.
@safe
package struct WorkerTable: ~Copyable {
  /// What the reader looks at.
  package let memory: TableMemory
  let hasher: SpellingHash
  let reader: LineReader
  let budget: SeriesBudget

  var index: SpellingIndex
  /// The records' first byte: spares a reference count of `memory` in the loop.
  let records: UnsafeMutableRawPointer

  // The batch in hand.
  var half = 0
  var mark: UInt32 = 0
  var log = unsafe TouchLog(unsafeBase: UnsafeMutableRawPointer(bitPattern: 8)!)
  var senders = unsafe SenderTally(unsafeBase: UnsafeMutableRawPointer(bitPattern: 8)!)
  var notes = unsafe RefusalNotes(unsafeBase: UnsafeMutableRawPointer(bitPattern: 8)!)
  /// The place in `senders` of whoever sent the line in hand.
  var sender = 0
  /// Refusals are booked; not for what follows the first sample of a line that was taken.
  var booksRefusals = true
  var epoch: UInt64 = 0
  /// Stamp of the last gauge write, even. Monotonic nanoseconds at the batch's begin, two more for each write.
  var lastStamp: Int64 = 0
  /// Seconds since 1970 at the batch's begin.
  var wallSeconds: Int64 = 0
  /// What became of the batch's lines.
  package var tally = LineTally()

  /// Where every refused line of the batch stands, for a caller who wants to know; nil: the books suffice.
  package var refusedLines: [RefusedPlace]?

  /// The samples of one line; at most one for every two bytes of it.
  private var packed: [Sample] = []

  /// Samples whose records are on their way from memory.
  var deferred = DeferredSamples()

  // Only where series come and go.
  var recordsMade = 0
  var firstFree: UInt32 = 0
  var aliasCount = 0
  /// Series by hash of metric name and kind. A hash that met another would only misjudge which limit a metric has reached.
  var seriesOfMetric: [UInt64: UInt32] = [:]
  var spelling: SeriesSpelling
  var normal: [UInt8] = []
  var scratch: [UInt8] = []
  /// For timers whose block is full.
  var sketchScratch: SketchScratch
  /// Bytes of blocks made, less those given back; timers' growth is in `sketchScratch`.
  var blockBytes = 0
  /// Bytes of spellings that lie outside their records.
  var textBytes = 0
  /// What records that no series pays for are likely to take (`SeriesCost`).
  var overflowBytes = 0

  /// An empty table over `memory`, which no other table may use.
  package init(
    memory: TableMemory, hasher: SpellingHash, reader: LineReader, keyLabels: KeyLabels, budget: SeriesBudget
  ) throws(SystemError) {
    // All that can fail comes before the first member is set.
    // A thousand series lie so far apart in it that each is at its home: a look-up that has to go on costs as much as all the rest of it.
    // Pages that nothing lies in take no memory.
    let index = try SpellingIndex(bits: 15)
    let sketchScratch = try SketchScratch()
    self.memory = memory
    self.hasher = hasher
    self.reader = reader
    spelling = SeriesSpelling(keyLabels: keyLabels)
    self.budget = budget
    self.index = index
    self.sketchScratch = sketchScratch
    unsafe records = memory.recordMemory.base
  }

  /// Of `seriesOfMetric`, a hash table at most three quarters full: key, value and a bit, by four thirds.
  private static let bytesPerMetric = 17

  /// Series above which records no longer lie in the processor's caches, so that waiting for one costs more than putting it off.
  private static let deferredAbove = 50_000

  /// Begins a batch: from now to `endBatch` the reader leaves this table's current half alone.
  /// - Parameters:
  ///   - monotonic: nanoseconds; orders gauge writes of all tables.
  ///   - wall: seconds since 1970; judges timestamps.
  package mutating func beginBatch(monotonic: Int64, wall: Int64) {
    let current = memory.gate.enter()
    if current != epoch {
      epoch = current
      half = Int(current & 1)
      mark = UInt32(truncatingIfNeeded: current)
      log = memory.log(half)
      senders = memory.senders(half)
      notes = memory.notes(half)
    }
    lastStamp = max(lastStamp, monotonic & ~1)
    wallSeconds = wall
    if _slowPath(memory.hasCondemned) { forgetCondemned() }
  }

  /// Ends a batch: all of it is counted and booked, and the reader's when it next flips.
  package mutating func endBatch() {
    if deferred.count > 0 { addDeferred() }
    memory.recordsInUse.store(recordsMade, ordering: .relaxed)
    memory.indexBytes.store(index.byteCount &+ seriesOfMetric.capacity &* Self.bytesPerMetric, ordering: .relaxed)
    memory.textBytes.store(textBytes, ordering: .relaxed)
    memory.blockBytes.store(blockBytes + sketchScratch.grownBytes, ordering: .relaxed)
    memory.gate.leave()
  }

  /// Counts every line of `bytes` into the table and books it in `tally`, some of it not before `endBatch`: until then the bytes stay as
  /// they are.
  /// - Parameter address: whose lines they are.
  /// - Complexity: O(bytes); no allocation for series that are known.
  package mutating func count(_ bytes: PaddedBytes, from address: SenderAddress = .local) {
    sender = senders.place(of: address)
    let linesBefore = tally.lines
    if index.count > Self.deferredAbove { countDeferring(bytes) } else { countDirectly(bytes) }
    senders.add(lines: tally.lines &- linesBefore, refused: 0, to: sender)
  }

  private mutating func countDirectly(_ bytes: PaddedBytes) {
    var at = 0
    // The most frequent outcome is booked once, at the end.
    var plainCounts: UInt64 = 0
    while at < bytes.count {
      let end = reader.plainEnd(bytes, at: at)
      if let plain = reader.readUntagged(bytes, at: at, end), case let number = find(plain, bytes, at), number >= 0 {
        addWhole(touch(number), plain.count)
        plainCounts &+= 1
        at = plain.next
      } else {
        at = end.isTagged ? countTagged(bytes, at, end.distance, end.word) : countLine(bytes, at)
      }
    }
    tally.lines &+= plainCounts
    bookPlain(plainCounts)
  }

  @inline(__always)
  mutating func bookPlain(_ count: UInt64) {
    tally.accepted &+= count
    tally.samples[Int(SampleKind.counter.rawValue)] &+= count
  }

  /// Counts a line that may be a plain count with tags. In single words, which go in registers.
  /// - Returns: where the next one begins.
  @inline(never)
  private mutating func countTagged(_ bytes: PaddedBytes, _ start: Int, _ distance: Int, _ word: UInt64) -> Int {
    guard let plain = reader.readTagged(bytes, at: start, .init(distance, word)),
      case let number = findTagged(plain, bytes, start), number >= 0
    else { return countLine(bytes, start) }
    addWhole(touch(number), plain.count)
    tally.lines &+= 1
    book(.counter)
    return plain.next
  }

  /// Counts a line of any shape.
  /// - Returns: where the next one begins.
  @inline(never)
  private mutating func countLine(_ bytes: PaddedBytes, _ start: Int) -> Int {
    if bytes[start] == UInt8(ascii: "\n") { return bytes.lineStart(from: start) }
    let window = SeparatorWindow(bytes, from: start)
    return countShort(bytes, start, window) ?? countUsual(bytes, start, window)
  }

  /// Counts a line of the usual shape, or of any.
  @inline(never)
  private mutating func countUsual(_ bytes: PaddedBytes, _ start: Int, _ window: SeparatorWindow) -> Int {
    guard let line = reader.readUsual(bytes, at: start, window) else { return countOdd(bytes, start, window) }
    let number = find(line, bytes, start)
    if _slowPath(number < 0) { return countOdd(bytes, start, window) }
    tally.lines &+= 1
    book(line.kind)
    add(line, bytes, to: number)
    return line.next
  }

  /// Counts a line that is not of the usual shape, or whose series is not known.
  @inline(never)
  mutating func countOdd(_ bytes: PaddedBytes, _ start: Int, _ window: SeparatorWindow) -> Int {
    var sample = Sample()
    let next = reader.read(bytes, at: start, window, into: &sample)
    if sample.form == .empty { return next }
    tally.lines &+= 1
    count(bytes, sample)
    return next
  }

  /// Books an accepted line of one sample.
  @inline(__always)
  mutating func book(_ kind: SampleKind) {
    tally.accepted &+= 1
    tally.samples[Int(kind.rawValue)] &+= 1
  }

  /// Counts what a line said; it has been booked as read.
  @inline(never)
  mutating func count(_ bytes: PaddedBytes, _ sample: Sample) {
    switch sample.form {
    case .empty: break
    case .refused: refuse(sample.fault, bytes, sample.lineStart)
    case .single:
      if apply(bytes, sample) {
        tally.samples[Int(sample.kind.rawValue)] &+= 1
        accept(sample)
      }
    case .several: if applySeveral(bytes, sample) { accept(sample) }
    }
  }

  /// The line was read to its end and is sound. What can still refuse it is its spelling or the limit, which hold for its first sample as
  /// for all of its kind; packed types share a name, so a later one fails only on a limit, and then alone.
  private mutating func applySeveral(_ bytes: PaddedBytes, _ whole: Sample) -> Bool {
    packed.removeAll(keepingCapacity: true)
    reader.forEachSample(in: bytes, of: whole) { packed.append($0) }
    for index in packed.indices {
      let each = packed[index]
      // What follows the first sample of a line that was taken is not a refused line.
      booksRefusals = index == 0
      defer { booksRefusals = true }
      if apply(bytes, each) {
        tally.samples[Int(each.kind.rawValue)] &+= 1
      } else if index == 0 {
        return false
      }
    }
    return true
  }

  /// Books a line as refused; it has been booked as read. Keeps the first few for the operator.
  @inline(never)
  mutating func refuse(_ fault: LineFault, _ bytes: PaddedBytes, _ lineStart: Int) {
    if !booksRefusals { return }
    tally.refused[Int(fault.reason.rawValue)] &+= 1
    senders.add(lines: 0, refused: 1, to: sender)
    refusedLines?.append(RefusedPlace(start: lineStart, fault: fault))
    if !notes.hasRoom { return }
    var end = lineStart
    while end < bytes.count && bytes[end] != UInt8(ascii: "\n") { end += 1 }
    // Safe: the line lies within the bytes.
    let line = unsafe UnsafeRawBufferPointer(start: bytes.address(of: lineStart), count: end - lineStart)
    unsafe notes.add(fault, line: line, sender: sender, second: wallSeconds)
  }

  /// Books a line that nobody could read whole.
  package mutating func refuse(_ reason: Refusal, from address: SenderAddress) {
    tally.refuse(reason)
    sender = senders.place(of: address)
    senders.add(lines: 1, refused: 1, to: sender)
    if notes.hasRoom {
      // Safe: there is no text.
      unsafe notes.add(
        LineFault(reason, at: 0), line: UnsafeRawBufferPointer(start: nil, count: 0), sender: sender,
        second: wallSeconds)
    }
  }

  /// Books every line of `bytes` as refused without reading it. Of them the first is kept for the operator.
  /// - Complexity: O(bytes).
  package mutating func refuseLines(_ bytes: PaddedBytes, _ reason: Refusal, from address: SenderAddress) {
    sender = senders.place(of: address)
    var lines: UInt64 = 0
    var start = 0
    while start < bytes.count {
      var end = start
      while end < bytes.count && bytes[end] != UInt8(ascii: "\n") { end += 1 }
      let isEmpty = end == start || end == start + 1 && bytes[start] == UInt8(ascii: "\r")
      if !isEmpty {
        if lines == 0 {
          refuse(LineFault(reason, at: 0), bytes, start)
        } else {
          tally.refused[Int(reason.rawValue)] &+= 1
        }
        lines &+= 1
      }
      start = end + 1
    }
    tally.lines &+= lines
    // The first was booked as refused with its note.
    senders.add(lines: lines, refused: lines &- min(lines, 1), to: sender)
  }

  private mutating func accept(_ sample: Sample) {
    tally.accepted &+= 1
    bookOddities(sample.skippedSections, sample.timestamp)
  }

  /// Books what an accepted line holds besides its sample.
  @inline(never)
  mutating func bookOddities(_ skippedSections: Int, _ timestamp: Int64) {
    tally.skippedSections &+= UInt64(skippedSections)
    if timestamp != Sample.noTimestamp, !HistorySpan.includes(timestamp, at: wallSeconds) {
      tally.outOfWindow &+= 1
    }
  }

  /// Finds the sample's series and adds it.
  /// - Returns: false if it was refused, which has been booked.
  private mutating func apply(_ bytes: PaddedBytes, _ sample: Sample) -> Bool {
    // What an event's or a check's name holds can look like the end of a name, so only their normal spelling tells them apart.
    let kind = sample.kind
    if kind == .event || kind == .serviceCheck { return applyMissing(bytes, sample, nil) }
    let line = UsualLine(sample)
    let hash = hash(of: line, bytes, sample.nameStart)
    let number = find(line, bytes, sample.nameStart, hash)
    if number < 0 { return applyMissing(bytes, sample, hash) }
    add(line, at: sample.timestamp, bytes, to: number)
    return true
  }
}
