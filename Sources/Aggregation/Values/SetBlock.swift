/// What one worker gathered of one set in one half: HyperLogLog registers that were raised, in a hash table of words, or all of them.
///
///     offset  bytes
///          0      4  registers in use (table only)
///          4      4  slots of the table, a power of two from 16 to 2,048; 0: all registers, a byte each
///          8  4 * s  table: 0 is empty, else 1 << 31 | register << 8 | rank
///          8  16384  all registers' ranks
///
/// - Invariant: at most 3/4 of the slots are in use.
@safe
struct SetBlock {
  private static let largestTable: UInt32 = 2_048

  private let base: UnsafeMutableRawPointer

  init(unsafeBase base: UnsafeMutableRawPointer) { unsafe self.base = base }

  /// Where the block lies.
  @unsafe var address: UnsafeMutableRawPointer { unsafe base }

  /// Allocates an empty block: a table of `slots`, or with 0 all registers. Whoever holds its address frees it.
  static func make(slots: UInt32 = 16) -> SetBlock {
    let block = unsafe SetBlock(unsafeBase: .allocate(byteCount: 8 + roomBytes(slots), alignment: 16))
    unsafe block.base.storeBytes(of: slots, toByteOffset: 4, as: UInt32.self)
    block.clear()
    return block
  }

  // Safe: all of the below, the offsets are those of the table above; slots are masked, registers are below 16,384.

  private var used: UInt32 {
    get { unsafe base.load(as: UInt32.self) }
    nonmutating set { unsafe base.storeBytes(of: newValue, as: UInt32.self) }
  }
  private var slots: UInt32 { unsafe base.load(fromByteOffset: 4, as: UInt32.self) }

  /// Raises `register` to `rank` if it is lower.
  /// - Returns: the block to use from now on: itself, or a larger copy, in which case this one has been freed.
  /// - Complexity: O(1) expected, without allocation unless it grows.
  @inline(__always)
  func raise(_ register: Int, to rank: UInt8) -> SetBlock {
    let slots = slots
    if slots == 0 {
      let ranks = unsafe (base + 8).assumingMemoryBound(to: UInt8.self)
      if unsafe ranks[register] < rank { unsafe ranks[register] = rank }
      return self
    }
    let table = unsafe (base + 8).assumingMemoryBound(to: UInt32.self)
    let mask = Int(slots) &- 1
    var place = register & mask
    while true {
      let word = unsafe table[place]
      if word == 0 { break }
      if Int(word & 0x7FFF_FFFF) >> 8 == register {
        if UInt8(truncatingIfNeeded: word) < rank { unsafe table[place] = word & ~0xFF | UInt32(rank) }
        return self
      }
      place = (place &+ 1) & mask
    }
    if _slowPath((used + 1) * 4 > slots * 3) { return grown(toRaise: register, to: rank) }
    unsafe table[place] = 1 << 31 | UInt32(register) << 8 | UInt32(rank)
    used &+= 1
    return self
  }

  /// Bytes allocated.
  var byteCount: Int { 8 + Self.roomBytes(slots) }

  /// Forgets all members and keeps the memory.
  func clear() {
    used = 0
    unsafe (base + 8).initializeMemory(as: UInt8.self, repeating: 0, count: Self.roomBytes(slots))
  }

  private static func roomBytes(_ slots: UInt32) -> Int { slots == 0 ? HyperLogLog.registers : Int(slots) * 4 }

  /// Whether the block holds all registers, 16 KiB.
  var isLarge: Bool { slots == 0 }

  /// The raised registers with their ranks, in no order.
  func forEachRegister(_ body: (Int, UInt8) -> Void) {
    if slots == 0 {
      let ranks = unsafe (base + 8).assumingMemoryBound(to: UInt8.self)
      for register in 0..<HyperLogLog.registers where unsafe ranks[register] != 0 {
        unsafe body(register, ranks[register])
      }
      return
    }
    let table = unsafe (base + 8).assumingMemoryBound(to: UInt32.self)
    for place in 0..<Int(slots) {
      let word = unsafe table[place]
      if word != 0 { body(Int(word & 0x7FFF_FFFF) >> 8, UInt8(truncatingIfNeeded: word)) }
    }
  }

  @inline(never)
  private func grown(toRaise register: Int, to rank: UInt8) -> SetBlock {
    var larger = Self.make(slots: slots == Self.largestTable ? 0 : slots * 2)
    forEachRegister { larger = larger.raise($0, to: $1) }
    unsafe base.deallocate()
    return larger.raise(register, to: rank)
  }
}
