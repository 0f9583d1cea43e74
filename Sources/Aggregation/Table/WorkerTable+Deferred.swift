import Bytes
import CLinux
import Protocol

/// Samples of one batch that wait while their series come from memory, in the order of their lines.
///
///     line ─ hash ─ ask for the slot ┐ (32 times)
///                                    └▶ ask for the records ─▶ ask for blocks and long spellings ─▶ find and add
///
/// The bytes that they point into are the batch's, so none outlives it.
@safe
struct DeferredSamples: ~Copyable {
  /// Enough to hide a miss of some 100 ns behind the work on the others; more gains nothing.
  static let limit = 32

  @safe  // The pointer is not followed but by the table, within the batch.
  struct Item {
    var hash: UInt64
    /// Of the record that most likely is its series'; -1: its series is not known.
    var candidate: Int
    // Of a plain count.
    /// Where its line begins, and the bytes before it.
    var name: UnsafeRawPointer
    var before: UInt32
    var count: Int64
    /// Length of the name, and `PlainUse`, as a look-up wants them.
    var wanted: UInt32
    /// Bytes to the end of the line; 0: it is no plain count.
    var span: UInt32
    /// Bytes to the tags; 0: there are none.
    var tags: UInt32
    var sender: Int32
    // Of any other.
    var bytes: PaddedBytes
    var start: Int
    var line: UsualLine
    // What a line of no usual shape may hold besides.
    var skippedSections: Int
    var timestamp: Int64
  }

  fileprivate let items: UnsafeMutablePointer<Item>
  fileprivate(set) var count = 0
  /// Some of them need more memory than their records.
  fileprivate var ownMore = false

  init() {
    // Safe: a buffer of plain values, freed in deinit; those below `count` are initialized.
    unsafe items = .allocate(capacity: Self.limit)
  }

  deinit { unsafe items.deallocate() }

  /// Where the next item goes.
  @unsafe @inline(__always)
  var free: UnsafeMutablePointer<Item> { unsafe items + count }
}

extension WorkerTable {
  /// Counts every line of `bytes`, most of them later.
  mutating func countDeferring(_ bytes: PaddedBytes) {
    var at = 0
    var lines: UInt64 = 0
    while at < bytes.count {
      if let plain = reader.readPlain(bytes, at: at), bytes.isWithinLine(at, plain.nameEnd) {
        deferPlain(plain, bytes, at)
        lines &+= 1
        at = plain.next
      } else {
        at = deferLine(bytes, at)
      }
    }
    tally.lines &+= lines
  }

  @inline(__always)
  private mutating func deferPlain(_ plain: PlainCount, _ bytes: PaddedBytes, _ start: Int) {
    let hash = hash(of: plain, bytes, start)
    index.prefetch(hash)
    // Safe: the item is plain memory, and `count` is below the limit whenever this is called. A line has at most 8,192 bytes.
    let item = unsafe deferred.free
    unsafe item.pointee.hash = hash
    unsafe item.pointee.name = bytes.address(of: start)
    unsafe item.pointee.before = UInt32(truncatingIfNeeded: start)
    unsafe item.pointee.count = plain.count
    unsafe item.pointee.wanted = SeriesRecord.head(
      length: plain.nameEnd &- start, kind: SampleKind.counter.rawValue, plain.use)
    unsafe item.pointee.span = UInt32(truncatingIfNeeded: plain.next &- 1 &- start)
    unsafe item.pointee.tags = 0
    unsafe item.pointee.sender = Int32(truncatingIfNeeded: sender)
    if _slowPath(plain.tagsEnd > 0) {
      unsafe item.pointee.tags = UInt32(truncatingIfNeeded: plain.tagsStart &- start)
      deferred.ownMore = true
    }
    take()
  }

  /// Puts off a line of any shape that has one sample; what has more waits for those before it and is counted at once.
  @inline(never)
  private mutating func deferLine(_ bytes: PaddedBytes, _ start: Int) -> Int {
    if bytes[start] == UInt8(ascii: "\n") { return bytes.lineStart(from: start) }
    let window = SeparatorWindow(bytes, from: start)
    guard let line = reader.readUsual(bytes, at: start, window) else { return deferOdd(bytes, start, window) }
    tally.lines &+= 1
    put(line, bytes, start, 0, Sample.noTimestamp)
    return line.next
  }

  @inline(never)
  private mutating func deferOdd(_ bytes: PaddedBytes, _ start: Int, _ window: SeparatorWindow) -> Int {
    var sample = Sample()
    let next = reader.read(bytes, at: start, window, into: &sample)
    if sample.form == .empty { return next }
    tally.lines &+= 1
    if sample.form == .single, sample.kind != .event, sample.kind != .serviceCheck {
      put(UsualLine(sample), bytes, start, sample.skippedSections, sample.timestamp)
    } else {
      if sample.form != .refused { addDeferred() }
      count(bytes, sample)
    }
    return next
  }

  @inline(__always)
  private mutating func put(
    _ line: UsualLine, _ bytes: PaddedBytes, _ start: Int, _ skippedSections: Int, _ timestamp: Int64
  ) {
    let hash = hash(of: line, bytes, start)
    index.prefetch(hash)
    // Safe: the item is plain memory, and `count` is below the limit whenever this is called.
    let item = unsafe deferred.free
    unsafe item.pointee.bytes = bytes
    unsafe item.pointee.sender = Int32(truncatingIfNeeded: sender)
    unsafe item.pointee.hash = hash
    unsafe item.pointee.start = start
    unsafe item.pointee.span = 0
    unsafe item.pointee.line = line
    unsafe item.pointee.skippedSections = skippedSections
    unsafe item.pointee.timestamp = timestamp
    deferred.ownMore = true
    take()
  }

  @inline(__always)
  private mutating func take() {
    deferred.count &+= 1
    if deferred.count == DeferredSamples.limit { addDeferred() }
  }

  /// Adds what was put off.
  @inline(never)
  mutating func addDeferred() {
    let count = deferred.count
    deferred.count = 0
    // Safe, here and below: `count` items are initialized.
    for place in 0..<count {
      let item = unsafe deferred.items + place
      let candidate = unsafe index.candidate(item.pointee.hash)
      unsafe item.pointee.candidate = candidate
      record(max(candidate, 0)).prefetch()
    }
    if deferred.ownMore {
      for place in 0..<count {
        let candidate = unsafe deferred.items[place].candidate
        if candidate >= 0 { record(candidate).prefetchOwned(half) }
      }
      deferred.ownMore = false
    }
    let current = sender
    var plainCounts: UInt64 = 0
    for place in 0..<count {
      let item = unsafe deferred.items + place
      if unsafe item.pointee.span > 0 {
        if unsafe addPlain(&item.pointee) { plainCounts &+= 1 }
      } else {
        unsafe sender = Int(item.pointee.sender)
        unsafe addSample(&item.pointee)
      }
    }
    sender = current
    bookPlain(plainCounts)
  }

  @inline(__always)
  private mutating func addPlain(_ item: inout DeferredSamples.Item) -> Bool {
    let length = Int(item.wanted & 0xFFFF)
    let number: Int
    if _fastPath(item.tags == 0) {
      // A new series may have come since the candidate was chosen; an old one stays.
      let candidate = item.candidate >= 0 ? item.candidate : index.candidate(item.hash)
      // Safe: the name lies within bytes whose slack covers the loads.
      number = unsafe find(
        hasher.words(of: item.name, count: length), item.hash, item.wanted, candidate: candidate)
    } else {
      // Safe: likewise the tags, which end the line.
      number = unsafe find(
        item.name, length, item.name + Int(item.tags), Int(item.span &- item.tags), item.hash,
        SampleKind.counter.rawValue, PlainUse(rawValue: UInt8(item.wanted &>> 30)))
    }
    if _slowPath(number < 0) {
      readAgain(&item)
      return false
    }
    addWhole(touch(number), item.count)
    return true
  }

  /// Counts a line anew whose spelling is not known, or that was no plain count.
  @inline(never)
  private mutating func readAgain(_ item: inout DeferredSamples.Item) {
    sender = Int(item.sender)
    // It has been booked as read.
    tally.lines &-= 1
    let start = Int(item.before)
    // Safe: the line's LF stands behind the shorter view, and what follows is the rest of the bytes or their slack.
    let bytes = unsafe PaddedBytes(unsafeBase: item.name - start, count: start &+ Int(item.span))
    _ = countOdd(bytes, start, SeparatorWindow(bytes, from: start))
  }

  @inline(never)
  private mutating func addMissing(_ item: inout DeferredSamples.Item) -> Bool {
    sender = Int(item.sender)
    var sample = Sample()
    _ = reader.read(item.bytes, at: item.start, into: &sample)
    return applyMissing(item.bytes, sample, item.hash)
  }

  @inline(never)
  private mutating func addSample(_ item: inout DeferredSamples.Item) {
    let number = find(item.line, item.bytes, item.start, item.hash)
    if _slowPath(number < 0) {
      if !addMissing(&item) { return }
    } else {
      add(item.line, at: item.timestamp, item.bytes, to: number)
    }
    book(item.line.kind)
    if _slowPath(item.skippedSections > 0 || item.timestamp != Sample.noTimestamp) {
      bookOddities(item.skippedSections, item.timestamp)
    }
  }
}
