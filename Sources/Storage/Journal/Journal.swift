import Platform

/// The journal of a state directory, and the queues between the query thread and the store thread, which does everything that may block.
///
///     query thread                       store thread (`run`)
///     nextRestored ◀── restored ◀─────── survey, replay, cut
///     submit ────────▶ incoming ───────▶ JournalWriter: write all that has come, one fdatasync for all of it
///     settled ◀───────────────────────── the number of the last frame that is safe
///
/// Everything but `run` may be called from any thread and never blocks for longer than the store thread needs to move a few references.
/// After an error it tries again, twice a second, for ever; what waits is bounded, and what finds no room is told so.
package final class Journal: Sendable {
  /// What the query thread gets of what was kept.
  package enum Restored: Sendable {
    case payload([UInt8])
    /// The next is still to be read; `wake` is called when it is there.
    case notYet
    case end
  }

  /// When a frame counts as safe.
  package enum Safety: Sendable {
    /// When the kernel has it: it outlives the program, not a power cut.
    case written
    /// When the disk has it.
    case synchronized
  }

  /// How the journal is.
  package struct Condition: Sendable {
    /// Why nothing can be written at the moment; nil: it can.
    package var trouble: String?
    package var bytes = 0
    package var errors: UInt64 = 0
    /// Writes, each of all that had come, with their syncs.
    package var writes: UInt64 = 0
    package var writeNanoseconds: Int64 = 0
    /// Frames that the start found missing, and bytes that it could not use.
    package var lostFrames: UInt64 = 0
    package var unusedBytes = 0
  }

  private struct Shared {
    var restored: [[UInt8]] = []
    var isRestored = false
    var isTaking = true
    var incoming: [JournalFrame] = []
    /// Bytes of payloads that are not settled.
    var waitingBytes = 0
    var next: UInt64 = 0
    var settled: UInt64 = 0
    var wantsSnapshot = false
    var isRefusing = false
    var isClosing = false
    var condition = Condition()
  }

  private let files: any JournalFiles
  private let agent: AgentID
  private let safety: Safety
  private let limits: JournalLimits
  private let shared = Guarded(Shared())
  private let wakeUp: WakeUp
  private let wake: @Sendable () -> Void
  private let report: @Sendable (JournalEvent) -> Void

  /// Payloads that are read ahead of the query thread.
  private static let readAhead = 4

  /// - Parameters:
  ///   - wake: called by the store thread when anything has changed that the others ask for.
  ///   - report: called by the store thread with what an operator should know.
  package convenience init(
    _ directory: StateDirectory, safety: Safety, limits: JournalLimits = .init(), wake: @escaping @Sendable () -> Void,
    report: @escaping @Sendable (JournalEvent) -> Void
  ) throws(SystemError) {
    try self.init(directory.files, agent: directory.agent, safety: safety, limits: limits, wake: wake, report: report)
  }

  init(
    _ files: any JournalFiles, agent: AgentID, safety: Safety, limits: JournalLimits,
    wake: @escaping @Sendable () -> Void, report: @escaping @Sendable (JournalEvent) -> Void
  ) throws(SystemError) {
    self.files = files
    self.agent = agent
    self.safety = safety
    self.limits = limits
    self.wake = wake
    self.report = report
    wakeUp = try WakeUp()
  }

  /// Raised by the store thread when it comes round.
  package let pulse = Pulse()

  // MARK: Any thread

  /// Has the store thread come round.
  package func nudge() { wakeUp.signal() }

  /// The next payload of what was kept, in the order in which they were submitted.
  package func nextRestored() -> Restored {
    let (answer, hasRoom): (Restored, Bool) = shared.withLock { shared in
      if shared.restored.isEmpty { return (shared.isRestored ? .end : .notYet, false) }
      return (.payload(shared.restored.removeFirst()), shared.restored.count == Self.readAhead - 1)
    }
    if hasRoom { wakeUp.signal() }
    return answer
  }

  /// Takes a payload of at most `SegmentFormat.longestPayload` bytes, once everything is restored.
  /// - Returns: the frame's number; nil if too much waits already: `wake` is called when there is room.
  package func submit(_ payload: consuming [UInt8], kind: FrameHead.Kind, flags: FrameHead.Flags) -> UInt64? {
    precondition(payload.count <= SegmentFormat.longestPayload)
    let payload = payload
    let wall = Clock.wall() / 1_000_000_000
    let ticket: UInt64? = shared.withLock { shared in
      precondition(shared.isRestored, "nothing is submitted before all is restored")
      if shared.waitingBytes > 0 && shared.waitingBytes + payload.count > limits.waiting {
        shared.isRefusing = true
        return nil
      }
      let sequence = shared.next
      shared.next += 1
      shared.waitingBytes += payload.count
      let head = FrameHead(kind: kind, flags: flags, length: payload.count, sequence: sequence, wall: wall)
      shared.incoming.append(JournalFrame(head: head, payload: payload))
      if flags.contains(.beginsSnapshot) { shared.wantsSnapshot = false }
      return sequence
    }
    if ticket != nil { wakeUp.signal() }
    return ticket
  }

  /// The number of the last frame that is as safe as was asked for; all before it are too.
  package var settled: UInt64 { shared.withLock(\.settled) }
  /// Whether everything should be written anew.
  package var wantsSnapshot: Bool { shared.withLock(\.wantsSnapshot) }
  /// How the journal is.
  package var condition: Condition { shared.withLock(\.condition) }

  /// Asks `run` to write what has come and to return; it tries once.
  package func close() {
    shared.withLock { shared in
      shared.isClosing = true
      shared.isTaking = false
    }
    wakeUp.signal()
  }

  // MARK: The store thread

  /// Restores what was kept, then writes what is submitted until `close`. The body of the store thread.
  package func run() {
    guard let poll = try? Poll(), (try? poll.add(wakeUp.descriptor, token: 0, for: .input)) != nil,
      let survey = surveyPatiently(poll)
    else { return }
    restore(survey, poll)
    var writer = JournalWriter(
      files, agent: agent, synchronizes: safety == .synchronized, after: survey, limits: limits)
    shared.withLock { shared in
      shared.next = survey.last + 1
      shared.settled = survey.last
      shared.condition.bytes = writer.bytes
      shared.wantsSnapshot = writer.wantsSnapshot
      shared.isRestored = true
    }
    wake()
    var isClosing = false
    while !isClosing {
      pulse.beat()
      isClosing = shared.withLock { shared in
        for frame in shared.incoming { writer.append(frame) }
        shared.incoming.removeAll()
        return shared.isClosing
      }
      let isTroubled = !advance(&writer)
      if isClosing { return }
      wait(poll, isTroubled ? limits.pause : nil) { !$0.isClosing && (isTroubled || $0.incoming.isEmpty) }
    }
  }

  /// - Returns: false after an error.
  private func advance(_ writer: inout JournalWriter) -> Bool {
    let settledBefore = writer.settled
    let bytesBefore = writer.waitingBytes
    let begin = Clock.monotonic()
    var failure: SystemError?
    do throws(SystemError) { try writer.advance() } catch { failure = error }
    let elapsed = Clock.monotonic() - begin
    let bytes = writer.bytes
    let wantsSnapshot = writer.wantsSnapshot
    let (changed, wasTroubled): (Bool, Bool) = shared.withLock { shared in
      let wasTroubled = shared.condition.trouble != nil
      var changed = writer.settled != settledBefore || wasTroubled != (failure != nil)
      if writer.settled != settledBefore {
        shared.condition.writes += 1
        shared.condition.writeNanoseconds += elapsed
      }
      if failure != nil { shared.condition.errors += 1 }
      shared.condition.trouble = failure?.description
      shared.condition.bytes = bytes
      shared.settled = writer.settled
      shared.waitingBytes -= bytesBefore - writer.waitingBytes
      let isComing = shared.incoming.contains { $0.head.flags.contains(.beginsSnapshot) }
      if wantsSnapshot && !isComing && !shared.wantsSnapshot {
        shared.wantsSnapshot = true
        changed = true
      }
      if shared.isRefusing && shared.waitingBytes <= limits.waiting / 2 {
        shared.isRefusing = false
        changed = true
      }
      return (changed, wasTroubled)
    }
    if let failure, !wasTroubled { report(.troubled(failure, waiting: writer.waiting.count)) }
    if failure == nil && wasTroubled { report(.mended) }
    if changed { wake() }
    return failure == nil
  }

  /// Sleeps until somebody signals and `goesOn` is false, or the time is over.
  private func wait(_ poll: Poll, _ nanoseconds: Int64?, while goesOn: (Shared) -> Bool) {
    let end = nanoseconds.map { Clock.monotonic() + $0 }
    while shared.withLock({ goesOn($0) }) {
      pulse.beat()
      let left = end.map { Int(($0 - Clock.monotonic() + 999_999) / 1_000_000) }
      if let left, left <= 0 { return }
      poll.wait(milliseconds: left) { _ in wakeUp.clear() }
    }
  }

  /// Reads the folder, again and again while that fails: to write without knowing what is there would spoil it.
  private func surveyPatiently(_ poll: Poll) -> JournalSurvey? {
    while !shared.withLock(\.isClosing) {
      do throws(SystemError) {
        let survey = try JournalSurvey(of: files, agent: agent)
        shared.withLock { $0.condition.trouble = nil }
        return survey
      } catch {
        let isFirst = shared.withLock { shared in
          defer { shared.condition.trouble = error.description }
          shared.condition.errors += 1
          return shared.condition.trouble == nil
        }
        if isFirst { report(.troubled(error, waiting: 0)) }
        wake()
        wait(poll, limits.pause) { !$0.isClosing }
      }
    }
    return nil
  }

  private func restore(_ survey: JournalSurvey, _ poll: Poll) {
    let begin = Clock.monotonic()
    var recovery = JournalRecovery(survey, in: files)
    shared.withLock { shared in
      shared.condition.lostFrames = survey.lostFrames
      shared.condition.unusedBytes = survey.unusedBytes
    }
    recovery.replay { _, payload in
      pulse.beat()
      let payload = Array(payload)
      wait(poll, nil) { $0.isTaking && $0.restored.count >= Self.readAhead }
      let (isTaking, isFirst) = shared.withLock { shared in
        if shared.isTaking { shared.restored.append(payload) }
        return (shared.isTaking, shared.restored.count == 1)
      }
      if isTaking && isFirst { wake() }
      return isTaking
    }
    recovery.cut()
    report(.restored(survey, nanoseconds: Clock.monotonic() - begin))
    for failure in recovery.failures { report(.notKeptAside(failure)) }
  }
}

/// What an operator should know of a journal.
package enum JournalEvent: Sendable {
  /// Everything that was kept has been handed on.
  case restored(JournalSurvey, nanoseconds: Int64)
  /// A file could not be read again, cut, or kept aside.
  case notKeptAside(SystemError)
  /// Nothing can be written any more; so many frames wait.
  case troubled(SystemError, waiting: Int)
  /// Everything that waited is written.
  case mended
}
