import Platform

/// The bytes of a segment, all numbers little-endian.
///
///     header, 48 bytes                          frame, 32 bytes and its payload
///      0   8  "footfall"                         0   4  F7 'f' 'f' 'J'
///      8   4  version of the format: 1           4   1  kind: 1 changes, 2 slice of a snapshot
///     12  16  agent id                           5   1  flags: 1 ends a batch, 2 begins a snapshot, 4 ends a snapshot
///     28   8  number of the segment              6   2  0
///     36   8  number of its first frame          8   4  bytes of the payload, at most 1 MiB
///     44   4  CRC32C of the 44 bytes before     12   8  number of the frame: one more than that of the frame before
///                                               20   8  seconds since 1970 when it was made
///                                               28   4  CRC32C of the 28 bytes before and of the payload
///                                               32      payload
///
/// Every version keeps the header's size, its first 12 bytes and its checksum, so that a newer one is told from a damaged one.
///
/// A frame counts only if no later segment begins with its number or a lower one: what was written and then given up is superseded that
/// way, without anybody having to remove it. A batch counts only if it is whole or something follows it: a tail without the frame that ends
/// its batch is cut.
package enum SegmentFormat {
  package static let version: UInt32 = 1
  package static let headerBytes = 48
  package static let headBytes = 32
  /// The most that one frame's payload may hold; a length beyond is damage.
  package static let longestPayload = 1 << 20

  static let magic = Array("footfall".utf8)
  static let frameMagic: [UInt8] = [0xF7, 0x66, 0x66, 0x4A]
  private static let prefix = "journal-"

  /// The file's name of a segment: `journal-000000000000002a`.
  static func name(of number: UInt64) -> String {
    let digits = String(number, radix: 16)
    return prefix + String(repeating: "0", count: 16 - digits.count) + digits
  }

  /// The number in a file's name; nil if it is not a segment's.
  static func number(of name: String) -> UInt64? {
    guard name.hasPrefix(prefix), name.utf8.count == prefix.utf8.count + 16 else { return nil }
    guard let number = UInt64(name.dropFirst(prefix.count), radix: 16), Self.name(of: number) == name else {
      return nil
    }
    return number
  }
}

/// What a segment says of itself.
struct SegmentHeader: Equatable {
  var agent: AgentID
  var number: UInt64
  /// The number of its first frame.
  var first: UInt64

  var bytes: [UInt8] {
    var bytes = SegmentFormat.magic
    bytes.append(littleEndian: SegmentFormat.version)
    bytes += agent.bytes
    bytes.append(littleEndian: number)
    bytes.append(littleEndian: first)
    bytes.append(littleEndian: CRC32C.of(bytes.span))
    return bytes
  }

  enum Reading: Equatable {
    case sound(SegmentHeader)
    /// Fewer bytes than a header has: the program ended while it made the segment.
    case torn
    case damaged
    case newer(version: UInt32)
  }

  /// - Parameter bytes: the beginning of a file, at least so many as a header has if the file has them.
  static func read(_ bytes: Span<UInt8>) -> Reading {
    if bytes.count < SegmentFormat.headerBytes { return .torn }
    let body = SegmentFormat.headerBytes - 4
    guard (0..<8).allSatisfy({ bytes[$0] == SegmentFormat.magic[$0] }),
      CRC32C.of(bytes.extracting(..<body)) == bytes.littleEndian(at: body)
    else { return .damaged }
    let version: UInt32 = bytes.littleEndian(at: 8)
    if version > SegmentFormat.version { return .newer(version: version) }
    let agent = AgentID(bytes: (12..<28).map { bytes[$0] })
    return .sound(.init(agent: agent, number: bytes.littleEndian(at: 28), first: bytes.littleEndian(at: 36)))
  }
}

/// What stands before a payload.
package struct FrameHead: Equatable, Sendable {
  /// What the payload is.
  package enum Kind: UInt8, Sendable { case changes = 1, snapshot = 2 }

  /// What the frame means to those around it.
  package struct Flags: OptionSet, Sendable {
    package let rawValue: UInt8
    package init(rawValue: UInt8) { self.rawValue = rawValue }
    package static let endsBatch = Flags(rawValue: 1)
    package static let beginsSnapshot = Flags(rawValue: 2)
    package static let endsSnapshot = Flags(rawValue: 4)
  }

  package var kind: Kind
  package var flags: Flags
  /// Bytes of the payload.
  package var length: Int
  /// The frame's number.
  package var sequence: UInt64
  /// When it was made, in seconds since 1970.
  package var wall: Int64

  /// Appends the frame as it stands in a segment.
  /// - Complexity: O(length).
  func append(_ payload: [UInt8], to bytes: inout [UInt8]) {
    let begin = bytes.count
    bytes += SegmentFormat.frameMagic
    bytes += [kind.rawValue, flags.rawValue, 0, 0]
    bytes.append(littleEndian: UInt32(payload.count))
    bytes.append(littleEndian: sequence)
    bytes.append(littleEndian: wall)
    var checksum = CRC32C()
    checksum.add(bytes.span.extracting(begin...))
    checksum.add(payload.span)
    bytes.append(littleEndian: checksum.value)
    bytes += payload
  }

  enum Reading: Equatable {
    case sound(FrameHead)
    /// What there is may be the beginning of a frame; so many bytes are missing at least.
    case unfinished(missing: Int)
    case damaged
  }

  /// The frame at the beginning of `bytes`, its payload with it.
  static func read(_ bytes: Span<UInt8>) -> Reading {
    for place in 0..<min(4, bytes.count) where bytes[place] != SegmentFormat.frameMagic[place] { return .damaged }
    let size = SegmentFormat.headBytes
    if bytes.count < size { return .unfinished(missing: size - bytes.count) }
    let length: UInt32 = bytes.littleEndian(at: 8)
    guard length <= UInt32(SegmentFormat.longestPayload), let kind = Kind(rawValue: bytes[4]) else { return .damaged }
    let end = size + Int(length)
    if bytes.count < end { return .unfinished(missing: end - bytes.count) }
    var checksum = CRC32C()
    checksum.add(bytes.extracting(..<(size - 4)))
    checksum.add(bytes.extracting(size..<end))
    guard checksum.value == bytes.littleEndian(at: size - 4) else { return .damaged }
    return .sound(
      .init(
        kind: kind, flags: .init(rawValue: bytes[5]), length: Int(length), sequence: bytes.littleEndian(at: 12),
        wall: bytes.littleEndian(at: 20)))
  }
}

extension [UInt8] {
  /// Appends a number, its lowest byte first.
  mutating func append(littleEndian number: some FixedWidthInteger) {
    for shift in stride(from: 0, to: number.bitWidth, by: 8) { append(UInt8(truncatingIfNeeded: number >> shift)) }
  }
}

extension Span<UInt8> {
  /// The number whose lowest byte stands at `place`.
  func littleEndian<Number: FixedWidthInteger>(at place: Int) -> Number {
    var number: Number = 0
    for byte in 0..<Number.bitWidth / 8 { number |= Number(truncatingIfNeeded: self[place + byte]) << (8 * byte) }
    return number
  }
}
