/// Cuts a byte stream into blocks of whole lines, without touching the lines themselves.
///
///     stream in      visit:pa | ge1|c\nvisit:page2|c\nvis | …
///     blocks out               visit:page1|c\nvisit:page2|c      (vis is left for the next read)
///
/// Two framings. Lines end at LF. Or, as DogStatsD's clients send over unix streams, packets of lines each stand behind their length
/// in 4 bytes, little-endian; a stream is taken for such when bytes 3 and 4 of it are NUL, which no line holds.
///
/// The framer looks at the bytes in its caller's buffer and says which of them are blocks; what it leaves over, the caller puts before
/// the next read. Memory is bounded: of a line that outgrows the limit nothing is kept but the fact.
/// - Invariant: it never leaves more than `longestRest` bytes.
package struct StreamFramer: Sendable {
  /// A line of 8 KiB and its CR, or a packet of 65,535 bytes with its length.
  package static let longestRest = 65_539
  private static let longestLine = LineReader.longestLine + 1

  private enum Framing { case undecided, lines, packets }

  private var framing: Framing
  /// Within a line that is too long, up to its LF.
  package private(set) var isSkipping = false

  /// - Parameter mayBePrefixed: packets with a length are recognised; otherwise all streams are lines.
  package init(mayBePrefixed: Bool) { framing = mayBePrefixed ? .undecided : .lines }

  /// Where a framer is in its stream, as a word: what a program that goes on with the stream must know beside the bytes that were left.
  package var mark: String {
    switch framing {
    case .undecided: "undecided"
    case .lines: isSkipping ? "skipping" : "lines"
    case .packets: "packets"
    }
  }

  /// Goes on where another framer was; nil if `mark` is none of its words.
  package init?(mark: some StringProtocol) {
    switch mark {
    case "undecided": framing = .undecided
    case "lines", "skipping": framing = .lines
    case "packets": framing = .packets
    default: return nil
    }
    isSkipping = mark == "skipping"
  }

  /// One step over the bytes from `start`: what the caller shall do.
  package enum Step: Equatable {
    /// Read these lines; the byte behind the range is an LF.
    case lines(Range<Int>)
    /// Read these lines; the byte behind the range is the stream's next and must be kept.
    case packet(Range<Int>)
    /// A line was too long: book it.
    case tooLong
    /// Nothing more here: keep the bytes from this place for the next read.
    case rest(Int)
  }

  /// Looks at `bytes` from `start`, moves `start` past what the step covers.
  /// - Complexity: O(bytes passed).
  package mutating func next(_ bytes: Span<UInt8>, from start: inout Int) -> Step {
    if framing == .undecided { decide(bytes, start) }
    switch framing {
    case .undecided: return .rest(start)
    case .lines: return nextLines(bytes, &start)
    case .packets: return nextPacket(bytes, &start)
    }
  }

  /// The stream has ended and `rest` bytes were left.
  /// - Returns: the last line, which had no LF; `tooLong` if it was one; nil if there is nothing.
  package mutating func finish(_ bytes: Span<UInt8>, from start: Int) -> Step? {
    if isSkipping || start == bytes.count { return nil }
    // Of a packet that was cut, what came is lines all the same; a length alone is nothing.
    let from = framing == .packets ? start + 4 : start
    return from < bytes.count ? .packet(from..<bytes.count) : nil
  }

  private mutating func decide(_ bytes: Span<UInt8>, _ start: Int) {
    for offset in start..<min(start + 4, bytes.count) where bytes[offset] == UInt8(ascii: "\n") && offset > start {
      framing = .lines
      return
    }
    if bytes.count - start >= 4 { framing = bytes[start + 2] == 0 && bytes[start + 3] == 0 ? .packets : .lines }
  }

  private mutating func nextLines(_ bytes: Span<UInt8>, _ start: inout Int) -> Step {
    if isSkipping {
      var feed = start
      while feed < bytes.count && bytes[feed] != UInt8(ascii: "\n") { feed += 1 }
      if feed == bytes.count { return .rest(feed) }
      isSkipping = false
      start = feed + 1
    }
    var last = bytes.count
    while last > start && bytes[last - 1] != UInt8(ascii: "\n") { last -= 1 }
    if last > start {
      defer { start = last }
      return .lines(start..<last - 1)
    }
    if bytes.count - start <= Self.longestLine { return .rest(start) }
    isSkipping = true
    start = bytes.count
    return .tooLong
  }

  private mutating func nextPacket(_ bytes: Span<UInt8>, _ start: inout Int) -> Step {
    if bytes.count - start < 4 { return .rest(start) }
    let length =
      Int(bytes[start]) | Int(bytes[start + 1]) << 8 | Int(bytes[start + 2]) << 16 | Int(bytes[start + 3]) << 24
    if length > Self.longestRest - 4 {
      // No client sends so much at once: the stream has lost its step, and what follows is read as lines.
      framing = .lines
      isSkipping = true
      return .tooLong
    }
    if bytes.count - start - 4 < length { return .rest(start) }
    defer { start += 4 + length }
    return .packet(start + 4..<start + 4 + length)
  }
}
