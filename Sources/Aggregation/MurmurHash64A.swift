/// MurmurHash2 for 64-bit machines (Austin Appleby, public domain), which Redis hashes a HyperLogLog's members with.
enum MurmurHash64A {
  /// - Complexity: O(bytes).
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
    if at < bytes.count {
      var tail: UInt64 = 0
      var shift: UInt64 = 0
      while at < bytes.count {
        unsafe tail |= UInt64(bytes[at]) << shift
        shift += 8
        at += 1
      }
      hash = (hash ^ tail) &* multiplier
    }
    hash ^= hash >> 47
    hash = hash &* multiplier
    return hash ^ hash >> 47
  }
}
