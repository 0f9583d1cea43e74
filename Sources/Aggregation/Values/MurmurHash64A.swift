/// MurmurHash2 for 64-bit machines (Austin Appleby, public domain), which Redis hashes a HyperLogLog's members with.
enum MurmurHash64A {
  /// - Complexity: O(bytes).
  @inline(__always)
  static func hash(_ bytes: UnsafeRawBufferPointer, seed: UInt64) -> UInt64 {
    let multiplier: UInt64 = 0xC6A4_A793_5BD1_E995
    var hash = seed ^ UInt64(truncatingIfNeeded: bytes.count) &* multiplier
    var at = 0
    while at + 8 <= bytes.count {
      // Safe: the loop's condition.
      var word = unsafe UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: at, as: UInt64.self))
      word = word &* multiplier
      word ^= word >> 47
      word = word &* multiplier
      hash = (hash ^ word) &* multiplier
      at += 8
    }
    if at < bytes.count { hash = unsafe (hash ^ tail(bytes, from: at)) &* multiplier }
    hash ^= hash >> 47
    hash = hash &* multiplier
    return hash ^ hash >> 47
  }

  /// The last one to seven bytes as a number, the first lowest.
  @inline(__always)
  private static func tail(_ bytes: UnsafeRawBufferPointer, from at: Int) -> UInt64 {
    let left = bytes.count - at
    // Safe: two loads that overlap stay within the bytes; what they share they agree on.
    if bytes.count >= 8 {
      let last = unsafe UInt64(
        littleEndian: bytes.loadUnaligned(fromByteOffset: bytes.count - 8, as: UInt64.self))
      return last &>> UInt64(truncatingIfNeeded: (8 - left) * 8)
    }
    if left >= 4 {
      let first = unsafe UInt32(littleEndian: bytes.loadUnaligned(as: UInt32.self))
      let last = unsafe UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: left - 4, as: UInt32.self))
      return UInt64(first) | UInt64(last) &<< UInt64(truncatingIfNeeded: (left - 4) * 8)
    }
    let middle = left / 2
    return unsafe UInt64(bytes[0]) | UInt64(bytes[middle]) &<< UInt64(truncatingIfNeeded: middle * 8)
      | UInt64(bytes[left - 1]) &<< UInt64(truncatingIfNeeded: (left - 1) * 8)
  }
}
