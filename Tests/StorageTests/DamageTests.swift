import Platform
import Randomness
import Testing

@testable import Storage

/// Bits flip, and files end early.
@Suite struct `a damaged journal` {
  /// Several segments with a snapshot among them, and every frame's payload by its number.
  struct Image {
    var files: [String: [UInt8]] = [:]
    var payloads: [UInt64: [UInt8]] = [:]
    /// Frames that a sound start hands on.
    var wanted: [UInt64] = []
    /// Where the frames of the last segment end: a file that is cut there looks like one that was never longer.
    var ends: Set<Int> = []

    /// - Parameter keepsOld: the segments before the snapshot are still there, as after a crash before they were removed.
    init(keepsOld: Bool, seed: UInt64) throws {
      var random = SplitMix(seed: seed)
      let files = FaultyFiles()
      var writer = JournalWriter(
        files, agent: toyAgent, synchronizes: true, after: try JournalSurvey(of: files, agent: toyAgent),
        limits: JournalLimits())
      var old: [String: [UInt8]] = [:]
      var sequence: UInt64 = 0
      func frame(_ kind: FrameHead.Kind, _ flags: FrameHead.Flags) {
        sequence += 1
        let payload = (0..<Int.random(in: 0...600, using: &random)).map { _ in
          UInt8.random(in: .min ... .max, using: &random)
        }
        payloads[sequence] = payload
        let head = FrameHead(kind: kind, flags: flags, length: payload.count, sequence: sequence, wall: 7)
        writer.append(JournalFrame(head: head, payload: payload))
      }
      for step in 0..<30 {
        frame(.changes, [])
        frame(.changes, .endsBatch)
        // Segments also begin where one was given up, and with a start.
        if step == 5 || step == 22 {
          files.faults[files.calls + 2] = .failure(SystemError.inputOutput)
          #expect(throws: SystemError.self) { try writer.advance() }
        }
        try writer.advance()
        if step == 12 { frame(.snapshot, [.endsBatch, .beginsSnapshot]) }
        if step == 15 {
          frame(.snapshot, [.endsBatch, .endsSnapshot])
          old = files.contents
          try writer.advance()
        }
      }
      self.files = files.contents
      if keepsOld { self.files.merge(old) { new, _ in new } }
      (_, wanted) = try Self.read(FaultyFiles(files: self.files), payloads)
      let last = self.files.keys.filter { SegmentFormat.number(of: $0) != nil }.max()!
      var reader = try SegmentReader(last, in: FaultyFiles(files: self.files))
      while case .frame(_, let end) = try reader.next() { ends.insert(end) }
      #expect(wanted.last == sequence && self.files.count >= 2)
    }

    /// What a start hands on; what differs from what was written is an issue.
    static func read(_ files: FaultyFiles, _ payloads: [UInt64: [UInt8]]) throws -> (JournalSurvey, [UInt64]) {
      let survey = try JournalSurvey(of: files, agent: toyAgent)
      var recovery = JournalRecovery(survey, in: files)
      var numbers: [UInt64] = []
      recovery.replay { head, payload in
        #expect(payloads[head.sequence] == Array(payload), "frame \(head.sequence) is not what was written")
        #expect(head.sequence > numbers.last ?? 0, "frame \(head.sequence) twice, or out of order")
        numbers.append(head.sequence)
        return true
      }
      recovery.cut()
      return (survey, numbers)
    }
  }

  /// How many images are damaged; JOURNAL_FLIPS sets another number.
  static let rounds = Environment.all()["JOURNAL_FLIPS"].flatMap { Int($0) } ?? 400

  @Test(arguments: [false, true])
  func `gives what is right or nothing, and tells of every loss`(_ keepsOld: Bool) throws {
    let image = try Image(keepsOld: keepsOld, seed: 1)
    let names = image.files.keys.filter { SegmentFormat.number(of: $0) != nil }.sorted()
    var random = SplitMix(seed: keepsOld ? 3 : 2)
    var losses = 0
    for round in 0..<Self.rounds / 2 {
      var files = image.files
      var isSilent = false
      var what: [String] = []
      for _ in 0..<Int.random(in: 1...3, using: &random) {
        let name = names.randomElement(using: &random)!
        var bytes = files[name]!
        if bytes.isEmpty { continue }
        let place = Int.random(in: bytes.indices, using: &random)
        if Int.random(in: 0..<4, using: &random) == 0 {
          bytes.removeLast(bytes.count - place)
          // Nothing in the folder says that there was more.
          if name == names.last && (image.ends.contains(place) || place == SegmentFormat.headerBytes || place == 0) {
            isSilent = true
          }
        } else {
          bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
        }
        what.append("\(name) at \(place) of \(bytes.count)")
        files[name] = bytes
      }
      let left = FaultyFiles(files: files)
      let (survey, numbers) = try Image.read(left, image.payloads)
      if numbers != image.wanted && !numbers.starts(with: image.wanted) {
        let missing = Set(image.wanted).subtracting(numbers)
        if !missing.isEmpty {
          losses += 1
          #expect(
            isSilent || !survey.isSound || survey.cutBytes > 0,
            "round \(round), \(what): \(missing.count) frames gone in silence")
        }
      }
      // What was not cut stands, and nothing that was kept before is lost by the next start.
      let (_, again) = try Image.read(FaultyFiles(after: left, powerCut: false), image.payloads)
      #expect(again == numbers, "round \(round), \(what): a second start reads otherwise")
    }
    #expect(losses > Self.rounds / 10, "hardly anything was damaged")
    print("\(Self.rounds / 2) images damaged, \(losses) with losses, each told")
  }

  @Test func `is kept aside when a snapshot takes its place, and no more than so many of them`() throws {
    var image = try Image(keepsOld: false, seed: 4)
    let first = image.files.keys.filter { SegmentFormat.number(of: $0) != nil }.min()!
    image.files[first]![200] ^= 1
    let damaged = image.files[first]!
    let files = FaultyFiles(files: image.files)
    let survey = try JournalSurvey(of: files, agent: toyAgent)
    #expect(!survey.isSound)
    var writer = JournalWriter(files, agent: toyAgent, synchronizes: true, after: survey, limits: JournalLimits())
    #expect(writer.wantsSnapshot)
    let head = FrameHead(
      kind: .snapshot, flags: [.endsBatch, .beginsSnapshot, .endsSnapshot], length: 0, sequence: survey.last + 1,
      wall: 1)
    writer.append(JournalFrame(head: head, payload: []))
    #expect(!writer.wantsSnapshot)
    try writer.advance()
    #expect(!writer.wantsSnapshot)
    #expect(files.contents["damaged-\(first)"] == damaged)
    #expect(files.contents.keys.filter { SegmentFormat.number(of: $0) != nil }.count == 1)
    #expect(try JournalSurvey(of: files, agent: toyAgent).isSound)
  }

  @Test func `keeps aside what it cuts off`() throws {
    let image = try Image(keepsOld: false, seed: 5)
    let last = image.files.keys.filter { SegmentFormat.number(of: $0) != nil }.max()!
    let end = image.ends.sorted().dropLast().last!
    var files = image.files
    // Into the last frame, so that its batch has no end.
    files[last]!.removeLast(files[last]!.count - end - 5)
    let left = FaultyFiles(files: files)
    let (survey, numbers) = try Image.read(left, image.payloads)
    #expect(survey.isSound && survey.cutBytes > 5)
    #expect(numbers == Array(image.wanted.dropLast(2)))
    let cut = left.contents[last]!.count
    #expect(left.contents["damaged-\(last)-\(cut)"] == Array(files[last]![cut...]))
    #expect(try JournalSurvey(of: left, agent: toyAgent).cutBytes == 0)
  }

  @Test func `of another agent is left alone`() throws {
    let image = try Image(keepsOld: false, seed: 6)
    let files = FaultyFiles(files: image.files)
    let survey = try JournalSurvey(of: files, agent: .random())
    #expect(survey.frames == 0 && !survey.isSound)
    var recovery = JournalRecovery(survey, in: files)
    recovery.cut()
    #expect(files.contents == image.files)
  }

  @Test func `of a newer format is told from a damaged one and refused`() throws {
    var bytes = SegmentHeader(agent: toyAgent, number: 1, first: 1).bytes
    bytes[8] = 9
    #expect(SegmentHeader.read(bytes.span) == .damaged)
    bytes.removeLast(4)
    bytes.append(littleEndian: CRC32C.of(bytes.span))
    #expect(SegmentHeader.read(bytes.span) == .newer(version: 9))
    let files = FaultyFiles(files: [SegmentFormat.name(of: 1): bytes])
    #expect(throws: StateDirectory.Fault.self) { try StateDirectory.refuseNewer([1], in: files, "/state") }
  }
}
