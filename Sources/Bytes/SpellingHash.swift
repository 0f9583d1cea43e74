/// The hash under which a series is found: seeded, so that nobody outside can make keys that collide.
///
/// Built like wyhash's inner step (Wang Yi, "wyhash", public domain): 64 x 64 -> 128 bit multiplies, high and low folded together, each
/// word under a secret of this process. Up to 32 bytes cost four masked loads and three multiplies, without a branch on the length;
/// the callers' bytes are padded (`PaddedBytes.slack`), so that the loads may pass the end.
@safe @frozen @usableFromInline
package struct SpellingHash: @unchecked Sendable {  // the table is never written after init
  /// 32 bytes of ones, then 32 of zeros: 32 bytes from place 32 - n are a mask of n bytes. Behind them the five secrets.
  @usableFromInline let table: UnsafePointer<UInt64>

  /// Never freed: one table a process would do, and a handful exist.
  package init(seed: UInt64) {
    let words = UnsafeMutablePointer<UInt64>.allocate(capacity: 13)
    unsafe words.initialize(repeating: 0, count: 13)
    // Safe: within the words just allocated.
    unsafe words.update(repeating: .max, count: 4)
    var state = seed
    for place in 8..<13 {
      // SplitMix64 (Steele, Lea, Flood 2014).
      state &+= 0x9E37_79B9_7F4A_7C15
      unsafe words[place] = Self.fold(state ^ 0x2D35_8DCC_AA6C_78A5, state ^ 0x8BB8_4B93_962E_ACC9) ^ state
    }
    unsafe table = UnsafePointer(words)
  }

  /// Up to 32 bytes as they lie in memory, zero behind their end.
  @frozen @usableFromInline
  package struct Words {
    @usableFromInline package let word0, word1, word2, word3: UInt64

    @inlinable @inline(__always)
    init(_ word0: UInt64, _ word1: UInt64, _ word2: UInt64, _ word3: UInt64) {
      (self.word0, self.word1, self.word2, self.word3) = (word0, word1, word2, word3)
    }
  }

  /// The `count` bytes (at most 32) at `bytes`, of which 32 may be read.
  @unsafe @inlinable @inline(__always)
  package func words(of bytes: UnsafeRawPointer, count: Int) -> Words {
    let mask = unsafe UnsafeRawPointer(table) + (32 &- count)
    return unsafe Words(
      Self.load(bytes) & Self.load(mask), Self.load(bytes + 8) & Self.load(mask + 8),
      Self.load(bytes + 16) & Self.load(mask + 16), Self.load(bytes + 24) & Self.load(mask + 24))
  }

  /// The hash of a short text, mixed with `salt`.
  @inlinable @inline(__always)
  package func hash(_ words: Words, salt: UInt64) -> UInt64 { finish(digest(words), salt: salt) }

  /// A hash of `count` bytes at `bytes`, mixed with `salt`; of a short text that of its words.
  /// - Precondition: 32 bytes from any place within the text may be read.
  /// - Complexity: O(`count`).
  @unsafe @inlinable @inline(__always)
  package func hash(_ bytes: UnsafeRawPointer, count: Int, salt: UInt64) -> UInt64 {
    unsafe finish(digest(bytes, count), salt: salt)
  }

  /// A hash of a text in two pieces, the first one short.
  @unsafe @inlinable @inline(__always)
  package func hash(_ first: Words, _ second: UnsafeRawPointer, count: Int, salt: UInt64) -> UInt64 {
    unsafe finish(digest(first), salt: salt, digest(second, count))
  }

  /// A hash of a text in two pieces.
  @unsafe @inlinable @inline(__always)
  package func hash(
    _ first: UnsafeRawPointer, count: Int, _ second: UnsafeRawPointer, count secondCount: Int, salt: UInt64
  ) -> UInt64 {
    unsafe finish(digest(first, count), salt: salt, digest(second, secondCount))
  }

  @unsafe @inlinable @inline(__always)
  func digest(_ bytes: UnsafeRawPointer, _ count: Int) -> UInt64 {
    var from = unsafe bytes
    var left = count
    var state: UInt64 = 0
    while _slowPath(left > 32) {
      let words = unsafe Words(
        Self.load(from), Self.load(from + 8), Self.load(from + 16), Self.load(from + 24))
      state = digest(words, state)
      unsafe from += 32
      left &-= 32
    }
    return unsafe digest(words(of: from, count: left), state)
  }

  /// - Parameter state: the digest of what comes before.
  @inlinable @inline(__always)
  func digest(_ words: Words, _ state: UInt64 = 0) -> UInt64 {
    Self.fold(words.word0 ^ secret(0), words.word1 ^ secret(1) ^ state)
      ^ Self.fold(words.word2 ^ secret(2), words.word3 ^ secret(3))
  }

  /// Bit 32 is set in every hash: its upper half, the tag of an index's slot, is never that of an empty slot.
  @inlinable @inline(__always)
  func finish(_ digest: UInt64, salt: UInt64, _ second: UInt64 = 0) -> UInt64 {
    Self.fold(digest ^ salt, second ^ secret(4)) | 1 &<< 32
  }

  /// Whether `count` bytes (at most 32) at `bytes` equal those at `stored`; both may be read for 32 bytes.
  @unsafe @inlinable @inline(__always)
  package func isEqual(_ bytes: UnsafeRawPointer, _ stored: UnsafeRawPointer, count: Int) -> Bool {
    let mask = unsafe UnsafeRawPointer(table) + (32 &- count)
    let differ0 = unsafe (Self.load(bytes) ^ Self.load(stored)) & Self.load(mask)
    let differ1 = unsafe (Self.load(bytes + 8) ^ Self.load(stored + 8)) & Self.load(mask + 8)
    let differ2 = unsafe (Self.load(bytes + 16) ^ Self.load(stored + 16)) & Self.load(mask + 16)
    let differ3 = unsafe (Self.load(bytes + 24) ^ Self.load(stored + 24)) & Self.load(mask + 24)
    return (differ0 | differ1 | differ2 | differ3) == 0
  }

  @inlinable @inline(__always)
  func secret(_ number: Int) -> UInt64 {
    // Safe: five of them stand behind the mask's eight words.
    unsafe table[8 &+ number]
  }

  @unsafe @inlinable @inline(__always)
  static func load(_ place: UnsafeRawPointer) -> UInt64 { unsafe place.loadUnaligned(as: UInt64.self) }

  @inlinable @inline(__always)
  static func fold(_ left: UInt64, _ right: UInt64) -> UInt64 {
    let product = left.multipliedFullWidth(by: right)
    return product.low ^ product.high
  }
}
