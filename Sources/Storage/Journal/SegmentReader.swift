import Platform

/// Reads one segment from its beginning to its end, frame by frame, and finds the next good frame behind what is damaged.
///
/// Memory: two of the longest frames, however long the segment is.
struct SegmentReader {
  /// What comes next in a segment.
  enum Item {
    /// A frame, and where it ends in the file.
    case frame(FrameHead, end: Int)
    /// Bytes that make no frame, with a good frame or the end behind them.
    case damage(offset: Int, bytes: Int)
    /// The beginning of a frame whose end is not in the file, up to which the file is read.
    case torn(offset: Int, bytes: Int)
    case end
  }

  private(set) var header = SegmentHeader.Reading.torn
  /// The payload of the frame that was read last.
  var payload: ArraySlice<UInt8> { buffer[payloadRange] }

  let file: any JournalFile
  private var buffer: [UInt8] = []
  /// Where the buffer begins in the file.
  private var base = 0
  /// Where the reading is in the buffer.
  private var place = 0
  private var payloadRange = 0..<0
  private var isAtEnd = false
  /// Where damage began that is not over yet.
  private var damageBegin: Int?

  private static let chunk = 1 << 18

  init(_ name: String, in files: any JournalFiles) throws(SystemError) {
    file = try patiently { () throws(SystemError) in try files.open(name, writable: false) }
    try fill(SegmentFormat.headerBytes)
    header = SegmentHeader.read(buffer.span)
    // Frames behind a damaged header count all the same: each has its own checksum. A header too short has none behind it.
    place = min(buffer.count, SegmentFormat.headerBytes)
  }

  /// The next item. After `end` there is nothing more.
  mutating func next() throws(SystemError) -> Item {
    while true {
      try fill(SegmentFormat.headBytes)
      let offset = base + place
      if place == buffer.count { return endOfDamage(at: offset) ?? .end }
      var reading = FrameHead.read(buffer.span.extracting(place...))
      while case .unfinished(let missing) = reading, !isAtEnd {
        try fill(buffer.count - place + missing)
        reading = FrameHead.read(buffer.span.extracting(place...))
      }
      switch reading {
      case .sound(let head):
        if let damage = endOfDamage(at: offset) { return damage }
        payloadRange = place + SegmentFormat.headBytes..<place + SegmentFormat.headBytes + head.length
        place = payloadRange.upperBound
        return .frame(head, end: base + place)
      case .unfinished where damageBegin == nil && !hasFrameBehind:
        let bytes = buffer.count - place
        place = buffer.count
        return .torn(offset: offset, bytes: bytes)
      case .unfinished, .damaged:
        if damageBegin == nil { damageBegin = offset }
        skipToMagic()
      }
    }
  }

  private mutating func endOfDamage(at offset: Int) -> Item? {
    guard let begin = damageBegin else { return nil }
    damageBegin = nil
    return .damage(offset: begin, bytes: offset - begin)
  }

  /// Whether a good frame lies behind `place`, all of the file's rest being in the buffer: then a length is wrong, and this is no torn end.
  private var hasFrameBehind: Bool {
    let rest = buffer.span
    for begin in (place + 1)..<max(place + 1, buffer.count) where rest[begin] == SegmentFormat.frameMagic[0] {
      if case .sound = FrameHead.read(rest.extracting(begin...)) { return true }
    }
    return false
  }

  /// Moves at least one byte on, to where a frame may begin.
  private mutating func skipToMagic() {
    place += 1
    while place < buffer.count && buffer[place] != SegmentFormat.frameMagic[0] { place += 1 }
  }

  /// Sees to it that `count` bytes lie behind `place`, or all that the file has.
  private mutating func fill(_ count: Int) throws(SystemError) {
    while buffer.count - place < count && !isAtEnd {
      if place > 0 {
        buffer.removeFirst(place)
        base += place
        place = 0
      }
      let (offset, count) = (base + buffer.count, max(Self.chunk, count - buffer.count))
      isAtEnd = try patiently { () throws(SystemError) in try file.read(count, at: offset, into: &buffer) } == 0
    }
  }
}
