import Protocol
import Randomness
import Testing

@testable import Aggregation

/// A world whose changes are kept, and what was told of it, with the truth at the end of each batch.
private final class Recording {
  let world: World
  private(set) var payloads: [JournalPayload] = []
  /// The truth where so many payloads had been told.
  private(set) var truths: [(payloads: Int, wall: Int64, second: Int64, facts: [String: String])] = []
  /// The payload that began the last snapshot that has ended, and the first batch that ended behind its end.
  private(set) var lastSnapshot: (begin: Int, end: Int)?
  private var snapshotBegin = 0
  var second: Int64 = 1 << 22
  var wall: Int64 = 1_700_000_000
  private var random: SplitMix
  private let settings: MergedView.Settings
  private let limit: Int
  private let bounds: [Double]
  /// Whether the time of day is set back and forth.
  let clockJumps: Bool

  init(seed: UInt64, limit: Int = 50_000, bounds: [Double] = [], clockJumps: Bool = false) {
    self.clockJumps = clockJumps
    random = SplitMix(seed: seed)
    settings = .init(seriesTTL: 4_000, counterTTL: 9_000, quantileWindow: 60)
    self.limit = limit
    self.bounds = bounds
    world = World(tables: 3, limit: limit, settings: settings, bounds: bounds)
    world.gather(second: second, wall: wall)
    world.view.keepChanges()
  }

  /// Something happens, is gathered and told; at times a part of a snapshot is told too.
  func step() {
    switch random.below(20) {
    case 0..<13: count()
    case 13: reset()
    case 14: dismiss()
    case 15: if !world.view.isInSnapshot { world.view.beginSnapshot() }
    case 16: advance([600, 3_700, 30_000][random.below(3)])
    case 17 where clockJumps: wall += [-30, 40, -4_000, 4_000][random.below(4)]
    default: advance(Int64(random.below(70)))
    }
    for worker in world.workers { worker.pass() }
    world.gather(second: second, wall: wall)
    tell()
  }

  private func advance(_ seconds: Int64) {
    second += seconds
    wall += seconds
  }

  private func count() {
    let worker = world.workers[random.below(3)]
    var lines: [String] = []
    for _ in 0...random.below(30) {
      let tag = "|#h:\(random.below(4))"
      let late = random.below(6) == 0 ? "|T\(wall - Int64([0, 3, 100, 5_000, 100_000, 700_000][random.below(6)]))" : ""
      let rate = ["", "", "|@0.5", "|@0.3"][random.below(4)]
      switch random.below(8) {
      case 0: lines.append("c\(random.below(4)):\(random.below(50))|c\(rate)\(tag)\(late)")
      case 1: lines.append("visit:page\(random.below(9)):\(1 + random.below(3))|c\(late)")
      case 2: lines.append("c0:-0.25|c\(tag)\(late)")
      case 3: lines.append("g\(random.below(3)):\(["", "+", "-"][random.below(3)])\(random.below(100)).5|g\(tag)")
      case 4: lines.append("t\(random.below(3)):\(random.below(1_000))|ms\(rate)\(tag)\(late)")
      case 5: lines.append("h:\(random.below(1_000)).25|h\(rate)\(late)")
      case 6: lines.append("s\(random.below(2)):m\(random.below(500))|s\(tag)\(late)")
      default: lines.append("_sc|check|\(random.below(4))")
      }
    }
    worker.count(lines.joined(separator: "\n").utf8, wall: wall)
  }

  private func reset() {
    for id in world.series.values.sorted() where random.below(4) == 0 { world.view.reset(id) }
  }

  private func dismiss() {
    let some = world.series.values.sorted().filter { _ in random.below(8) == 0 }
    world.view.dismiss(Set(some))
    for _ in 0..<2 {
      world.gather(second: second, wall: wall)
      for worker in world.workers { worker.pass() }
    }
    world.gather(second: second, wall: wall)
  }

  private func tell() {
    note(world.encodeBatch())
    for _ in 0..<random.below(3) { note(world.encodeSlice()) }
  }

  private func note(_ more: [JournalPayload]) {
    if more.isEmpty { return }
    if more[0].part == .snapshotBegins { snapshotBegin = payloads.count }
    payloads += more
    if more[more.count - 1].part == .snapshotEnds { lastSnapshot = (snapshotBegin, payloads.count) }
    #expect(more.dropLast().allSatisfy { !$0.endsBatch } && more[more.count - 1].endsBatch)
    truths.append((payloads.count, wall, second, world.facts(wall: wall, looksBack: !clockJumps)))
  }

  /// A world that has taken some of the payloads back.
  func restored(_ some: ArraySlice<JournalPayload>, second: Int64, wall: Int64) -> World {
    let fresh = World(tables: 3, limit: limit, settings: settings, bounds: bounds, seed: 9)
    for payload in some { fresh.restore(payload.bytes, second: second, wall: wall) }
    #expect(fresh.restoreTally.skipped == 0, "\(fresh.restoreTally)")
    return fresh
  }
}

@Suite struct `keeping` {
  @Test(arguments: 0..<6 as Range<UInt64>)
  func `any prefix of batches gives the truth of its end`(_ seed: UInt64) {
    let recording = Recording(seed: seed, bounds: seed % 2 == 0 ? [] : [0.1, 0.5], clockJumps: seed % 3 == 2)
    for _ in 0..<40 { recording.step() }
    for truth in recording.truths {
      let world = recording.restored(
        recording.payloads[..<truth.payloads], second: truth.second, wall: truth.wall)
      let differences = difference(
        world.facts(wall: truth.wall, looksBack: !recording.clockJumps), truth.facts)
      #expect(differences.isEmpty, "seed \(seed), \(truth.payloads) payloads: \(differences.joined(separator: "\n"))")
      if !differences.isEmpty { return }
    }
  }

  @Test(arguments: 0..<6 as Range<UInt64>)
  func `a snapshot that has ended makes what came before it superfluous`(_ seed: UInt64) throws {
    let recording = Recording(seed: seed, clockJumps: seed % 3 == 2)
    var steps = 0
    while recording.lastSnapshot == nil && steps < 1_000 {
      recording.step()
      steps += 1
    }
    for _ in 0..<10 { recording.step() }
    let snapshot = try #require(recording.lastSnapshot)
    for truth in recording.truths where truth.payloads >= snapshot.end {
      let world = recording.restored(
        recording.payloads[snapshot.begin..<truth.payloads], second: truth.second, wall: truth.wall)
      let differences = difference(
        world.facts(wall: truth.wall, looksBack: !recording.clockJumps), truth.facts)
      #expect(differences.isEmpty, "seed \(seed), \(truth.payloads) payloads: \(differences.joined(separator: "\n"))")
      if !differences.isEmpty { return }
    }
  }

  @Test func `what goes on after a start is told on top of what was kept`() {
    let first = Recording(seed: 3)
    for _ in 0..<30 { first.step() }
    let second = first.restored(first.payloads[...], second: first.second, wall: first.wall)
    second.view.keepChanges()
    second.workers[0].count(
      "visit:page1:5|c\nc1:1|c|#h:1\nt0:5|ms|#h:0\ns0:x|s|#h:0\ng1:7|g|#h:2".utf8, wall: first.wall)
    second.gather(second: first.second, wall: first.wall)
    let more = second.encodeBatch()
    let third = first.restored((first.payloads + more)[...], second: first.second, wall: first.wall)
    #expect(difference(third.facts(wall: first.wall), second.facts(wall: first.wall)).isEmpty)
    // Nothing has changed since: there is nothing to tell.
    #expect(second.encodeBatch().isEmpty)
  }

  @Test func `a series that was restored is counted on, reset, dismissed and leaves as any other`() throws {
    let recording = Recording(seed: 1)
    recording.world.workers[0].count("visit:a:10|c\ng:5|g\nvisit:b:3|c".utf8, wall: recording.wall)
    recording.world.gather(second: recording.second, wall: recording.wall)
    let world = recording.restored(recording.world.encodeBatch()[...], second: recording.second, wall: recording.wall)
    world.view.keepChanges()
    world.workers[0].count("visit:a:1|c\ng:+1|g".utf8, wall: recording.wall)
    world.gather(second: recording.second)
    #expect(world["counter visit{page=a}"]?.total.whole == 11)
    #expect(world["gauge g"]?.gauge == 6)
    #expect(world.seriesCount == 3)
    let page = try #require(world.series["counter visit{page=a}"])
    world.view.reset(page)
    #expect(world.family("visit", .counter)?.total.whole == 14)
    #expect(world.count(of: "visit") == 3)
    let gauge = try #require(world.series["gauge g"])
    world.view.dismiss([gauge])
    for second in 1...3 {
      world.gather(second: recording.second + Int64(second))
      for worker in world.workers { worker.pass() }
    }
    world.gather(second: recording.second + 4)
    #expect(world["gauge g"] == nil)
    // Counters leave after 9,000 seconds.
    for second in [9_500, 9_600, 9_700] {
      world.gather(second: recording.second + Int64(second))
      for worker in world.workers { worker.pass() }
    }
    world.gather(second: recording.second + 9_800)
    #expect(world.seriesCount == 0 && world.familyCount == 0)
  }

  @Test func `a limit reached by what was restored keeps no line of it out`() {
    let recording = Recording(seed: 1)
    let lines = (0..<1_000).map { "c\($0):1|c" }.joined(separator: "\n")
    recording.world.workers[0].count(lines.utf8, wall: recording.wall)
    recording.world.gather(second: recording.second, wall: recording.wall)
    let payloads = recording.world.encodeBatch()
    for limit in [1_000, 600] {
      let world = World(tables: 2, limit: limit, seed: 4)
      // The workers receive before all has been taken back.
      world.workers[0].count((0..<500).map { "c\($0):1|c" }.joined(separator: "\n"))
      for payload in payloads { world.restore(payload.bytes, second: recording.second, wall: recording.wall) }
      #expect(world.restoreTally.limited == 1_000 - limit)
      world.view.keepChanges()
      world.workers[0].count(lines)
      world.gather(second: recording.second, wall: recording.wall)
      let totals = world.series.mapValues { world.view.series($0).total.whole ?? -1 }
      #expect(totals.values.reduce(0, +) == 2_500)
      if limit == 1_000 {
        #expect(totals.count == 1_000 && totals["counter __other__"] == nil)
        #expect(totals["counter c7"] == 3 && totals["counter c700"] == 2)
      } else {
        #expect(totals["counter __other__"] ?? 0 > 400)
        #expect(world.wantsSnapshot)
      }
    }
  }

  @Test func `weights by bound of other bounds than today's are above all of them`() throws {
    let recording = Recording(seed: 1, bounds: [0.1, 0.5])
    recording.world.workers[0].count("t:50|ms\nt:200|ms\nt:9|ms".utf8, wall: recording.wall)
    recording.world.gather(second: recording.second, wall: recording.wall)
    let payloads = recording.world.encodeBatch()
    let world = World(tables: 1, bounds: [7, 8, 9])
    for payload in payloads { world.restore(payload.bytes, second: recording.second, wall: recording.wall) }
    let series = try #require(world["timer t"])
    let timer = world.view.timer(series)
    #expect(timer.count == 3 && timer.sum == 259 && timer.bounds == [0, 0, 0, 3])
  }

  @Test func `a journal that takes nothing for long costs a bounded memory, and a snapshot mends what was left out`() {
    let recording = Recording(seed: 1)
    let world = recording.world
    let late = (0..<20_000).map { "d:1|c|T\(recording.wall - Int64($0))" }.joined(separator: "\n")
    for round in 0..<60 {
      world.workers[0].count(late.utf8, wall: recording.wall)
      world.workers[0].count("c:1|c\nt\(round % 7):\(round)|ms".utf8, wall: recording.wall)
      world.gather(second: recording.second, wall: recording.wall)
    }
    let bytes = world.view.memory.first { "\($0.part)" == "journal" }?.bytes ?? 0
    #expect(bytes < 10 << 20)
    #expect(world.wantsSnapshot)
    let batch = world.encodeBatch()
    #expect(batch.last?.endsBatch == true)
    // Totals are not left out, whatever is.
    let without = recording.restored(batch[...], second: recording.second, wall: recording.wall)
    #expect(without["counter c"]?.total.whole == 60)
    #expect(without["counter d"]?.total.whole == 1_200_000)
    world.view.beginSnapshot()
    var payloads = batch
    while world.view.isInSnapshot { payloads += world.encodeSlice() }
    let mended = recording.restored(payloads[...], second: recording.second, wall: recording.wall)
    #expect(difference(mended.facts(wall: recording.wall), world.facts(wall: recording.wall)).isEmpty)
    #expect(!world.wantsSnapshot)
  }

  @Test func `no payload is longer than a journal takes, whatever a series has`() {
    let recording = Recording(seed: 1)
    let world = recording.world
    var random = SplitMix(seed: 5)
    // A day of a timer and a set that are never the same: megabytes of sketches and registers.
    for minute in 0..<100 {
      recording.wall += minute < 60 ? 60 : 3_600
      recording.second += minute < 60 ? 60 : 3_600
      var text = ""
      for _ in 0..<1_000 { text += "t:\(Double(random.below(1 << 30)) / 7)|ms\n" }
      for _ in 0..<6_000 { text += "s:\(random.next())|s\n" }
      world.workers[0].count(text.utf8, wall: recording.wall)
      world.gather(second: recording.second, wall: recording.wall)
      _ = world.encodeBatch()
    }
    world.view.beginSnapshot()
    var payloads: [JournalPayload] = []
    while world.view.isInSnapshot { payloads += world.encodeSlice() }
    #expect(payloads.count > 4)
    #expect(payloads.allSatisfy { $0.bytes.count <= 512 << 10 })
    let restored = recording.restored(payloads[...], second: recording.second, wall: recording.wall)
    #expect(difference(restored.facts(wall: recording.wall), world.facts(wall: recording.wall)).isEmpty)
  }

  @Test func `nothing is kept, and no memory taken, until somebody asks for it`() {
    let world = World()
    world.workers[0].count("c:1|c\nt:1|ms\ns:a|s")
    world.gather()
    #expect(!world.hasChanges && world.encodeBatch().isEmpty)
    #expect(world.view.memory.first { "\($0.part)" == "journal" }?.bytes == 0)
  }

  // MARK: Damage

  @Test func `a payload with a wrong byte is counted and changes nothing`() {
    let recording = Recording(seed: 8)
    for _ in 0..<20 { recording.step() }
    var random = SplitMix(seed: 2)
    let good = recording.payloads.map(\.bytes)
    for _ in 0..<300 {
      let world = World(tables: 3, settings: .init(seriesTTL: 4_000, counterTTL: 9_000, quantileWindow: 60))
      var bytes = good[random.below(good.count)]
      bytes[random.below(bytes.count)] ^= 1 << UInt8(random.below(8))
      world.restore(bytes, second: recording.second, wall: recording.wall)
      #expect(world.restoreTally.malformed == 1 && world.seriesCount == 0)
    }
  }

  @Test func `records of a series whose definition was lost are counted and change no other`() {
    let recording = Recording(seed: 8)
    let world = recording.world
    world.workers[0].count("a:1|c".utf8, wall: recording.wall)
    world.gather(second: recording.second, wall: recording.wall)
    let first = world.encodeBatch()
    world.workers[0].count("b:1|c".utf8, wall: recording.wall)
    world.gather(second: recording.second, wall: recording.wall)
    _ = world.encodeBatch()
    world.workers[0].count("a:4|c\nb:6|c".utf8, wall: recording.wall)
    world.gather(second: recording.second, wall: recording.wall)
    let third = world.encodeBatch()
    let fresh = World(tables: 1)
    for payload in first + third { fresh.restore(payload.bytes, second: recording.second, wall: recording.wall) }
    #expect(fresh.restoreTally.unknown == 1)
    #expect(fresh["counter a"]?.total.whole == 5 && fresh.seriesCount == 1)
    fresh.view.keepChanges()
    #expect(fresh.wantsSnapshot)
  }

  @Test func `bytes that only look like a payload change what they say, and break nothing`() {
    let recording = Recording(seed: 5)
    for _ in 0..<25 { recording.step() }
    var random = SplitMix(seed: 6)
    for _ in 0..<400 {
      let world = World(tables: 3, settings: .init(seriesTTL: 4_000, counterTTL: 9_000, quantileWindow: 60))
      for payload in recording.payloads.prefix(8) {
        var bytes = payload.bytes
        for _ in 0..<random.below(4) { bytes[6 + random.below(bytes.count - 6)] = UInt8(random.below(256)) }
        world.restore(
          JournalRecordWriter.checked(bytes), second: recording.second, wall: recording.wall)
      }
      world.view.keepChanges()
      world.workers[0].count("a:1|c\nt0:1|ms|#h:0\ns0:a|s|#h:0", monotonic: 5)
      world.gather(second: recording.second, wall: recording.wall)
      _ = world.facts(wall: recording.wall)
      _ = world.encodeBatch()
    }
  }
}
