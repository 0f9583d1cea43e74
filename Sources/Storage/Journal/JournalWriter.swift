import Platform

/// A payload on its way to the disk.
struct JournalFrame {
  var head: FrameHead
  var payload: [UInt8]
}

/// Appends frames to segments, begins segments, and removes those that a snapshot has made needless.
///
///     waiting   [ written, not yet synchronised | not yet written ]
///                 ▲ settled is the number before
///
/// A frame stays in `waiting` until it is as safe as was asked for. So after any failure there is one way back: cut the segment to the end
/// of its last good frame, or give it up and write all that waits into a new one, which supersedes it. Nothing of what was settled is ever
/// written again or relied upon twice.
struct JournalWriter {
  private struct Live {
    let number: UInt64
    let file: any JournalFile
    /// Behind the last good frame.
    var end: Int
    var hasFrames = false
  }

  private let files: any JournalFiles
  private let agent: AgentID
  /// Whether a frame is settled when the disk has it, and not when the kernel has it.
  private let synchronizes: Bool
  private let limits: JournalLimits
  private var live: Live?
  private var nextNumber: UInt64
  /// Segments before the live one.
  private var kept: [(number: UInt64, bytes: Int, isDamaged: Bool)]
  private var obsolete: [(number: UInt64, bytes: Int, isDamaged: Bool)]
  private(set) var waiting: [JournalFrame] = []
  /// So many of `waiting` are written.
  private var written = 0
  /// The number of the last frame that is as safe as was asked for.
  private(set) var settled: UInt64
  /// The snapshot that is being written: the segment that begins with it, and its bytes.
  private var snapshot: (segment: UInt64, bytes: Int)?
  private var snapshotBytes: Int
  private var isSnapshotForced: Bool
  private var scratch: [UInt8] = []

  init(
    _ files: any JournalFiles, agent: AgentID, synchronizes: Bool, after survey: JournalSurvey, limits: JournalLimits
  ) {
    self.files = files
    self.agent = agent
    self.synchronizes = synchronizes
    self.limits = limits
    let known = survey.segments.map { (number: $0.number, bytes: $0.bytes, isDamaged: $0.isDamaged) }
    obsolete = Array(known.prefix(survey.base))
    kept = Array(known.dropFirst(survey.base))
    nextNumber = (survey.segments.last?.number ?? 0) + 1
    settled = survey.last
    snapshotBytes = survey.snapshotBytes
    isSnapshotForced = !survey.isSound
  }

  /// Bytes of all segments that are there.
  var bytes: Int {
    (kept + obsolete).reduce(live?.end ?? 0) { $0 + $1.bytes }
  }

  /// Bytes of the payloads that are not settled.
  var waitingBytes: Int { waiting.reduce(0) { $0 + $1.payload.count } }

  /// Whether what has been written since the last snapshot is worth a new one.
  var wantsSnapshot: Bool {
    if snapshot != nil || waiting.contains(where: { $0.head.flags.contains(.beginsSnapshot) }) { return false }
    let grown = kept.reduce(live?.end ?? 0) { $0 + $1.bytes } - snapshotBytes
    return isSnapshotForced || grown > max(limits.growth, 2 * snapshotBytes) || kept.count >= limits.segments
  }

  /// Takes a frame, whose number must be one more than that of the last.
  mutating func append(_ frame: JournalFrame) {
    precondition(frame.head.sequence == (waiting.last?.head.sequence ?? settled) + 1)
    waiting.append(frame)
  }

  /// Writes and settles all that waits.
  /// - Throws: the first call that failed; what was settled before stays so, and the next call goes on from there.
  mutating func advance() throws(SystemError) {
    while written < waiting.count {
      let head = waiting[written].head
      if head.flags.contains(.beginsSnapshot) && live?.hasFrames == true {
        try settle()
        shelve()
      }
      if live == nil { try begin(first: waiting[written].head.sequence) }
      try write(waiting[written])
      written += 1
    }
    try settle()
    try removeObsolete()
  }

  private mutating func begin(first: UInt64) throws(SystemError) {
    let number = nextNumber
    nextNumber += 1
    let file = try files.create(SegmentFormat.name(of: number))
    let header = SegmentHeader(agent: agent, number: number, first: first).bytes
    do throws(SystemError) {
      try file.writeAll(header, at: 0)
      if synchronizes { try files.synchronize() }
    } catch {
      do throws(SystemError) { try files.remove(SegmentFormat.name(of: number)) } catch _ {
        // It holds no frame; it goes with the next snapshot.
        kept.append((number, 0, false))
      }
      throw error
    }
    live = Live(number: number, file: file, end: header.count)
  }

  private mutating func write(_ frame: JournalFrame) throws(SystemError) {
    guard let live else { return }
    scratch.removeAll(keepingCapacity: true)
    frame.head.append(frame.payload, to: &scratch)
    do throws(SystemError) { try live.file.writeAll(scratch, at: live.end) } catch {
      do throws(SystemError) { try live.file.truncate(to: live.end) } catch _ { giveUpSegment() }
      throw error
    }
    self.live?.end += scratch.count
    self.live?.hasFrames = true
    if frame.head.flags.contains(.beginsSnapshot) { snapshot = (live.number, 0) }
    if frame.head.kind == .snapshot { snapshot?.bytes += scratch.count }
  }

  private mutating func settle() throws(SystemError) {
    guard written > 0, let live else { return }
    if synchronizes {
      do throws(SystemError) { try live.file.synchronize() } catch {
        // What fsync(2) failed to write may be marked as written: only a new file can be trusted with it.
        giveUpSegment()
        throw error
      }
    }
    let done = waiting[..<written]
    settled = waiting[written - 1].head.sequence
    let begins = done.contains { $0.head.flags.contains(.beginsSnapshot) }
    let ends = done.contains { $0.head.flags.contains(.endsSnapshot) }
    waiting.removeFirst(written)
    written = 0
    if begins { isSnapshotForced = false }
    if ends, let snapshot {
      obsolete += kept.filter { $0.number < snapshot.segment }
      kept.removeAll { $0.number < snapshot.segment }
      snapshotBytes = snapshot.bytes
      self.snapshot = nil
    }
  }

  private mutating func shelve() {
    guard let live else { return }
    kept.append((live.number, live.end, false))
    self.live = nil
  }

  private mutating func giveUpSegment() {
    shelve()
    written = 0
    isSnapshotForced = true
  }

  private mutating func removeObsolete() throws(SystemError) {
    while let segment = obsolete.first {
      try JournalRecovery.retire(segment.number, isDamaged: segment.isDamaged, in: files)
      obsolete.removeFirst()
    }
  }
}

/// When a snapshot is due, and how much may wait.
package struct JournalLimits: Sendable {
  /// Bytes since the last snapshot, or twice that snapshot if it was larger: so no more than two thirds of what is written are snapshots.
  var growth = 64 << 20
  /// Segments before the live one: a program that is started again and again must not fill the folder with short ones.
  var segments = 64
  /// Bytes of payloads that wait for the disk.
  var waiting = 16 << 20
  /// Nanoseconds between two tries after a failure.
  var pause: Int64 = 500_000_000

  package init() {}
}
