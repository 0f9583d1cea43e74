/// The checksum of iSCSI (RFC 3720, 12.1 and B.4), Castagnoli's polynomial: it finds every change of up to 32 neighbouring bits, and of
/// all others all but one in 2^32.
///
/// Eight tables, so that eight bytes are taken at once (Intel, "slicing-by-8"): about a gigabyte a second, far more than a journal writes,
/// and on every processor.
struct CRC32C {
  private var register: UInt32 = ~0

  /// The checksum of what was added so far.
  var value: UInt32 { ~register }

  /// The checksum of `bytes`.
  static func of(_ bytes: Span<UInt8>) -> UInt32 {
    var checksum = CRC32C()
    checksum.add(bytes)
    return checksum.value
  }

  /// Goes on with `bytes`.
  /// - Complexity: O(count).
  mutating func add(_ bytes: Span<UInt8>) {
    let tables = Self.tables.span
    var crc = register
    var place = 0
    while place + 8 <= bytes.count {
      // One byte a table: the first four meet the register.
      let low = crc ^ Self.word(bytes, at: place)
      let high = Self.word(bytes, at: place + 4)
      crc = tables[7 * 256 + Int(low & 0xFF)] ^ tables[6 * 256 + Int(low >> 8 & 0xFF)]
      crc ^= tables[5 * 256 + Int(low >> 16 & 0xFF)] ^ tables[4 * 256 + Int(low >> 24)]
      crc ^= tables[3 * 256 + Int(high & 0xFF)] ^ tables[2 * 256 + Int(high >> 8 & 0xFF)]
      crc ^= tables[256 + Int(high >> 16 & 0xFF)] ^ tables[Int(high >> 24)]
      place += 8
    }
    while place < bytes.count {
      crc = crc >> 8 ^ tables[Int((crc ^ UInt32(bytes[place])) & 0xFF)]
      place += 1
    }
    register = crc
  }

  @inline(__always)
  private static func word(_ bytes: Span<UInt8>, at place: Int) -> UInt32 {
    UInt32(bytes[place]) | UInt32(bytes[place + 1]) << 8 | UInt32(bytes[place + 2]) << 16 | UInt32(bytes[place + 3])
      << 24
  }

  /// Table t at byte b, at `t * 256 + b`: what byte b does to the register when t more bytes follow it.
  private static let tables: [UInt32] = {
    // The polynomial 0x1EDC6F41 with its bits turned round, as the register's are.
    let polynomial: UInt32 = 0x82F6_3B78
    var tables: [UInt32] = (0..<256).map { byte in
      (0..<8).reduce(UInt32(byte)) { crc, _ in crc & 1 == 1 ? crc >> 1 ^ polynomial : crc >> 1 }
    }
    for place in 256..<8 * 256 {
      let before = tables[place - 256]
      tables.append(before >> 8 ^ tables[Int(before & 0xFF)])
    }
    return tables
  }()
}
