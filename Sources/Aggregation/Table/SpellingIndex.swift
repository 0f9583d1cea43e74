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

  /// - Parameter bits: of the capacity.
  init(bits: Int) throws(SystemError) {
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
    let slot = slot(place)
    if slot == 0 { return -2 }
    return Self.fits(slot, hash) ? Self.number(in: slot) : -1
  }

  /// The slot at `place`; 0 if it is empty.
  @inline(__always)
  func slot(_ place: Int) -> UInt64 {
    // Safe: callers step with `next(after:)`, which stays within the mask.
    unsafe slots[place]
  }

  /// Whether a slot's tag is that of `hash`. No hash has a tag of 0 (`SpellingHash`), so an empty slot fits none.
  @inline(__always)
  static func fits(_ slot: UInt64, _ hash: UInt64) -> Bool { (slot ^ hash) &>> 32 == 0 }

  /// The number in a slot that is not empty.
  @inline(__always)
  static func number(in slot: UInt64) -> Int { Int(truncatingIfNeeded: slot & 0xFFFF_FFFF) &- 1 }

  @inline(__always)
  func next(after place: Int) -> Int { (place &+ 1) & mask }

  /// Asks for the cache line of `hash`'s home slot.
  @inline(__always)
  func prefetch(_ hash: UInt64) { unsafe footfall_prefetch(slots + home(of: hash)) }

  /// The number in the first slot whose tag fits, -1 if there is none: whoever it belongs to most likely has this hash.
  ///
  /// Of the first two slots it chooses without a branch. One of them holds nearly every number that is there, and which one cannot be
  /// predicted.
  @inline(__always)
  func candidate(_ hash: UInt64) -> Int {
    let home = home(of: hash)
    let first = slot(home)
    let slot = Self.fits(first, hash) ? first : slot(next(after: home))
    return _fastPath(Self.fits(slot, hash)) ? Self.number(in: slot) : candidate(hash, from: home)
  }

  @inline(never)
  private func candidate(_ hash: UInt64, from home: Int) -> Int {
    var place = home
    while true {
      let number = probe(place, for: hash)
      if number != -1 { return max(number, -1) }
      place = next(after: place)
    }
  }

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
