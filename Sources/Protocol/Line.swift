import Bytes
import CLinux

/// One line within the bytes that it is read from, without its LF and CR.
struct Line {
  let bytes: PaddedBytes
  let start: Int
  let end: Int

  /// The first `byte` in `from..<end`, or `end`.
  @inline(__always)
  func first(_ byte: UInt8, from: Int) -> Int {
    var place = from
    while place < end {
      // Safe: `place` is below the line's end, and the slack is longer than the 16 bytes read.
      let mask = unsafe footfall_equal16(bytes.address(of: place), byte)
      if mask != 0 { return min(place &+ mask.trailingZeroBitCount, end) }
      place &+= 16
    }
    return end
  }

  /// Whether `text` stands at `place`.
  func has(_ text: StaticString, at place: Int) -> Bool {
    guard place + text.utf8CodeUnitCount <= end else { return false }
    for offset in 0..<text.utf8CodeUnitCount {
      // Safe: `offset` is below the text's length.
      if unsafe bytes[place + offset] != text.utf8Start[offset] { return false }
    }
    return true
  }

  func fault(_ reason: Refusal, at place: Int) -> LineFault { LineFault(reason, at: place - start) }

  /// Refuses text that is not UTF-8 or holds control bytes.
  func requireText(_ range: Range<Int>, else reason: Refusal) throws(LineFault) {
    if let place = bytes.firstBadText(in: range) { throw fault(reason, at: place) }
  }
}

extension PaddedBytes {
  /// Where the line ends to which `place` belongs, its LF and a CR before it left out.
  func lineEnd(from place: Int) -> Int {
    let lineFeed = Line(bytes: self, start: place, end: count).first(0x0A, from: place)
    return lineFeed > place && self[lineFeed - 1] == 0x0D ? lineFeed - 1 : lineFeed
  }

  /// Where in `range` a byte stands that is a control or begins what is not UTF-8.
  @usableFromInline
  func firstBadText(in range: Range<Int>) -> Int? {
    var place = range.lowerBound
    // Eight bytes at once while they are plain ASCII, and what remains of the text in the low bytes of a last word.
    while place < range.upperBound {
      let missing = UInt64(truncatingIfNeeded: max(0, place + 8 - range.upperBound) * 8)
      let word = word(at: place) &<< missing | Self.spaces & ~(UInt64.max &<< missing)
      if !Self.isPlain(word) { return firstBadCharacter(in: place..<range.upperBound) }
      place += 8
    }
    return nil
  }

  /// The same for a text of one byte or more, mostly a short one.
  @inlinable @inline(__always)
  func isText(from start: Int, to end: Int) -> Bool {
    let missing = UInt64(truncatingIfNeeded: (start &+ 8 &- end) &* 8)
    if _fastPath(end &- start <= 8), Self.isPlain(word(at: start) &<< missing | Self.spaces & ~(UInt64.max &<< missing))
    {
      return true
    }
    return firstBadText(in: start..<end) == nil
  }

  @inlinable @inline(__always)
  static var spaces: UInt64 { 0x2020_2020_2020_2020 }

  /// Whether all eight bytes are within 0x20...0x7E.
  @inlinable @inline(__always)
  static func isPlain(_ word: UInt64) -> Bool {
    let ones: UInt64 = 0x0101_0101_0101_0101
    // The sign bits: not ASCII, or 0x7F plus one. A byte below 0x20 borrows; without the other two no byte borrows by mistake.
    return (word | (word &+ ones) | (word &- spaces)) & (ones &* 0x80) == 0
  }

  private func firstBadCharacter(in range: Range<Int>) -> Int? {
    var validator = UTF8Validator()
    var character = range.lowerBound
    for place in range {
      let byte = self[place]
      if validator.isComplete { character = place }
      if byte < 0x20 || byte == 0x7F || !validator.accept(byte) { return character }
    }
    return validator.isComplete ? nil : character
  }
}
