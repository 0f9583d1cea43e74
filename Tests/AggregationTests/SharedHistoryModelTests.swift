import Protocol
import Randomness
import Testing

@testable import Aggregation

/// Days of lines whose history is shared, against a model that keeps every sample with its second.
@Suite struct `shared history over days` {
  private struct Model {
    var counts: [Int64: Int64] = [:]
    var samples: [Int64: [Double]] = [:]
    var members: [Int64: Set<Int>] = [:]

    func counts(by seconds: Int64, from start: Int64) -> [Int64: Double] {
      counts.reduce(into: [:]) { if $1.key / seconds >= start { $0[$1.key / seconds, default: 0] += Double($1.value) } }
        .filter { $0.value != 0 }
    }
  }

  private let world = World(tables: 2)
  private var store = HeldByStore()
  private var model = Model()
  private var random: SplitMix
  private var wall: Int64 = 1_700_000_123
  private var second: Int64 = 0

  init() { random = SplitMix(seed: 0) }

  /// Counts something of everything at this time of day; some of it bears a time of its own.
  private mutating func count() {
    var lines = ""
    func late() -> Int64 {
      if random.below(6) != 0 { return wall }
      return wall
        + random.pick([
          60, 3, -1, -5, -Int64(random.below(4_000)), -Int64(random.below(90_000)), -Int64(random.below(500_000)),
        ])
    }
    for _ in 0..<random.below(4) {
      let second = late()
      let amount = Int64(random.below(5))
      lines += "visit:p\(random.below(5)):\(amount)|c|T\(second)\n"
      model.counts[second, default: 0] += amount
    }
    for _ in 0..<random.below(3) {
      let second = late()
      let value = Double(1 + random.below(50_000)) / 8
      lines += "took:\(value)|ms" + (second == wall ? "" : "|T\(second)") + "\n"
      model.samples[second, default: []].append(value)
    }
    for _ in 0..<random.below(4) {
      let second = late()
      let member = random.below(3_000)
      lines += "users:u\(member)|s|#half:\(member % 2)" + (second == wall ? "" : "|T\(second)") + "\n"
      model.members[second, default: []].insert(member)
    }
    world.workers[random.below(2)].count(lines.utf8, wall: wall)
  }

  /// Tells the store of what waits; now and then a write fails, and more is counted before that is known.
  private mutating func share() {
    var underWay: [(owner: SharedOwner, isWritten: Bool)] = []
    while let owner = world.view.nextToShare() {
      let isWritten = random.below(8) != 0
      for write in world.view.writes(of: owner) where isWritten || random.below(2) == 0 { store.apply(write) }
      underWay.append((owner, isWritten))
    }
    if random.below(4) == 0 {
      count()
      world.gather(second: second, wall: wall)
    }
    for (owner, isWritten) in underWay {
      if isWritten { world.view.markShared(owner) } else { world.view.markUnshared(owner) }
    }
    if random.below(3) == 0 { world.view.retryUnshared() }
  }

  private mutating func shareAll() {
    world.view.retryUnshared()
    world.share(to: &store)
    #expect(world.unshared == 0)
  }

  /// What the store holds of a metric's counts, by hour or minute since 1970.
  private func held(_ name: String, _ kind: SampleKind, byMinute: Bool) -> [Int64: Double] {
    var held: [Int64: Double] = [:]
    for (key, counts) in store.counts where key.kind == kind && key.tag.elementsEqual(name.utf8) {
      for (place, count) in counts {
        switch key.part {
        case .hours(let day) where !byMinute: held[day * 24 + Int64(place)] = count.value
        case .minutes(let hour) where byMinute: held[hour * 60 + Int64(place)] = count.value
        default: break
        }
      }
    }
    return held.filter { $0.value != 0 }
  }

  private func expectCounts() {
    let hour = wall / 3_600 - HistorySpan.hours
    let minute = wall / 60 - HistorySpan.minutes
    let hours = held("visit", .counter, byMinute: false).filter { $0.key >= hour }
    #expect(hours == model.counts(by: 3_600, from: hour))
    let minutes = held("visit", .counter, byMinute: true).filter { $0.key >= minute }
    #expect(minutes == model.counts(by: 60, from: minute))
  }

  private func expectSamples() {
    let hour = wall / 3_600 - HistorySpan.hours
    var sketches: [Int64: Sketch] = [:]
    for (second, values) in model.samples where second / 3_600 >= hour {
      for value in values { sketches[second / 3_600, default: Sketch()].add(value) }
    }
    #expect(held("took", .timer, byMinute: false).filter { $0.key >= hour } == sketches.mapValues(\.count))
    for (hour, sketch) in sketches {
      guard let held = store.samples[.metric("took", .timer, .samples(hour: hour))] else {
        Issue.record("no samples of hour \(hour)")
        continue
      }
      let wanted = SharedSamples(sketch)
      #expect((held.sum - wanted.sum).magnitude <= 1e-9 * wanted.sum)
      var likewise = held
      likewise.sum = wanted.sum
      #expect(likewise == wanted)
    }
  }

  private func expectMembers() {
    let hour = wall / 3_600 - HistorySpan.hours
    var unions: [Int64: HyperLogLog] = [:]
    for (second, members) in model.members where second / 3_600 >= hour {
      for member in members { unions[second / 3_600, default: .init()].add(Array("u\(member)".utf8)) }
    }
    for (hour, union) in unions {
      guard let held = store.members[.metric("users", .set, .members(hour: hour))] else {
        Issue.record("no members of hour \(hour)")
        continue
      }
      #expect(HyperLogLog(held).bytes == union.bytes)
    }
  }

  @Test(arguments: 1...2 as ClosedRange<UInt64>)
  mutating func `is the model's, however late samples are, writes fail, and the clock is set`(seed: UInt64) {
    print("seed \(seed)")
    random = SplitMix(seed: seed)
    world.gather(wall: wall)
    world.view.shareChanges()
    var setBack: Int64 = -1_000_000
    var checks = 0
    while second < 3 * 86_400 {
      let pause = Int64(random.pick([1, 1, 2, 30, 200, 400]))
      second += pause
      wall += pause
      if random.below(500) == 0 && second - setBack > 7_200 {
        let jump = Int64(random.pick([7_000, 30, -20, -3_000]))
        wall += jump
        if jump < 0 { setBack = second }
      }
      count()
      world.gather(second: second, wall: wall)
      if random.below(3) == 0 { share() }
      if random.below(300) == 0 {
        checks += 1
        shareAll()
        expectCounts()
        expectSamples()
        expectMembers()
      }
    }
    #expect(checks >= 3)
    let losses = world.view.historyLosses
    #expect(losses.evictions == 0 && losses.misfits == 0)
  }
}
