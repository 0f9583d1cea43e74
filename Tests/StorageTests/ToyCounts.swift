import Platform

@testable import Storage

/// Counts so plain that a mistake in what is restored shows: batch k says of every group that its value is k, and adds one to it, in a
/// frame a group. A slice of a snapshot says both of one group, absolutely. So after any prefix of batches value and sum of every group
/// are the number of the last batch, and after anything else they are not.
struct ToyCounts: Equatable {
  static let groups = 3
  var values = Array(repeating: 0, count: groups)
  var sums = Array(repeating: 0, count: groups)

  /// The number of the last batch; nil: this is no prefix of batches.
  var batch: Int? { Set(values + sums).count == 1 ? values[0] : nil }

  mutating func apply(_ payload: some Collection<UInt8>) {
    let words = String(decoding: payload, as: UTF8.self).split(separator: " ")
    let group = Int(words[1])!, batch = Int(words[2])!
    values[group] = batch
    sums[group] = words[0] == "slice" ? batch : sums[group] + 1
  }

  /// What the folder gives back.
  static func restored(from files: FaultyFiles, agent: AgentID = toyAgent) throws -> (ToyCounts, JournalSurvey) {
    let survey = try JournalSurvey(of: files, agent: agent)
    var recovery = JournalRecovery(survey, in: files)
    var counts = ToyCounts()
    recovery.replay { _, payload in
      counts.apply(payload)
      return true
    }
    recovery.cut()
    return (counts, survey)
  }
}

let toyAgent = AgentID(bytes: Array(0..<16))

/// Writes toy batches and a snapshot of them, and goes on after errors as the store thread does.
struct ToyWriter {
  var writer: JournalWriter
  let files: FaultyFiles
  /// The number of the last batch that was submitted, at least in part.
  private(set) var submitted: Int
  /// The number of the last batch that is settled.
  private(set) var settled: Int
  private var sequence: UInt64
  private var ends: [(sequence: UInt64, batch: Int)] = []

  init(_ files: FaultyFiles, after survey: JournalSurvey, batch: Int = 0, synchronizes: Bool = true) {
    self.files = files
    writer = JournalWriter(
      files, agent: toyAgent, synchronizes: synchronizes, after: survey, limits: JournalLimits())
    submitted = batch
    settled = batch
    sequence = survey.last
  }

  private mutating func append(_ text: String, _ kind: FrameHead.Kind, _ flags: FrameHead.Flags) {
    sequence += 1
    let payload = Array(text.utf8)
    let head = FrameHead(kind: kind, flags: flags, length: payload.count, sequence: sequence, wall: 1)
    writer.append(JournalFrame(head: head, payload: payload))
  }

  /// Tries until all is settled, or nothing answers any more.
  mutating func advance() {
    for _ in 0..<8 {
      let result = Result { try writer.advance() }
      while let first = ends.first, first.sequence <= writer.settled {
        settled = first.batch
        ends.removeFirst()
      }
      if case .success = result { return }
    }
  }

  mutating func batch() {
    submitted += 1
    for group in 0..<ToyCounts.groups {
      append("batch \(group) \(submitted)", .changes, group == ToyCounts.groups - 1 ? .endsBatch : [])
    }
    ends.append((sequence, submitted))
    advance()
  }

  mutating func slice(_ group: Int) {
    var flags: FrameHead.Flags = group == 0 ? [.endsBatch, .beginsSnapshot] : .endsBatch
    if group == ToyCounts.groups - 1 { flags.insert(.endsSnapshot) }
    append("slice \(group) \(submitted)", .snapshot, flags)
  }

  /// Several batches, and among them a snapshot whose slices lie between batches, some of them in one write.
  mutating func scenario() {
    batch()
    batch()
    slice(0)
    advance()
    batch()
    slice(1)
    batch()
    slice(2)
    batch()
    batch()
  }
}
