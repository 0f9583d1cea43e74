import Randomness
import Testing

@testable import Aggregation

/// History alone, with the time of a simulation.
@Suite struct HistoryTests {
  static let now: Int64 = 1_700_000_000

  private final class Kept {
    var history: History
    init(bytes: Int = 1 << 20, capacity: Int = 10_000) { history = try! History(byteLimit: bytes, capacity: capacity) }

    var bytes: Int { history.byteCount }
    var seriesHeld: Int { history.seriesHeld }
    var familiesHeld: Int { history.familiesHeld }
    var evictions: UInt64 { history.evictions }
    var misfits: UInt64 { history.misfits }

    func time(_ wall: Int64, _ second: Int64) { history.clock = HistoryClock(wall: wall, second: second) }

    func add(_ whole: Int64, to id: SeriesID = 0, at second: Int64) {
      history.add(HistoryAmount(whole: whole), at: UInt32(second), to: .series(id), isTimer: false)
    }

    func encoded(_ id: SeriesID) -> [UInt8]? { history.encoded(.series(id)) }

    func decode(_ bytes: [UInt8], into id: SeriesID, isTimer: Bool) -> Bool {
      history.decode(bytes, into: .series(id), isTimer: isTimer)
    }

    func points(of id: SeriesID, from start: Int64 = 0) -> [(second: Int64, amount: HistoryAmount)] {
      var points: [(Int64, HistoryAmount)] = []
      if let entry = history.entry(of: .series(id)) {
        history.forEachPoint(of: entry, from: start) { points.append(($0, $1)) }
      }
      return points
    }

    /// All points and blobs, in order.
    func content(of id: SeriesID) -> [String] {
      var content = points(of: id).sorted { $0.second < $1.second }.map { "\($0.second) \($0.amount)" }
      if let entry = history.entry(of: .series(id)) {
        history.forEachBlob(of: entry, from: 0) { content.append("\($0) \($1)") }
      }
      return content
    }

    func familyCount() -> Int64? { history.amount(of: .family(0), from: 0)?.count.whole }

    func count(of id: SeriesID = 0, from start: Int64) -> Int64? {
      history.amount(of: .series(id), from: start)?.count.whole
    }
  }

  @Test func `one count takes one slot, and the next ones fill another`() {
    let kept = Kept()
    kept.time(Self.now, 0)
    kept.add(1, at: Self.now)
    #expect(kept.bytes == 64 + 4)
    for second in 1...26 {
      kept.time(Self.now + Int64(second), Int64(second))
      kept.add(1, at: Self.now + Int64(second))
    }
    #expect(kept.bytes == 128 + 4)
    #expect(kept.count(from: Self.now) == 27)
    #expect(kept.count(from: Self.now + 20) == 7)
  }

  @Test func `a series that counts each second for a week keeps within seven kilobytes`() {
    let kept = Kept()
    let start = Self.now
    var most = 0
    let end = start + 26 * 3_600
    for wall in start..<end {
      kept.time(wall, wall - start)
      kept.add(wall % 3, at: wall)
      most = max(most, kept.bytes)
    }
    // For the rest of the week by the minute.
    for wall in stride(from: end, to: start + 180 * 3_600, by: 60) {
      kept.time(wall, wall - start)
      kept.add(50, at: wall)
      most = max(most, kept.bytes)
    }
    #expect(most < 7 << 10, "\(most)")
    #expect(kept.misfits == 0 && kept.evictions == 0)
  }

  @Test func `points of any size and sign come back as they went in`() {
    let kept = Kept()
    kept.time(Self.now, 0)
    let amounts: [HistoryAmount] = [
      .init(whole: 1), .init(whole: -1), .init(whole: .max), .init(whole: .min), .init(whole: 0, fraction: 0.1),
      .init(whole: 5, fraction: -1e300), .init(whole: 3, sum: 1e-9), .init(whole: 3, sum: -123_456),
      .init(whole: 1 << 40),
    ]
    for (place, amount) in amounts.enumerated() {
      for isTimer in [false, true] {
        let id = SeriesID(2 * place + (isTimer ? 1 : 0))
        for later in 0..<30 {
          kept.history.add(amount, at: UInt32(Self.now) + UInt32(later * 7), to: .series(id), isTimer: isTimer)
        }
        let points = kept.points(of: id)
        for (_, point) in points {
          #expect(point.whole == amount.whole && point.fraction == amount.fraction)
          if isTimer { #expect(point.sum == amount.sum) }
        }
        #expect(points.count == 30)
      }
    }
  }

  @Test(arguments: [1, 2, 3] as [UInt64])
  func `points put in any order are those of a dictionary`(_ seed: UInt64) {
    var random = SplitMix(seed: seed)
    let kept = Kept()
    var model: [Int64: Int64] = [:]
    kept.time(Self.now, 0)
    for _ in 0..<3_000 {
      let second = Self.now - Int64(random.below(random.pick([60, 500, 7_200, 80_000, 600_000])))
      let amount = Int64(random.below(random.pick([3, 300, 1 << 40]))) - 1
      kept.add(amount, at: second)
      model[second, default: 0] += amount
    }
    for hours in [0.1, 0.5, 1, 5, 23.9, 24, 30, 100, 168] {
      let start = HistorySpan.start(ofCounts: Int64(hours * 3_600), before: Self.now)
      let expected = model.filter { $0.key >= start }.reduce(0) { $0 + $1.value }
      #expect(kept.count(from: start) == expected, "\(hours)")
      var plot = HistoryPlot(from: start, to: Self.now)
      for (second, amount) in kept.points(of: 0, from: start) { plot.add(amount, at: second) }
      #expect(plot.amounts.reduce(0) { $0 + $1.whole } == expected)
    }
    #expect(kept.misfits == 0)
  }

  @Test func `a series that nobody counts any more gives its finer points back, and goes in the end`() {
    let kept = Kept()
    for second in 0..<3_600 {
      kept.time(Self.now + Int64(second), Int64(second))
      kept.add(1, at: Self.now + Int64(second))
    }
    let busy = kept.bytes
    kept.time(Self.now + 7_200, 7_200)
    kept.history.ageIdle(.series(0))
    let idle = kept.bytes
    #expect(idle < busy / 4, "\(busy) \(idle)")
    #expect(kept.count(from: Self.now / 60 * 60) == 3_600)
    kept.time(Self.now + 170 * 3_600, 170 * 3_600)
    kept.history.ageIdle(.series(0))
    #expect(kept.seriesHeld == 0 && kept.bytes == 4)
  }

  @Test func `those not counted for longest give way first, and all that they had is used again`() {
    let kept = Kept(bytes: 64 * 100 + 4 * 101)
    for id in 0..<100 {
      kept.time(Self.now + Int64(id), Int64(id))
      kept.add(1, to: SeriesID(id), at: Self.now + Int64(id))
    }
    #expect(kept.seriesHeld == 100)
    // The first is counted again, so the second is the one that was not for longest.
    kept.time(Self.now + 200, 200)
    kept.add(1, to: 0, at: Self.now + 200)
    kept.add(1, to: 100, at: Self.now + 200)
    // The first has needed a slot for its first count, and the new series one.
    #expect((0..<100).filter { kept.count(of: SeriesID($0), from: 0) == nil } == [1, 2])
    #expect(kept.count(of: 0, from: 0) == 2 && kept.count(of: 100, from: 0) == 1)
    #expect(kept.evictions == 2 && kept.misfits == 0)
  }

  @Test func `a series without history waits until another has been quiet for a minute`() {
    let kept = Kept(bytes: 64 * 10 + 4 * 11)
    for id in 0..<10 { kept.add(1, to: SeriesID(id), at: Self.now) }
    kept.time(Self.now + 59, 59)
    kept.add(1, to: 10, at: Self.now + 59)
    #expect(kept.count(of: 10, from: 0) == nil && kept.seriesHeld == 10 && kept.misfits == 1)
    kept.time(Self.now + 60, 60)
    kept.add(1, to: 10, at: Self.now + 60)
    #expect(kept.count(of: 10, from: 0) == 1 && kept.seriesHeld == 10)
  }

  @Test func `families keep theirs as long as a series has any`() {
    let kept = Kept(bytes: 64 * 20 + 4 * 31)
    for round in 0..<50 {
      kept.time(Self.now + Int64(round * 61), Int64(round * 61))
      for id in 0..<30 {
        kept.add(1, to: SeriesID(id), at: Self.now + Int64(round * 61))
        kept.history.add(
          HistoryAmount(whole: 1), at: UInt32(Self.now) + UInt32(round * 61), to: .family(0), isTimer: false)
      }
    }
    #expect(kept.familyCount() == 1_500)
    #expect(kept.familiesHeld == 1 && kept.seriesHeld > 0)
  }

  @Test func `a budget that one series fills drops what does not fit, and counts it`() {
    let kept = Kept(bytes: 64 * 5 + 4)
    for second in 0..<1_000 {
      kept.time(Self.now, Int64(second))
      kept.add(1 << 50, at: Self.now - 600 + Int64(second % 500))
    }
    #expect(kept.bytes <= 64 * 5 + 4)
    #expect(kept.misfits > 0)
    #expect(kept.seriesHeld == 1)
  }

  @Test func `a clock that was a year ahead leaves nothing behind once it is right again`() {
    let kept = Kept()
    let year: Int64 = 365 * 86_400
    kept.time(Self.now, 0)
    kept.add(1, at: Self.now)
    kept.time(Self.now + year, 10)
    kept.add(2, at: Self.now + year)
    kept.time(Self.now + 20, 20)
    kept.add(4, at: Self.now + 20)
    kept.history.ageIdle(.series(0))
    #expect(kept.count(from: Self.now - 3_600) == 5 || kept.count(from: Self.now - 3_600) == 4)
    kept.add(8, at: Self.now + 21)
    #expect(kept.count(from: Self.now + 20) == 12)
  }

  @Test func `what was encoded is read back, and bytes that are cut do no harm`() throws {
    let kept = Kept(bytes: 4 << 20)
    var random = SplitMix(seed: 9)
    kept.time(Self.now, 0)
    var scratch: [HyperLogLog.Raise] = []
    for _ in 0..<2_000 {
      let second = UInt32(Self.now) - UInt32(random.below(300_000))
      kept.history.add(
        HistoryAmount(whole: 1, fraction: Double(random.below(2)) / 4), at: second, to: .series(0), isTimer: false)
      kept.history.add(value: Double(random.below(1_000)), weight: 1, at: second, to: .series(1))
      scratch = [HyperLogLog.Raise(register: random.below(16_384), rank: UInt8(1 + random.below(20)))]
      kept.history.add(scratch, at: second, to: .series(2))
    }
    for id in 0..<3 as Range<SeriesID> {
      let isTimer = id == 1
      let bytes = try #require(kept.encoded(id))
      #expect(kept.decode(bytes, into: id + 10, isTimer: isTimer))
      #expect(kept.content(of: id + 10) == kept.content(of: id))
      #expect(!kept.decode(bytes, into: id + 20, isTimer: !isTimer))
      for cut in stride(from: 0, to: bytes.count, by: 97) {
        _ = kept.decode(Array(bytes[..<cut]), into: id + 30, isTimer: isTimer)
      }
    }
    #expect(kept.misfits == 0)
  }

  @Test func `a million series that count once keep within the budget, and so do they as they count on`() {
    let limit = 80 << 20
    let kept = Kept(bytes: limit, capacity: 1_000_000)
    for id in 0..<1_000_000 { kept.add(1, to: SeriesID(id), at: Self.now) }
    #expect(kept.seriesHeld == 1_000_000 && kept.bytes == 68_000_000)
    kept.time(Self.now + 30, 30)
    for id in 0..<400_000 { kept.add(1, to: SeriesID(id), at: Self.now + 30) }
    #expect(kept.bytes <= limit)
    #expect(kept.seriesHeld > 500_000, "\(kept.seriesHeld)")
    #expect(kept.evictions > 0)
  }
}

@Suite struct `members and sketches as bytes` {
  @Test func `members are the union, few or many`() {
    var random = SplitMix(seed: 4)
    var bytes: [UInt8] = []
    var model = [UInt8](repeating: 0, count: HyperLogLog.registers)
    for _ in 0..<400 {
      var raises: [Int: UInt8] = [:]
      for _ in 0..<random.below(200) { raises[random.below(HyperLogLog.registers)] = UInt8(1 + random.below(51)) }
      HyperLogLog.Members.raise(
        &bytes, raises.sorted { $0.key < $1.key }.map { .init(register: $0.key, rank: $0.value) })
      for (register, rank) in raises { model[register] = max(model[register], rank) }
      var seen = [UInt8](repeating: 0, count: HyperLogLog.registers)
      HyperLogLog.Members.forEach(bytes) { seen[$0] = $1 }
      #expect(seen == model)
    }
    #expect(bytes.count == 12_289)
  }

  @Test func `a sketch comes back with its extremes and its buckets`() {
    var sketch = Sketch()
    var random = SplitMix(seed: 4)
    for _ in 0..<5_000 { sketch.add(Double(random.below(1 << 30)) - 1_000_000, weight: random.pick([1, 0.3, 1e12])) }
    var bytes: [UInt8] = []
    sketch.append(to: &bytes)
    let back = Sketch(bytes: bytes)
    #expect(back.least == sketch.least && back.greatest == sketch.greatest)
    #expect(back.buckets.map(\.number) == sketch.buckets.map(\.number))
    #expect(back.buckets.map(\.weight) == sketch.buckets.map(\.weight))
  }
}
