import Platform
import Testing

@testable import Storage

/// Every system call of the journal fails in every way, and every byte of it is the last.
@Suite struct `the journal in trouble` {
  static let numbers = [SystemError.noSpace, SystemError.inputOutput, SystemError.interrupted]

  /// A run on a new folder with these faults.
  private func run(_ faults: [Int: FaultyFiles.Fault], on files: FaultyFiles = .init()) throws -> ToyWriter {
    let survey = try JournalSurvey(of: files, agent: toyAgent)
    let calls = files.calls
    files.faults = Dictionary(uniqueKeysWithValues: faults.map { ($0.key + calls, $0.value) })
    var toy = ToyWriter(files, after: survey)
    toy.scenario()
    return toy
  }

  /// The calls of a run without a fault: of those that write, the bytes.
  private func calls() throws -> [Int?] {
    let files = FaultyFiles()
    let before = 1
    _ = try run([:], on: files)
    return (before..<files.calls).map { files.writes[$0] }
  }

  /// A start on what is left, one more batch, and another start.
  private func check(_ toy: ToyWriter, powerCut: Bool, _ what: String) throws {
    let left = FaultyFiles(after: toy.files, powerCut: powerCut)
    let (counts, survey) = try ToyCounts.restored(from: left)
    let batch = counts.batch
    #expect(batch != nil, "\(what): a mix, \(counts)")
    #expect(
      (toy.settled...toy.submitted).contains(batch ?? -1),
      "\(what): \(batch ?? -1) of \(toy.settled)...\(toy.submitted)")
    #expect(survey.isSound, "\(what): taken for a loss, \(survey)")
    var next = ToyWriter(left, after: survey, batch: batch ?? 0)
    next.batch()
    next.scenario()
    let (more, again) = try ToyCounts.restored(from: FaultyFiles(after: left, powerCut: powerCut))
    #expect(more.batch == next.submitted, "\(what), and a second start")
    #expect(again.isSound && again.cutBytes == 0, "\(what), and a second start: \(again)")
  }

  @Test func `gets over one failure of any call without a loss`() throws {
    for (call, bytes) in try calls().enumerated() {
      var faults = Self.numbers.map(FaultyFiles.Fault.failure)
      if let bytes { faults += (0..<bytes).map(FaultyFiles.Fault.short) }
      for fault in faults {
        let toy = try run([call: fault])
        #expect(toy.settled == toy.submitted, "call \(call), \(fault)")
        for powerCut in [false, true] {
          try check(toy, powerCut: powerCut, "call \(call), \(fault), power cut \(powerCut)")
        }
      }
    }
  }

  @Test func `keeps a prefix of the batches when the program ends in any call and after any byte`() throws {
    for (call, bytes) in try calls().enumerated() {
      for taken in 0...(bytes ?? 0) {
        let toy = try run([call: .crash(after: taken)])
        for powerCut in [false, true] {
          try check(toy, powerCut: powerCut, "crash in call \(call) after \(taken) bytes, power cut \(powerCut)")
        }
      }
    }
  }

  @Test func `keeps a prefix of the batches when the program ends after a failure`() throws {
    let calls = try calls()
    for first in calls.indices {
      for (place, number) in Self.numbers.enumerated() where first % Self.numbers.count == place {
        // A failure makes for more calls than there are without one.
        for second in (first + 1)..<(calls.count + 8) {
          let half = calls.indices.contains(second) ? (calls[second] ?? 0) / 2 : 20
          let toy = try run([first: .failure(number), second: .crash(after: half)])
          for powerCut in [false, true] {
            try check(
              toy, powerCut: powerCut, "failure \(number) of call \(first), crash in call \(second), \(powerCut)")
          }
        }
      }
    }
  }

  @Test func `gets over two failures in a row, one of them while it mends the first`() throws {
    let calls = try calls()
    for call in calls.indices {
      for number in Self.numbers {
        var faults: [Int: FaultyFiles.Fault] = [call: .failure(number), call + 1: .failure(SystemError.inputOutput)]
        if let bytes = calls[call] {
          // Part of a frame is there when the disk is full.
          faults = [call: .short(bytes / 2), call + 1: .failure(number), call + 2: .failure(SystemError.inputOutput)]
        }
        let toy = try run(faults)
        #expect(toy.settled == toy.submitted, "call \(call), \(number)")
        for powerCut in [false, true] { try check(toy, powerCut: powerCut, "calls \(call) and the next, \(number)") }
      }
    }
  }

  @Test func `reads the same whichever call of the start fails once`() throws {
    // A folder with a segment given up, a torn frame and a batch without its end.
    let calls = try calls()
    let lastWrite = calls.lastIndex { $0 != nil } ?? 0
    let toy = try run([10: .failure(SystemError.inputOutput), lastWrite + 6: .crash(after: 20)])
    let left = FaultyFiles(after: toy.files, powerCut: false)
    let (wanted, _) = try ToyCounts.restored(from: FaultyFiles(after: left, powerCut: false))
    for call in 0..<200 {
      for number in Self.numbers {
        let files = FaultyFiles(after: left, powerCut: false)
        files.faults = [call: .failure(number)]
        // The store thread lists the folder until it can.
        let restored = try? ToyCounts.restored(from: files)
        if files.calls <= call { return }
        let (counts, survey) = try restored ?? ToyCounts.restored(from: files)
        #expect(counts == wanted, "call \(call), \(number)")
        var next = ToyWriter(files, after: survey, batch: counts.batch ?? 0)
        next.batch()
        #expect(
          try ToyCounts.restored(from: files).0.batch == next.submitted, "call \(call), \(number), and a second start")
      }
    }
    Issue.record("a start makes fewer calls than that")
  }

  @Test func `makes one agent id whichever call fails and wherever it ends`() throws {
    for call in 0..<40 {
      for fault in Self.numbers.map(FaultyFiles.Fault.failure) + [0, 1, 16, 33].map(FaultyFiles.Fault.crash) {
        let files = FaultyFiles()
        files.faults = [call: fault]
        let made = try? AgentID.keptOrMade(in: files, segments: [])
        if files.calls <= call { return }
        for powerCut in [false, true] {
          let left = FaultyFiles(after: files, powerCut: powerCut)
          let kept = try AgentID.keptOrMade(in: left, segments: [])
          if let made { #expect(kept == made, "call \(call), \(fault)") }
          #expect(try AgentID.keptOrMade(in: left, segments: []) == kept, "call \(call), \(fault)")
        }
      }
    }
    Issue.record("an id takes fewer calls than that")
  }
}
