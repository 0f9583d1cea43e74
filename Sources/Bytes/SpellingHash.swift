/// The hash under which a series is found: seeded, so that nobody outside can make keys that collide.
///
/// Built like wyhash's inner step (Wang Yi, "wyhash", public domain): 64 x 64 -> 128 bit multiplies, high and low folded together.
/// Up to 32 bytes cost four masked loads and three multiplies, without a branch on the length; the callers' bytes are padded
/// (`PaddedBytes.slack`), so that the loads may pass the end.
@safe @frozen @usableFromInline
package struct SpellingHash: @unchecked Sendable {  // the table is never written after init
  /// Random for each process; every bit of it reaches every bit of a hash.
  @usableFromInline let seed: UInt64
  /// 32 bytes of ones, then 32 of zeros: 32 bytes from place 32 - n are a mask of n bytes.
  @usableFromInline let masks: UnsafePointer<UInt64>

  /// Never freed: one table a process would do, and a handful exist.
  package init(seed: UInt64) {
    self.seed = seed
    let table = UnsafeMutablePointer<UInt64>.allocate(capacity: 8)
    unsafe table.initialize(repeating: 0, count: 8)
    // Safe: four of the eight words just allocated.
    unsafe table.update(repeating: .max, count: 4)
    unsafe masks = UnsafePointer(table)
  }

  /// A hash of `count` bytes at `bytes`, mixed with `salt`.
  /// - Precondition: 32 bytes from any place within the text may be read.
  /// - Complexity: O(`count`).
  @unsafe @inlinable @inline(__always)
  package func hash(_ bytes: UnsafeRawPointer, count: Int, salt: UInt64) -> UInt64 {
    var from = unsafe bytes
    var left = count
    var state = seed ^ salt
    while _slowPath(left > 32) {
      unsafe state =
        Self.fold(Self.load(from) ^ Self.secret0, Self.load(from + 8) ^ state)
        ^ Self.fold(Self.load(from + 16) ^ Self.secret1, Self.load(from + 24) ^ Self.secret2)
      unsafe from += 32
      left &-= 32
    }
    let mask = unsafe UnsafeRawPointer(masks) + (32 &- left)
    let word0 = unsafe Self.load(from) & Self.load(mask)
    let word1 = unsafe Self.load(from + 8) & Self.load(mask + 8)
    let word2 = unsafe Self.load(from + 16) & Self.load(mask + 16)
    let word3 = unsafe Self.load(from + 24) & Self.load(mask + 24)
    return Self.fold(
      Self.fold(word0 ^ Self.secret0, word1 ^ state) ^ Self.fold(word2 ^ Self.secret1, word3 ^ Self.secret2)
        ^ UInt64(truncatingIfNeeded: count),
      Self.secret3)
  }

  /// Whether `count` bytes (at most 32) at `bytes` equal those at `stored`; both may be read for 32 bytes.
  @unsafe @inlinable @inline(__always)
  package func isEqual(_ bytes: UnsafeRawPointer, _ stored: UnsafeRawPointer, count: Int) -> Bool {
    let mask = unsafe UnsafeRawPointer(masks) + (32 &- count)
    let differ0 = unsafe (Self.load(bytes) ^ Self.load(stored)) & Self.load(mask)
    let differ1 = unsafe (Self.load(bytes + 8) ^ Self.load(stored + 8)) & Self.load(mask + 8)
    let differ2 = unsafe (Self.load(bytes + 16) ^ Self.load(stored + 16)) & Self.load(mask + 16)
    let differ3 = unsafe (Self.load(bytes + 24) ^ Self.load(stored + 24)) & Self.load(mask + 24)
    return (differ0 | differ1 | differ2 | differ3) == 0
  }

  /// Joins the hash of a second piece (a line's tags) to that of the first.
  @inlinable @inline(__always)
  package static func join(_ first: UInt64, _ second: UInt64) -> UInt64 { fold(first ^ secret1, second ^ secret2) }

  @unsafe @inlinable @inline(__always)
  static func load(_ place: UnsafeRawPointer) -> UInt64 { unsafe place.loadUnaligned(as: UInt64.self) }

  @inlinable @inline(__always)
  static func fold(_ left: UInt64, _ right: UInt64) -> UInt64 {
    let product = left.multipliedFullWidth(by: right)
    return product.low ^ product.high
  }

  // Odd 64-bit numbers with 32 bits set, as wyhash asks of its secrets.
  @usableFromInline static let secret0: UInt64 = 0x2D35_8DCC_AA6C_78A5
  @usableFromInline static let secret1: UInt64 = 0x8BB8_4B93_962E_ACC9
  @usableFromInline static let secret2: UInt64 = 0x4B33_A62E_D433_D4A3
  @usableFromInline static let secret3: UInt64 = 0x4D5A_2DA5_1DE1_AA47
}
