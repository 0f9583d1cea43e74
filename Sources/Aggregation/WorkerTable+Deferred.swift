import Bytes
import Protocol

/// Plain counts of one batch that wait while their records come from memory.
///
///     line ─ hash ─ ask for the slot ┐ (32 times)
///                                    └▶ ask for the records ─▶ find and add
///
/// The bytes that they point into are the batch's, so none outlives it.
@safe
struct DeferredCounts: ~Copyable {
  /// Enough to hide a miss of some 100 ns behind the work on the others; more gains nothing.
  static let limit = 32

  struct Item {
    var bytes: PaddedBytes
    var lineStart: Int
    var nameStart: Int
    var nameEnd: Int
    var integer: Int64
    var sender: Int
    var hash: UInt64
  }

  fileprivate let items: UnsafeMutablePointer<Item>
  fileprivate(set) var count = 0

  init() { unsafe items = .allocate(capacity: Self.limit) }

  deinit { unsafe items.deallocate() }
}

extension WorkerTable {
  /// Notes a plain count and asks for its slot.
  @inline(__always)
  mutating func deferPlain(_ bytes: PaddedBytes, _ sample: borrowing Sample) {
    // Safe: the name lies within `bytes`; `count` is below the limit whenever this is called.
    let name = unsafe bytes.address(of: sample.nameStart)
    let hash = unsafe hasher.hash(
      name, count: sample.nameEnd &- sample.nameStart, salt: UInt64(SampleKind.counter.rawValue))
    index.prefetch(hash)
    unsafe (deferred.items + deferred.count).initialize(
      to: DeferredCounts.Item(
        bytes: bytes, lineStart: sample.lineStart, nameStart: sample.nameStart, nameEnd: sample.nameEnd,
        integer: sample.integer, sender: sender, hash: hash))
    deferred.count &+= 1
    if deferred.count == DeferredCounts.limit { countDeferred() }
  }

  /// Counts what was put off.
  @inline(never)
  mutating func countDeferred() {
    let count = deferred.count
    deferred.count = 0
    // Safe, here and below: `count` items are initialized, and they are plain values.
    for place in 0..<count {
      let number = index.guess(unsafe deferred.items[place].hash)
      if number >= 0 { record(number).prefetch() }
    }
    var accepted: UInt64 = 0
    let current = sender
    for place in 0..<count {
      let item = unsafe deferred.items[place]
      let length = item.nameEnd &- item.nameStart
      let number = unsafe find(
        item.bytes.address(of: item.nameStart), length, item.hash, SampleKind.counter.rawValue)
      if _fastPath(number >= 0) {
        addWhole(touch(seriesRecord(number)), item.integer)
        accepted &+= 1
      } else {
        sender = item.sender
        var sample = Sample()
        sample.lineStart = item.lineStart
        sample.nameStart = item.nameStart
        sample.nameEnd = item.nameEnd
        sample.integer = item.integer
        if applyMissing(item.bytes, Self.complete(sample), item.hash) { accepted &+= 1 }
      }
    }
    sender = current
    tally.lines &+= UInt64(count)
    tally.accepted &+= accepted
    tally.samples[Int(SampleKind.counter.rawValue)] &+= accepted
  }
}
