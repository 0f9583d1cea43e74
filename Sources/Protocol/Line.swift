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
  func firstBadText(in range: Range<Int>) -> Int? {
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
