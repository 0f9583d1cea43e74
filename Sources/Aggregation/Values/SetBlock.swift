/// What one worker gathered of one set in one half: the HyperLogLog registers that its members raise, as they came, or all registers.
///
///     offset  bytes
///          0      4  words in use (list only)
///          4      4  words of the list, from 12 to 4,092; 0: all registers, a byte each
///          8  4 * w  list: register << 8 | rank, repetitions included
///          8  16384  all registers' ranks
///
/// A member costs four bytes at the end of a list, which is near in the cache, and no search. A list that is full drops what it repeats,
/// and grows if that was less than half.
@safe
struct SetBlock {
  private static let firstCapacity: UInt32 = 12
  /// A longer list would be larger than all registers.
  private static let largestCapacity: UInt32 = 4_092

  private let base: UnsafeMutableRawPointer

  @inline(__always)
  init(unsafeBase base: UnsafeMutableRawPointer) { unsafe self.base = base }

  /// Where the block lies.
  @unsafe var address: UnsafeMutableRawPointer { unsafe base }

  /// Allocates an empty block. Whoever holds its address frees it.
  static func make() -> SetBlock { make(capacity: firstCapacity) }

  private static func make(capacity: UInt32) -> SetBlock {
    let block = unsafe SetBlock(unsafeBase: .allocate(byteCount: 8 + roomBytes(capacity), alignment: 16))
    unsafe block.base.storeBytes(of: capacity, toByteOffset: 4, as: UInt32.self)
    block.clear()
    return block
  }

  // Safe: all of the below, the offsets are those of the table above; words in use stay below the capacity, registers are below 16,384.

  @inline(__always) private var used: UInt32 {
    get { unsafe base.load(as: UInt32.self) }
    nonmutating set { unsafe base.storeBytes(of: newValue, as: UInt32.self) }
  }
  @inline(__always) private var capacity: UInt32 { unsafe base.load(fromByteOffset: 4, as: UInt32.self) }
  @unsafe @inline(__always) private var words: UnsafeMutablePointer<UInt32> {
    unsafe (base + 8).assumingMemoryBound(to: UInt32.self)
  }
  @unsafe private var list: UnsafeMutableBufferPointer<UInt32> {
    unsafe UnsafeMutableBufferPointer(start: words, count: Int(used))
  }
  @unsafe private var ranks: UnsafeMutablePointer<UInt8> {
    unsafe (base + 8).assumingMemoryBound(to: UInt8.self)
  }

  /// Raises `register` to `rank` at least, if the list has room for it.
  /// - Returns: false if it has none; then nothing has changed.
  @inline(__always)
  func addUsual(_ register: Int, _ rank: UInt8) -> Bool {
    let place = used
    if place >= capacity { return false }
    unsafe words[Int(place)] = UInt32(truncatingIfNeeded: register) &<< 8 | UInt32(rank)
    used = place &+ 1
    return true
  }

  /// Raises `register` to `rank` if it is lower.
  /// - Returns: the block to use from now on: itself, or a larger copy, in which case this one has been freed.
  /// - Complexity: O(1), over many members, without allocation unless it grows.
  func raise(_ register: Int, to rank: UInt8, _ scratch: inout SketchScratch) -> SetBlock {
    if capacity == 0 {
      unsafe ranks[register] = max(ranks[register], rank)
      return self
    }
    if addUsual(register, rank) { return self }
    used = UInt32(unsafe scratch.keepHighest(of: list))
    return (used > capacity / 2 ? grown() : self).raise(register, to: rank, &scratch)
  }

  /// Bytes allocated.
  var byteCount: Int { 8 + Self.roomBytes(capacity) }

  /// Whether the block is far larger than so many registers need.
  func isOversized(for registers: Int) -> Bool { byteCount > 512 && registers * 32 < byteCount }

  /// Forgets all members and keeps the memory.
  func clear() {
    used = 0
    if capacity == 0 { unsafe ranks.initialize(repeating: 0, count: HyperLogLog.registers) }
  }

  private static func roomBytes(_ capacity: UInt32) -> Int { capacity == 0 ? HyperLogLog.registers : Int(capacity) * 4 }

  /// The raised registers with their ranks, sorted by register and without repetition; the list is sorted meanwhile.
  func take(into raises: inout [HyperLogLog.Raise]) {
    raises.removeAll(keepingCapacity: true)
    if capacity == 0 {
      for register in 0..<HyperLogLog.registers where unsafe ranks[register] != 0 {
        unsafe raises.append(.init(register: register, rank: ranks[register]))
      }
      return
    }
    var list = unsafe list
    unsafe list.sort()
    for place in 0..<list.count {
      let word = unsafe list[place]
      let raise = HyperLogLog.Raise(register: Int(word >> 8), rank: UInt8(truncatingIfNeeded: word))
      // The last of a register is its highest.
      if let last = raises.last, last.register == raise.register { raises.removeLast() }
      raises.append(raise)
    }
  }

  /// A copy with a list twice as long, such that the allocator's own 8 bytes make it whole 16s; in the end all registers.
  private func grown() -> SetBlock {
    let larger = Self.make(capacity: capacity == Self.largestCapacity ? 0 : capacity * 2 + 4)
    if larger.capacity == 0 {
      for place in 0..<Int(used) {
        let word = unsafe words[place]
        unsafe larger.ranks[Int(word >> 8)] = UInt8(truncatingIfNeeded: word)
      }
    } else {
      unsafe larger.words.update(from: words, count: Int(used))
      larger.used = used
    }
    unsafe base.deallocate()
    return larger
  }
}
