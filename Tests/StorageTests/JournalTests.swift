import Platform
import Synchronization
import Testing

@testable import Storage

/// The journal as the query thread has it, with a store thread.
@Suite struct `the journal` {
  /// A running journal, and what it said.
  final class Running: Sendable {
    let journal: Journal
    private let thread: Mutex<Platform.Thread?>
    let said = Said()

    init(_ files: any JournalFiles, safety: Journal.Safety = .synchronized, limits: JournalLimits = quick) throws {
      let said = said
      journal = try Journal(
        files, agent: toyAgent, safety: safety, limits: limits, wake: {}, report: { said.add($0) })
      let journal = journal
      thread = Mutex(try Platform.Thread("store") { journal.run() })
    }

    /// What was kept, in words.
    func restored() -> [String] {
      var texts: [String] = []
      while true {
        switch journal.nextRestored() {
        case .payload(let payload): texts.append(String(decoding: payload, as: UTF8.self))
        case .notYet: Clock.sleep(nanoseconds: 1_000_000)
        case .end: return texts
        }
      }
    }

    func submit(_ text: String) -> UInt64? { journal.submit(Array(text.utf8), kind: .changes, flags: .endsBatch) }

    func end() {
      journal.close()
      thread.withLock {
        $0?.join()
        $0 = nil
      }
    }
  }

  final class Said: Sendable {
    private let events = Mutex<[String]>([])
    var all: [String] { events.withLock(\.self) }
    func add(_ event: JournalEvent) {
      let word =
        switch event {
        case .restored(let survey, _): "restored \(survey.frames)"
        case .notKeptAside: "not kept aside"
        case .troubled: "troubled"
        case .mended: "mended"
        }
      events.withLock { $0.append(word) }
    }
  }

  static let quick: JournalLimits = {
    var limits = JournalLimits()
    limits.pause = 5_000_000
    return limits
  }()

  private func wait(for what: String, _ condition: () -> Bool) throws {
    let end = Clock.monotonic() + 10_000_000_000
    while !condition() {
      try #require(Clock.monotonic() < end, "\(what): not within 10 s")
      Clock.sleep(nanoseconds: 1_000_000)
    }
  }

  @Test(arguments: [Journal.Safety.written, .synchronized])
  func `gives back in order what was settled, start after start`(_ safety: Journal.Safety) throws {
    let folder = try Scratch()
    var wanted: [String] = []
    for start in 0..<4 {
      let running = try Running(KernelFiles(folder: folder.folder), safety: safety)
      #expect(running.restored() == wanted)
      var last: UInt64 = 0
      for number in 0..<20 {
        let text = "start \(start), batch \(number)"
        last = try #require(running.submit(text))
        wanted.append(text)
      }
      try wait(for: "the last is settled") { running.journal.settled == last }
      #expect(running.journal.condition.trouble == nil && running.journal.condition.writes > 0)
      running.end()
    }
  }

  @Test func `writes what was submitted before it was closed`() throws {
    let folder = try Scratch()
    let running = try Running(KernelFiles(folder: folder.folder))
    #expect(running.restored() == [])
    _ = running.submit("last")
    running.end()
    let next = try Running(KernelFiles(folder: folder.folder))
    #expect(next.restored() == ["last"])
    next.end()
  }

  @Test func `refuses what finds no room while the disk is full, and goes on by itself`() throws {
    let files = FaultyFiles()
    var limits = Self.quick
    limits.waiting = 1_000
    let running = try Running(files, limits: limits)
    #expect(running.restored() == [])
    files.standing = SystemError.noSpace
    var taken: [String] = []
    while running.submit("batch \(taken.count)") != nil {
      taken.append("batch \(taken.count)")
      try #require(taken.count < 1_000, "the queue has no bound")
    }
    try wait(for: "trouble is told") { running.journal.condition.trouble?.contains("No space left") ?? false }
    #expect(running.journal.settled == 0)
    files.standing = nil
    try wait(for: "all that was taken is settled") { running.journal.settled == UInt64(taken.count) }
    #expect(running.journal.condition.trouble == nil && running.journal.condition.errors > 0)
    #expect(running.submit("more") == UInt64(taken.count) + 1)
    running.end()
    #expect(running.said.all == ["restored 0", "troubled", "mended"])
    let next = try Running(files)
    #expect(next.restored() == taken + ["more"])
    next.end()
  }

  @Test func `asks for a snapshot when it has grown, and lets go of what the snapshot covers`() throws {
    let folder = try Scratch()
    var limits = Self.quick
    limits.growth = 4_000
    let running = try Running(KernelFiles(folder: folder.folder), limits: limits)
    #expect(running.restored() == [])
    var count = 0
    while !running.journal.wantsSnapshot {
      let ticket = try #require(running.submit("batch \(count)"))
      count += 1
      try wait(for: "it is settled") { running.journal.settled >= ticket }
      try #require(count < 1_000)
    }
    #expect(count > 50)
    let first = running.journal.submit(Array("slice 0".utf8), kind: .snapshot, flags: [.endsBatch, .beginsSnapshot])
    #expect(!running.journal.wantsSnapshot)
    _ = running.submit("between")
    let last = running.journal.submit(Array("slice 1".utf8), kind: .snapshot, flags: [.endsBatch, .endsSnapshot])
    try wait(for: "the snapshot is settled") { running.journal.settled == last }
    #expect(first.map { $0 + 2 } == last)
    try wait(for: "what it covers is gone") { running.journal.condition.bytes < 1_000 }
    running.end()
    #expect(try StateDirectory.segments(in: KernelFiles(folder: folder.folder)).count == 1)
    let next = try Running(KernelFiles(folder: folder.folder))
    #expect(next.restored() == ["slice 0", "between", "slice 1"])
    next.end()
  }

  @Test func `ends though nobody takes what it restores`() throws {
    let folder = try Scratch()
    let running = try Running(KernelFiles(folder: folder.folder))
    #expect(running.restored() == [])
    for number in 0..<50 { _ = running.submit("batch \(number)") }
    running.end()
    try Running(KernelFiles(folder: folder.folder)).end()
  }
}

@Suite struct `a state directory` {
  @Test func `has one agent at a time, and one id for ever`() throws {
    let scratch = try Scratch()
    let path = scratch.path + "/a/b"
    var first: StateDirectory? = try StateDirectory(path)
    let id = first?.agent
    let fault = #expect(throws: StateDirectory.Fault.self) { try StateDirectory(path) }
    #expect(fault?.description.contains("in use by process \(ProcessFacts.id)") == true)
    first = nil
    #expect(try StateDirectory(path).agent == id)
  }

  @Test func `that a newer version has written is refused and not touched`() throws {
    let scratch = try Scratch()
    var bytes = SegmentHeader(agent: toyAgent, number: 1, first: 1).bytes
    bytes[8] = 2
    bytes.removeLast(4)
    bytes.append(littleEndian: CRC32C.of(bytes.span))
    try scratch.folder.create(SegmentFormat.name(of: 1)).writeAll(bytes, at: 0)
    let fault = #expect(throws: StateDirectory.Fault.self) { try StateDirectory(scratch.path) }
    #expect(fault?.description.contains("has format 2 and this program knows formats up to 1") == true)
    #expect(Set(try scratch.folder.names()) == ["lock", SegmentFormat.name(of: 1)])
    #expect(try File.read(scratch.path + "/" + SegmentFormat.name(of: 1), limit: 100) == bytes)
  }

  @Test func `that has lost its id finds it in its segments`() throws {
    let scratch = try Scratch()
    try scratch.folder.create(SegmentFormat.name(of: 7)).writeAll(
      SegmentHeader(agent: toyAgent, number: 7, first: 1).bytes, at: 0)
    try scratch.folder.create("agent-id").writeAll(Array("not an id\n".utf8), at: 0)
    #expect(try StateDirectory(scratch.path).agent == toyAgent)
    #expect(try File.read(scratch.path + "/agent-id", limit: 100) == Array("000102030405060708090a0b0c0d0e0f\n".utf8))
  }

  @Test func `that is a file cannot be used, and the message says so`() throws {
    let scratch = try Scratch()
    _ = try scratch.folder.create("file")
    let fault = #expect(throws: StateDirectory.Fault.self) { try StateDirectory(scratch.path + "/file") }
    #expect(fault?.description.contains("/file: ") == true)
  }
}
