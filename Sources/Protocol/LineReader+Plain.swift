import Bytes
import CLinux

/// A counter's line that says a name, with a key or without, a whole number, and perhaps tags.
///
///     NAME:7|c     NAME:1234|c     NAME:KEY|c     NAME:KEY:5|c     NAME:7|c|#TAGS
///
/// It is read off the line's first `|` alone, so what it says is a guess. It holds for certain if a series is known by the very bytes of
/// name and tags, and these may stand in such a line (`PlainUse`): whatever else could have been wrong was looked at when they became
/// known. Any other line must be read anew.
@frozen @usableFromInline
package struct PlainCount {
  /// Longest name with its key, in bytes: of a plain count it lies within the 32 bytes that are looked at.
  @usableFromInline package static let longestName = 28

  /// The name begins with the line.
  @usableFromInline package let nameEnd: Int
  @usableFromInline package let count: Int64
  /// What the known spelling must allow.
  @usableFromInline package let use: PlainUse
  /// What stands after `|#`; both 0 if there is none.
  @usableFromInline package var tagsStart = 0
  @usableFromInline package var tagsEnd = 0
  /// Where the next line begins.
  @usableFromInline package var next: Int

  @inlinable @inline(__always)
  init(nameEnd: Int, count: Int64, use: PlainUse, next: Int) {
    self.nameEnd = nameEnd
    self.count = count
    self.use = use
    self.next = next
  }
}

/// What a series' spelling may be part of, as it stands.
@frozen @usableFromInline
package struct PlainUse: OptionSet, Sendable {
  @usableFromInline package let rawValue: UInt8

  @inlinable @inline(__always)
  package init(rawValue: UInt8) { self.rawValue = rawValue }

  /// A plain count with a number: `NAME:7|c`.
  @inlinable @inline(__always)
  package static var counted: PlainUse { PlainUse(rawValue: 1) }
  /// That, and a plain count without one, since the name ends with a key: `NAME:KEY|c`.
  @inlinable @inline(__always)
  package static var keyed: PlainUse { PlainUse(rawValue: 3) }
}

extension LineReader {
  /// What plain counts the spelling of a counter's series may be part of.
  /// - Parameter spelling: name, with its key, and perhaps `|#` and tags: of a line that was taken, or the normal one.
  package func plainUse(of spelling: [UInt8]) -> PlainUse {
    // An event's header `_e{5,4}` looks like a name. A control byte is an escape, which no line may hold.
    if spelling.first == UInt8(ascii: "_") || spelling.contains(where: { $0 < 0x20 || $0 == 0x7F }) { return [] }
    let name = spelling.prefix { $0 != UInt8(ascii: "|") }
    if spelling.dropFirst(name.count + 1).contains(UInt8(ascii: "|")) { return [] }
    guard let colon = name.firstIndex(of: UInt8(ascii: ":")) else { return name.isEmpty ? [] : .counted }
    let key = name[(colon + 1)...]
    if strict || colon == 0 || key.contains(UInt8(ascii: ":")) { return [] }
    guard let first = key.first, Self.isKey(beginningWith: first, length: key.count) else { return [] }
    return .keyed
  }

  /// Where the first `|` of a line stands, and what is around it.
  @frozen @usableFromInline
  package struct PlainEnd {
    /// From the line's begin to the `|`; 32 if it is further.
    @usableFromInline package let distance: Int
    /// The two bytes before it and what follows, the first byte lowest.
    @usableFromInline package let word: UInt64

    @inlinable @inline(__always)
    package init(_ distance: Int, _ word: UInt64) { (self.distance, self.word) = (distance, word) }

    @inlinable @inline(__always)
    var isPlausible: Bool { UInt(bitPattern: distance &- 3) <= UInt(PlainCount.longestName &- 1) }
    /// The digit before the `|`, if a colon stands before that; above 9 it is none.
    @inlinable @inline(__always)
    var digit: UInt64 { (word &>> 8) & 0xFF &- 0x30 }
    /// Whether `|c|#` follows.
    @inlinable @inline(__always)
    package var isTagged: Bool { (word &>> 16) & 0xFFFF_FFFF == 0x237C_637C }
  }

  /// - Precondition: `start < bytes.count`.
  @inlinable @inline(__always)
  package func plainEnd(_ bytes: PaddedBytes, at start: Int) -> PlainEnd {
    // Safe: 31 bytes of the slack are read at most.
    let pipes = unsafe footfall_equal32(bytes.address(of: start), UInt8(ascii: "|"))
    let distance = (UInt64(pipes) | 1 &<< 32).trailingZeroBitCount
    return PlainEnd(distance, bytes.word(at: start &+ max(distance, 2) &- 2))
  }

  /// Reads the line that begins at `start` if it looks like a plain count: the forms that make up nearly all of a counter's traffic.
  /// - Precondition: `start < bytes.count`.
  @inlinable @inline(__always)
  package func readPlain(_ bytes: PaddedBytes, at start: Int) -> PlainCount? {
    let end = plainEnd(bytes, at: start)
    return end.isTagged ? readTagged(bytes, at: start, end) : readUntagged(bytes, at: start, end)
  }

  /// The same if the line ends behind the type.
  @inlinable @inline(__always)
  package func readUntagged(_ bytes: PaddedBytes, at start: Int, _ end: PlainEnd) -> PlainCount? {
    if !end.isPlausible { return nil }
    let pipe = start &+ end.distance
    // `:D|c` and LF.
    if end.word & 0xFF_FFFF_00FF == 0x0A_637C_003A, end.digit < 10 {
      return PlainCount(
        nameEnd: pipe &- 2, count: Int64(truncatingIfNeeded: end.digit), use: .counted, next: pipe &+ 3)
    }
    if (end.word &>> 16) & 0xFF_FFFF != 0x0A_637C { return nil }
    return plainCount(bytes, start, end.distance)
  }

  /// The same if tags end the line: `end.isTagged`.
  @inlinable @inline(__always)
  package func readTagged(_ bytes: PaddedBytes, at start: Int, _ end: PlainEnd) -> PlainCount? {
    if !end.isPlausible { return nil }
    let pipe = start &+ end.distance
    var plain: PlainCount
    if end.word & 0xFF == UInt64(UInt8(ascii: ":")), end.digit < 10 {
      plain = PlainCount(nameEnd: pipe &- 2, count: Int64(truncatingIfNeeded: end.digit), use: .counted, next: 0)
    } else {
      guard let longer = plainCount(bytes, start, end.distance) else { return nil }
      plain = longer
    }
    plain.tagsStart = pipe &+ 4
    plain.tagsEnd = bytes.lineFeed(from: pipe &+ 4)
    plain.next = plain.tagsEnd &+ 1
    return plain.tagsEnd == plain.tagsStart || plain.tagsEnd &- start > Self.longestLine ? nil : plain
  }

  /// The count whose value, or key without one, ends `distance` bytes behind `start`.
  @inlinable @inline(__always)
  func plainCount(_ bytes: PaddedBytes, _ start: Int, _ distance: Int) -> PlainCount? {
    // Safe: as above.
    let colons = unsafe footfall_equal32(bytes.address(of: start), UInt8(ascii: ":"))
    let before = colons & ~(.max &<< UInt32(truncatingIfNeeded: distance))
    if before == 0 { return nil }
    let colon = start &+ 31 &- before.leadingZeroBitCount
    let pipe = start &+ distance
    if bytes[colon &+ 1] > UInt8(ascii: "9") {
      return distance > PlainCount.longestName
        ? nil : PlainCount(nameEnd: pipe, count: 1, use: .keyed, next: pipe &+ 3)
    }
    guard let number = Self.shortNumber(bytes.word(at: colon &+ 1), length: pipe &- colon &- 1) else { return nil }
    return PlainCount(nameEnd: colon, count: number, use: .counted, next: pipe &+ 3)
  }
}

extension PaddedBytes {
  /// The first LF at or after `start`.
  /// - Precondition: `start` is at the sentinel at most.
  @inlinable @inline(__always)
  func lineFeed(from start: Int) -> Int {
    var place = start
    while true {
      let ends = lineFeeds(from: place)
      if _fastPath(ends != 0) { return place &+ ends.trailingZeroBitCount }
      place &+= 32
    }
  }

  /// Whether no LF stands between `start` and `end`, at most 31 bytes on.
  @inlinable @inline(__always)
  package func isWithinLine(_ start: Int, _ end: Int) -> Bool {
    lineFeeds(from: start) & ~(.max &<< UInt32(truncatingIfNeeded: end &- start)) == 0
  }

  @inlinable @inline(__always)
  func lineFeeds(from start: Int) -> UInt32 {
    // Safe: from the sentinel on, 31 bytes of the slack are read.
    unsafe footfall_equal32(address(of: start), UInt8(ascii: "\n"))
  }
}
