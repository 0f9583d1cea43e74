import Testing

@testable import Storage

@Suite struct `the checksum` {
  /// RFC 3720, B.4, the last of them a whole SCSI command; and the check value of the catalogue of parametrised CRCs.
  static let vectors: [([UInt8], UInt32)] = [
    (Array(repeating: 0, count: 32), 0x8A91_36AA),
    (Array(repeating: 0xFF, count: 32), 0x62A8_AB43),
    (Array(0...0x1F), 0x46DD_794E),
    (Array((0...0x1F).reversed()), 0x113F_DB5C),
    (
      [0x01, 0xC0] + Array(repeating: 0, count: 14)
        + [
          0x14, 0, 0, 0, 0, 0, 0x04, 0, 0, 0, 0, 0x14, 0, 0, 0, 0x18, 0x28, 0, 0, 0, 0, 0, 0, 0, 0x02, 0, 0, 0, 0, 0, 0,
          0,
        ],
      0xD996_3A56
    ),
    (Array("123456789".utf8), 0xE306_9283),
    ([], 0),
  ]

  @Test(arguments: vectors)
  func `is that of the standard's vectors`(_ bytes: [UInt8], _ wanted: UInt32) {
    #expect(CRC32C.of(bytes.span) == wanted)
  }

  @Test func `is the same however the bytes are cut`() {
    let bytes = (0..<100).map { UInt8(truncatingIfNeeded: $0 * 7) }
    for first in 0...bytes.count {
      for second in first...bytes.count {
        var checksum = CRC32C()
        checksum.add(bytes.span.extracting(..<first))
        checksum.add(bytes.span.extracting(first..<second))
        checksum.add(bytes.span.extracting(second...))
        #expect(checksum.value == CRC32C.of(bytes.span))
      }
    }
  }
}
