/// Where a key belongs: its slot in a Cluster, its point on the ring of shards. Both are of the hash tag, if the key has one: the bytes
/// between its first `{` and the first `}` after that, unless there are none (the specification of Redis Cluster, "Hash tags").
struct KeyPlace: Equatable, Sendable {
  static let slots = 16_384

  /// Below `slots`.
  let slot: Int
  let point: UInt64

  /// - Complexity: O(n)
  init(of key: some Collection<UInt8>) {
    let key = Array(key)
    var tag = key[...]
    if let open = key.firstIndex(of: UInt8(ascii: "{")),
      let close = key[open...].firstIndex(of: UInt8(ascii: "}")), close > open + 1
    {
      tag = key[open + 1..<close]
    }
    slot = Int(CRC16.of(tag)) % Self.slots
    point = RingHash.of(tag)
  }
}

/// CRC-16/XMODEM: polynomial 0x1021, beginning with 0, no bit turned round; its check value, of "123456789", is 0x31C3.
enum CRC16 {
  static func of(_ bytes: some Sequence<UInt8>) -> UInt16 {
    var crc: UInt16 = 0
    for byte in bytes { crc = crc << 8 ^ table[Int(UInt8(crc >> 8) ^ byte)] }
    return crc
  }

  private static let table: [UInt16] = (0..<256).map { byte in
    (0..<8).reduce(UInt16(byte) << 8) { crc, _ in crc & 0x8000 != 0 ? crc << 1 ^ 0x1021 : crc << 1 }
  }
}

/// The hash of the ring of shards. All agents have to agree on it, now and in every version to come: FNV-1a of 64 bits, whose last bytes
/// hardly reach the upper bits, then the finaliser of MurmurHash3, which spreads them.
enum RingHash {
  static func of(_ bytes: some Sequence<UInt8>) -> UInt64 {
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01B3 }
    hash = (hash ^ hash >> 33) &* 0xFF51_AFD7_ED55_8CCD
    hash = (hash ^ hash >> 33) &* 0xC4CE_B9FE_1A85_EC53
    return hash ^ hash >> 33
  }
}
