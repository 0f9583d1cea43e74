import CLinux
import Platform

/// Finds a number (of a record, of a series) by the hash of its spelling.
///
///     slot    63           32 31            0
///            |   tag (hash)  |  number + 1   |      0 is an empty slot
///
/// Open addressing with linear probing, at most half full. A tag's upper bits are its home slot, so the index grows, and takes a
/// slot back by shifting its followers, without a look at any key. The caller compares keys: a tag that fits is only a hint.
/// - Invariant: `count * 2 <= capacity`, the capacity is a power of two from 4,096 to 2^31.
/// - Complexity: `find` and `insert` O(1) expected; growth O(capacity), a streaming pass (about 2 ns a slot).
@safe
struct SpellingIndex: ~Copyable {
  private(set) var count = 0
  private var memory: Reservation
  @usableFromInline var slots: UnsafeMutablePointer<UInt64>
  /// A home slot is `tag >> shift`.
  @usableFromInline var shift: UInt32
  @usableFromInline var mask: Int

  init() throws(SystemError) {
    try self.init(bits: 12)
  }

  private init(bits: Int) throws(SystemError) {
    memory = try Reservation(byteCount: 8 << bits, usesHugePages: true)
    shift = UInt32(32 - bits)
    mask = (1 << bits) - 1
    unsafe slots = memory.base.assumingMemoryBound(to: UInt64.self)
  }

  /// Bytes that the slots take.
  var byteCount: Int { (mask + 1) * 8 }

  /// The first place to look for `hash`.
  @inline(__always)
  func home(of hash: UInt64) -> Int { Int(truncatingIfNeeded: hash &>> 32) &>> Int(shift) }

  /// The number at `place` (0 or above) if its tag fits `hash`; -1 if the tag differs; -2 if the slot is empty.
  @inline(__always)
  func probe(_ place: Int, for hash: UInt64) -> Int {
    // Safe: callers step with `next(after:)`, which stays within the mask.
    let slot = unsafe slots[place]
    if _slowPath(slot == 0) { return -2 }
    if _fastPath((slot ^ hash) &>> 32 == 0) { return Int(truncatingIfNeeded: slot & 0xFFFF_FFFF) &- 1 }
    return -1
  }

  @inline(__always)
  func next(after place: Int) -> Int { (place &+ 1) & mask }

  /// Asks for the cache line of `hash`'s home slot.
  @inline(__always)
  func prefetch(_ hash: UInt64) { unsafe footfall_prefetch(slots + home(of: hash)) }

  /// The number in `hash`'s home slot if the tag fits, else -1: what a prefetch of the record may bet on.
  @inline(__always)
  func guess(_ hash: UInt64) -> Int { probe(home(of: hash), for: hash) }

  /// Adds `number`; the caller knows that its key is not there.
  mutating func insert(_ number: Int, hash: UInt64) {
    if (count + 1) * 2 > mask + 1 { grow() }
    count += 1
    place(hash & 0xFFFF_FFFF_0000_0000 | UInt64(number + 1))
  }

  /// Takes `number` out and closes the gap.
  mutating func remove(_ number: Int, hash: UInt64) {
    let wanted = hash & 0xFFFF_FFFF_0000_0000 | UInt64(number + 1)
    var hole = home(of: hash)
    // Safe: every place is masked.
    while unsafe slots[hole] != wanted {
      precondition(unsafe slots[hole] != 0, "a number that is not in the index")
      hole = next(after: hole)
    }
    var follower = next(after: hole)
    while unsafe slots[follower] != 0 {
      let slot = unsafe slots[follower]
      // The follower may move into the hole if its home does not lie behind it (cyclically).
      if (follower &- home(of: slot)) & mask >= (follower &- hole) & mask {
        unsafe slots[hole] = slot
        hole = follower
      }
      follower = next(after: follower)
    }
    unsafe slots[hole] = 0
    count -= 1
  }

  private mutating func place(_ slot: UInt64) {
    var place = home(of: slot)
    // Safe: every place is masked, and half of the slots are empty.
    while unsafe slots[place] != 0 { place = next(after: place) }
    unsafe slots[place] = slot
  }

  @inline(never)
  private mutating func grow() {
    // Without a larger index nothing more can be counted, and half full leaves no room to go on with this one.
    guard var larger = try? SpellingIndex(bits: 32 - Int(shift) + 1) else {
      fatalError("no address space for the index of series")
    }
    for index in 0...mask {
      // Safe: within the capacity.
      let slot = unsafe slots[index]
      if slot != 0 { larger.place(slot) }
    }
    larger.count = count
    self = larger
  }
}
