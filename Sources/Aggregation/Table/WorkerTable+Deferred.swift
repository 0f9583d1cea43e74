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
    /// Of the sample only line, name, tags and `integer` are set: a count whose name begins with the line.
    var isPlain: Bool
    var sample: Sample
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
    unsafe item.pointee.sample.lineStart = start
    unsafe item.pointee.sample.nameEnd = plain.nameEnd
    unsafe item.pointee.sample.tagsStart = plain.tagsStart
    unsafe item.pointee.sample.tagsEnd = plain.tagsEnd
    unsafe item.pointee.sample.integer = plain.count
    if plain.tagsEnd > 0 { deferred.ownMore = true }
    take()
  }

  /// Puts off a line of any shape that has one sample; what has more waits for those before it and is counted at once.
  @inline(never)
  private mutating func deferLine(_ bytes: PaddedBytes, _ start: Int, _ window: SeparatorWindow) -> Int {
    // Safe: the item is plain memory.
    let item = unsafe deferred.free
    let next = unsafe reader.read(bytes, at: start, window, into: &item.pointee.sample)
    let form = unsafe item.pointee.sample.form
    if form == .empty { return next }
    tally.lines &+= 1
    let kind = unsafe item.pointee.sample.kind
    if form != .single || kind == .event || kind == .serviceCheck {
      var sample = unsafe item.pointee.sample
      if form != .refused { addDeferred() }
      count(bytes, &sample)
      return next
    }
    let hash = unsafe hash(of: item.pointee.sample, bytes)
    index.prefetch(hash)
    unsafe item.pointee.bytes = bytes
    unsafe item.pointee.sender = sender
    unsafe item.pointee.hash = hash
    unsafe item.pointee.isPlain = false
    deferred.ownMore = true
    take()
    return next
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
    let start = item.sample.lineStart
    let length = item.sample.nameEnd &- start
    let kind = SampleKind.counter.rawValue
    // Safe: name and tags lie within the bytes, whose slack covers the loads.
    let name = unsafe item.bytes.address(of: start)
    let number: Int
    if item.sample.tagsEnd == 0 {
      number = unsafe find(hasher.words(of: name, count: length), length, item.hash, kind)
    } else {
      number = unsafe find(
        name, length, item.bytes.address(of: item.sample.tagsStart), item.sample.tagsEnd &- item.sample.tagsStart,
        item.hash, kind)
    }
    if _slowPath(number < 0) { return addMissing(&item) }
    addWhole(touch(number), item.sample.integer)
    return true
  }

  @inline(never)
  private mutating func addMissing(_ item: inout DeferredSamples.Item) -> Bool {
    sender = item.sender
    let start = item.sample.lineStart
    _ = reader.read(item.bytes, at: start, into: &item.sample)
    return applyMissing(item.bytes, item.sample, item.hash)
  }

  @inline(never)
  private mutating func addSample(_ item: inout DeferredSamples.Item) {
    if apply(item.bytes, &item.sample, hash: item.hash) {
      tally.samples[Int(item.sample.kind.rawValue)] &+= 1
      accept(item.sample)
    }
  }
}
