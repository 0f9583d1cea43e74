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

  struct Item {
    var bytes: PaddedBytes
    var sender: Int
    var hash: UInt64
    var start: Int
    /// A plain count: of the line only the whole number and the places of name and tags are set.
    var isPlain: Bool
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
      let window = SeparatorWindow(bytes, from: at)
      if let plain = reader.readPlain(bytes, at: at, window) {
        deferPlain(plain, bytes, at)
        lines &+= 1
        at = plain.next
      } else {
        at = deferLine(bytes, at, window)
      }
    }
    tally.lines &+= lines
  }

  @inline(__always)
  private mutating func deferPlain(_ plain: LineReader.PlainCount, _ bytes: PaddedBytes, _ start: Int) {
    let hash = hash(of: plain, bytes, start)
    index.prefetch(hash)
    // Safe: the item is plain memory, and `count` is below the limit whenever this is called.
    let item = unsafe deferred.free
    unsafe item.pointee.bytes = bytes
    unsafe item.pointee.sender = sender
    unsafe item.pointee.hash = hash
    unsafe item.pointee.isPlain = true
    unsafe item.pointee.start = start
    unsafe item.pointee.line.nameEnd = plain.nameEnd
    unsafe item.pointee.line.tagsStart = plain.tagsStart
    unsafe item.pointee.line.tagsEnd = plain.tagsEnd
    unsafe item.pointee.line.number.integer = plain.count
    if plain.tagsEnd > 0 { deferred.ownMore = true }
    take()
  }

  /// Puts off a line of any shape that has one sample; what has more waits for those before it and is counted at once.
  @inline(never)
  private mutating func deferLine(_ bytes: PaddedBytes, _ start: Int, _ window: SeparatorWindow) -> Int {
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
    unsafe item.pointee.sender = sender
    unsafe item.pointee.hash = hash
    unsafe item.pointee.start = start
    unsafe item.pointee.isPlain = false
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
      let number = index.guess(unsafe deferred.items[place].hash)
      if number >= 0 { record(number).prefetch() }
    }
    if deferred.ownMore {
      for place in 0..<count {
        let number = index.guess(unsafe deferred.items[place].hash)
        if number >= 0 { record(number).prefetchOwned(half) }
      }
      deferred.ownMore = false
    }
    let current = sender
    var plainCounts: UInt64 = 0
    for place in 0..<count {
      let item = unsafe deferred.items + place
      if unsafe item.pointee.isPlain {
        if unsafe addPlain(&item.pointee) { plainCounts &+= 1 }
      } else {
        unsafe sender = item.pointee.sender
        unsafe addSample(&item.pointee)
      }
    }
    sender = current
    bookPlain(plainCounts)
  }

  @inline(__always)
  private mutating func addPlain(_ item: inout DeferredSamples.Item) -> Bool {
    let start = item.start
    let length = item.line.nameEnd &- start
    let kind = SampleKind.counter.rawValue
    // Safe: name and tags lie within the bytes, whose slack covers the loads.
    let name = unsafe item.bytes.address(of: start)
    let number: Int
    if item.line.tagsEnd == 0 {
      number = unsafe find(hasher.words(of: name, count: length), length, item.hash, kind)
    } else {
      number = unsafe find(
        name, length, item.bytes.address(of: item.line.tagsStart), item.line.tagsEnd &- item.line.tagsStart,
        item.hash, kind)
    }
    if _slowPath(number < 0) { return addMissing(&item) }
    addWhole(touch(number), item.line.number.integer)
    return true
  }

  @inline(never)
  private mutating func addMissing(_ item: inout DeferredSamples.Item) -> Bool {
    sender = item.sender
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
