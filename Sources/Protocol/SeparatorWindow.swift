import Bytes
import CLinux

/// Where the separators stand in 32 bytes of a line: a bit for each byte, the first one lowest.
@frozen @usableFromInline
package struct SeparatorWindow {
  /// Bytes that are `:`.
  @usableFromInline var colons: UInt32
  /// Bytes that are `|` or LF.
  @usableFromInline var ends: UInt32

  /// - Precondition: `start` is at the sentinel at most.
  @inlinable @inline(__always)
  package init(_ bytes: PaddedBytes, from start: Int) {
    assert(start >= 0 && start <= bytes.count)
    // Safe: from the sentinel on, 31 bytes of the slack are read.
    unsafe colons = footfall_equal32(bytes.address(of: start), UInt8(ascii: ":"))
    unsafe ends =
      footfall_equal32(bytes.address(of: start), UInt8(ascii: "|"))
      | footfall_equal32(bytes.address(of: start), UInt8(ascii: "\n"))
  }

  @inlinable @inline(__always)
  var all: UInt32 { colons | ends }
}

/// Walks over the separators of one line.
@frozen @usableFromInline
struct SeparatorScan {
  @usableFromInline let bytes: PaddedBytes
  @usableFromInline var start: Int
  /// What the window holds that was not passed yet.
  @usableFromInline var window: SeparatorWindow

  /// - Parameter window: the separators from `start`.
  @inlinable @inline(__always)
  init(_ bytes: PaddedBytes, from start: Int, _ window: SeparatorWindow) {
    self.bytes = bytes
    self.start = start
    self.window = window
  }

  /// The next `:`, `|` or LF.
  /// - Precondition: no LF was passed.
  @inlinable @inline(__always)
  mutating func nextSeparator() -> Int {
    while window.all == 0 { move() }
    return pass(window.all.trailingZeroBitCount)
  }

  /// The next `|` or LF.
  /// - Precondition: no LF was passed.
  @inlinable @inline(__always)
  mutating func nextEnd() -> Int {
    while window.ends == 0 { move() }
    return pass(window.ends.trailingZeroBitCount)
  }

  @inlinable @inline(__always)
  mutating func pass(_ bit: Int) -> Int {
    let later = ~1 as UInt32 &<< UInt32(truncatingIfNeeded: bit)
    window.colons &= later
    window.ends &= later
    return start &+ bit
  }

  /// The window before held no LF that was not passed, so the sentinel lies further on.
  @inlinable @inline(__always)
  mutating func move() {
    start &+= 32
    window = Self.look(bytes, start)
  }

  @inline(never) @usableFromInline
  static func look(_ bytes: PaddedBytes, _ start: Int) -> SeparatorWindow {
    SeparatorWindow(bytes, from: start)
  }
}

extension PaddedBytes {
  /// The first `|` or LF at or after `start`.
  /// - Precondition: `start` is at the sentinel at most.
  @inlinable @inline(__always)
  func end(from start: Int) -> Int {
    var place = start
    while true {
      let ends = SeparatorWindow(self, from: place).ends
      if _fastPath(ends != 0) { return place &+ ends.trailingZeroBitCount }
      place &+= 32
    }
  }

  /// The first byte at or after `start` that begins a line that is not empty, or the place behind the sentinel.
  @inlinable @inline(__always)
  package func lineStart(from start: Int) -> Int {
    var place = start
    while place <= count, self[place] == UInt8(ascii: "\n") { place &+= 1 }
    return place
  }
}
