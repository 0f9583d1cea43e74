import Platform

/// What the segments of a folder hold: all of them read once, nothing kept but figures, nothing changed.
///
/// It decides which frames count, so that handing them on is a second reading without a decision in it:
///
///     journal-05   ▒▒▒▒▒▒▒▒▒▒        before the newest whole snapshot: not needed any more
///     journal-06   S…s…b…bs…S b b    begins with that snapshot: what counts begins here
///     journal-07   b b b ▒▒          superseded: journal-08 begins with these numbers again
///     journal-08   b b ··            a batch without its end: cut
package struct JournalSurvey {
  /// One segment's figures.
  package struct Segment {
    package let number: UInt64
    package var bytes = 0
    var header = SegmentHeader.Reading.torn
    /// The number of its first frame as its header has it or, if that is damaged, as that frame has it.
    var first: UInt64?
    package var frames = 0
    /// Places that make no frame, and their bytes.
    package var damagedPlaces = 0
    package var damagedBytes = 0
    /// A call that failed while it was read; what was not read is lost.
    package var failure: SystemError?
    /// Another agent's.
    package var isForeign = false
    package var isDamaged: Bool { header == .damaged || damagedPlaces > 0 || failure != nil || isForeign }
    package var name: String { SegmentFormat.name(of: number) }
  }

  /// Where the frames that count end: in which segment, at which byte.
  struct End: Equatable {
    var segment: Int
    var offset: Int
  }

  /// Ascending by number.
  package private(set) var segments: [Segment] = []
  /// The first segment that counts, as a place in `segments`.
  package private(set) var base = 0
  /// The number of the last frame that counts; 0: none.
  package private(set) var last: UInt64 = 0
  /// nil: no frame counts.
  private(set) var end: End?
  /// Frames that count.
  package private(set) var frames = 0
  /// Frames that are missing between others that count.
  package private(set) var lostFrames: UInt64 = 0
  /// Bytes behind `end`: what a batch without its end, a torn frame, or damage at the end comes to.
  package private(set) var cutBytes = 0
  /// Whether what counts begins with a whole snapshot, or with the first frame ever written.
  package private(set) var isComplete = true
  /// Bytes of that snapshot.
  private(set) var snapshotBytes = 0
  /// When the last frame that counts was made, in seconds since 1970.
  package private(set) var lastWall: Int64?

  private var snapshot: (segment: Int, sequence: UInt64, bytes: Int, lossesBefore: UInt64)?
  /// The snapshot that is whole; what counts begins with it once no batch is open.
  private var whole: (segment: Int, sequence: UInt64, bytes: Int)?
  private var expected: UInt64?
  private var isOpen = false
  /// Frames since the last one that counts.
  private var open = 0

  /// Whether everything that was ever settled is there.
  package var isSound: Bool {
    lostFrames == 0 && isComplete && !segments[min(base, segments.count)...].contains { $0.isDamaged }
  }

  /// Bytes of what counts that make no frame, or frames that do not count.
  package var unusedBytes: Int { cutBytes + segments.dropFirst(base).reduce(0) { $0 + $1.damagedBytes } }

  /// - Parameter agent: whose segments count; nil: anybody's.
  /// - Complexity: O(bytes).
  package init(of files: any JournalFiles, agent: AgentID?) throws(SystemError) {
    for number in try StateDirectory.segments(in: files) { segments.append(Self.outline(number, files, agent)) }
    for place in segments.indices where segments[place].failure == nil && !segments[place].isForeign {
      do throws(SystemError) { try survey(place, files) } catch { segments[place].failure = error }
    }
    for place in segments.indices { if let cut = cut(of: place) { cutBytes += segments[place].bytes - cut } }
  }

  /// Where the segment at `place` is to be cut; nil: nowhere.
  func cut(of place: Int) -> Int? {
    let segment = segments[place]
    if segment.isForeign { return nil }
    if let end, place <= end.segment { return place == end.segment ? end.offset : nil }
    // A header that is not whole is of no use.
    return segment.bytes < SegmentFormat.headerBytes ? 0 : SegmentFormat.headerBytes
  }

  /// Whether a frame of the segment at `place` counts, the frames before it having been asked about.
  func counts(_ head: FrameHead, at place: Int, after before: UInt64) -> Bool {
    place >= base && head.sequence > before && head.sequence <= last && head.sequence < limit(of: place)
  }

  /// The first number that a later segment has taken over.
  private func limit(of place: Int) -> UInt64 { segments[(place + 1)...].compactMap(\.first).min() ?? .max }

  private static func outline(_ number: UInt64, _ files: any JournalFiles, _ agent: AgentID?) -> Segment {
    var segment = Segment(number: number)
    do throws(SystemError) {
      var reader = try SegmentReader(segment.name, in: files)
      segment.bytes = try patiently { () throws(SystemError) in try reader.file.size() }
      segment.header = reader.header
      switch reader.header {
      case .sound(let header):
        segment.first = header.first
        segment.isForeign = agent.map { $0 != header.agent } ?? false
      case .damaged, .newer:
        while segment.first == nil {
          switch try reader.next() {
          case .frame(let head, _): segment.first = head.sequence
          case .damage: continue
          case .torn, .end: return segment
          }
        }
      case .torn: break
      }
    } catch {
      segment.failure = error
    }
    return segment
  }

  private mutating func survey(_ place: Int, _ files: any JournalFiles) throws(SystemError) {
    var reader = try SegmentReader(segments[place].name, in: files)
    let limit = limit(of: place)
    while true {
      switch try reader.next() {
      case .frame(let head, let end):
        let isFirst = segments[place].frames == 0
        segments[place].frames += 1
        if head.sequence < limit { take(head, place, end, isFirst: isFirst) }
      case .damage(_, let bytes):
        segments[place].damagedPlaces += 1
        segments[place].damagedBytes += bytes
      case .torn: break
      case .end: return
      }
    }
  }

  private mutating func take(_ head: FrameHead, _ place: Int, _ offset: Int, isFirst: Bool) {
    if let expected {
      // Written before and taken from there.
      if head.sequence < expected { return }
      lostFrames += head.sequence - expected
    } else {
      isComplete = head.sequence == 1
    }
    expected = head.sequence + 1
    if head.flags.contains(.beginsSnapshot) {
      snapshot = isFirst ? (place, head.sequence, 0, lostFrames) : nil
    }
    if head.kind == .snapshot { snapshot?.bytes += head.length + SegmentFormat.headBytes }
    isOpen = !head.flags.contains(.endsBatch)
    if head.flags.contains(.endsSnapshot), let snapshot, snapshot.lossesBefore == lostFrames {
      whole = (snapshot.segment, snapshot.sequence, snapshot.bytes)
    }
    open += 1
    if !isOpen { close(head, End(segment: place, offset: offset)) }
  }

  private mutating func close(_ head: FrameHead, _ end: End) {
    frames += open
    open = 0
    last = head.sequence
    lastWall = head.wall
    self.end = end
    guard let whole else { return }
    base = whole.segment
    snapshotBytes = whole.bytes
    isComplete = true
    lostFrames = 0
    frames = Int(head.sequence - whole.sequence) + 1
    self.whole = nil
  }
}
