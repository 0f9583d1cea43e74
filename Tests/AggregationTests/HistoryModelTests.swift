import Protocol
import Randomness
import Testing

@testable import Aggregation

/// Eight days of lines through tables and view against a model that keeps every sample with its second.
@Suite struct HistoryModelTests {
  private struct Model {
    var counts: [(second: Int64, page: Int, amount: Int64)] = []
    var values: [(second: Int64, value: Double)] = []
    var members: [(second: Int64, member: Int)] = []
    /// All that was counted, in history or not.
    var total: Int64 = 0

    func count(page: Int?, from start: Int64) -> Int64 {
      counts.reduce(0) { $1.second >= start && (page == nil || $1.page == page) ? $0 + $1.amount : $0 }
    }
  }

  private static let pages = 7

  /// Counts something of everything at this time of day; some of it bears a time of its own.
  private func count(_ world: World, _ model: inout Model, _ random: inout SplitMix, wall: Int64) {
    var lines = ""
    for _ in 0..<random.below(4) {
      let page = random.below(Self.pages)
      let amount = Int64(random.below(5))
      var second = wall
      lines += "visit:p\(page):\(amount)|c"
      if random.below(4) == 0 {
        second += random.pick([
          60, -5, -Int64(random.below(900)), -Int64(random.below(90_000)), -Int64(random.below(604_800)),
        ])
        if random.below(20) == 0 { second = wall + random.pick([61, 10_000_000, -604_801, -20_000_000]) }
        lines += "|T\(second)"
      }
      lines += "\n"
      model.total += amount
      if second - wall <= 60 && second - wall >= -604_800 { model.counts.append((second, page, amount)) }
    }
    for _ in 0..<random.below(3) {
      let value = Double(1 + random.below(50_000)) / 8
      let second = random.below(5) == 0 ? wall - Int64(random.below(7_000)) : wall
      lines += "took:\(value)|ms" + (second == wall ? "" : "|T\(second)") + "\n"
      model.values.append((second, value))
    }
    for _ in 0..<random.below(4) {
      let member = random.below(3_000)
      let second = random.below(5) == 0 ? wall - Int64(random.below(7_000)) : wall
      lines += "users:u\(member)|s|#half:\(member % 2)" + (second == wall ? "" : "|T\(second)") + "\n"
      model.members.append((second, member))
    }
    let worker = world.workers[random.below(world.workers.count)]
    worker.count(lines.utf8, wall: wall)
  }

  /// Everything is written, forgotten, and read back after a while.
  private func restart(_ world: World, second: Int64, wall: Int64) {
    var kept: [(History.Owner, Bool, [UInt8])] = []
    for (_, id) in world.series {
      if let bytes = world.view.encodedHistory(of: id) {
        kept.append((.series(id), world.view.series(id).kind.isTimer, bytes))
      }
    }
    var family = world.view.firstFamily
    while let id = family {
      if let bytes = world.view.encodedHistory(ofFamily: id) {
        kept.append((.family(id), world.view.family(id).kind.isTimer, bytes))
      }
      family = world.view.family(after: id)
    }
    for (owner, _, _) in kept { world.view.history.remove(owner) }
    let held = world.view.historyHeld
    #expect(held.series == 0 && held.families == 0)
    world.gather(second: second, wall: wall)
    for (owner, isTimer, bytes) in kept {
      let isWhole = world.view.history.decode(bytes, into: owner, isTimer: isTimer)
      #expect(isWhole)
    }
  }

  @Test(arguments: [1, 2] as [UInt64])
  func `recent counts are the model's, distinct members and quantiles near it, over eight days`(seed: UInt64) throws {
    print("seed \(seed)")
    var random = SplitMix(seed: seed)
    let world = World(tables: 2, seed: seed)
    var model = Model()
    var wall: Int64 = 1_700_000_123
    var second: Int64 = 0
    var setBack: Int64 = -1_000_000
    var asked = 0
    let end: Int64 = 8 * 86_400
    while second < end {
      let pause = Int64(random.pick([1, 1, 2, 30, 200, 400]))
      second += pause
      wall += pause
      if random.below(1_500) == 0 && second - setBack > 7_200 {
        // Set forward, or back by less than an hour.
        let jump = Int64(random.pick([7_000, 30, -20, -3_000]))
        wall += jump
        if jump < 0 { setBack = second }
      }
      count(world, &model, &random, wall: wall)
      world.gather(second: second, wall: wall)
      if random.below(2_000) == 0 {
        let pause = Int64(random.below(8_000))
        second += pause
        wall += pause
        restart(world, second: second, wall: wall)
      }
      if random.below(30) == 0 {
        asked += 1
        try ask(world, model, &random, wall: wall, wasSetBack: second - setBack < 3_700)
      }
    }
    #expect(asked >= 200)
    #expect(world.family("visit", .counter)?.total.whole == model.total)
    let losses = world.view.historyLosses
    let misplaced = world.view.lateMisplaced
    #expect(losses.evictions == 0 && losses.misfits == 0 && misplaced == 0)
  }

  private func ask(
    _ world: World, _ model: Model, _ random: inout SplitMix, wall: Int64, wasSetBack: Bool
  ) throws {
    let span = random.pick([random.below(3_240) + 360, random.below(82_800) + 3_600, random.below(518_400) + 86_400])
    let hours = Double(span) / 3_600
    let start = HistorySpan.start(ofCounts: Int64(span), before: wall)
    #expect(
      world.recent("visit", .counter, from: start)?.count.whole ?? 0 == model.count(page: nil, from: start),
      "\(hours) h")
    for (name, id) in world.series where name.hasPrefix("counter visit") {
      let page = try #require(Int(String(name.dropLast().last!)))
      let recent = world.view.recent(of: id, from: start)?.count.whole ?? 0
      #expect(recent == model.count(page: page, from: start), "\(name) \(hours) h")
    }
    // After the clock was set back, minutes that had become part of an hour stay so.
    if wasSetBack && span <= 3_600 { return }
    let sketchStart = HistorySpan.start(ofSketches: Int64(span), before: wall)
    try askQuantiles(world, model, from: sketchStart, hours)
    askMembers(world, model, from: sketchStart, hours)
  }

  private func askQuantiles(_ world: World, _ model: Model, from start: Int64, _ hours: Double) throws {
    let values = model.values.filter { $0.second >= start }.map(\.value).sorted()
    guard let took = world.id(of: "took", .timer), !values.isEmpty else { return }
    var sketch = Sketch()
    world.view.addSketch(ofFamily: took, from: start, to: &sketch)
    #expect(sketch.count == Double(values.count), "\(hours) h")
    for share in [0.01, 0.5, 0.9, 0.99] {
      let exact = values[max(0, Int((share * Double(values.count)).rounded(.up)) - 1)]
      let found = try #require(sketch.quantile(share))
      #expect((found - exact).magnitude <= 0.01 * exact, "\(share) over \(hours) h")
    }
    #expect(sketch.least == values[0] && sketch.greatest == values[values.count - 1])
    let sum = world.recent("took", .timer, from: start)?.sum ?? .nan
    #expect((sum - values.reduce(0, +)).magnitude <= 1e-6 * sum)
  }

  private func askMembers(_ world: World, _ model: Model, from start: Int64, _ hours: Double) {
    let distinct = Set(model.members.filter { $0.second >= start }.map(\.member))
    guard let users = world.id(of: "users", .set) else { return }
    var ranks = HyperLogLog.Ranks()
    world.view.addMembers(ofFamily: users, from: start, to: &ranks)
    #expect(near(ranks.cardinality, distinct.count), "\(ranks.cardinality) of \(distinct.count) over \(hours) h")
    // Both series together are the family.
    var joined = HyperLogLog.Ranks()
    for (name, id) in world.series where name.hasPrefix("set users") {
      world.view.addMembers(of: id, from: start, to: &joined)
    }
    #expect(joined.cardinality == ranks.cardinality)
  }

  private func near(_ estimate: UInt64, _ exact: Int) -> Bool {
    (Double(estimate) - Double(exact)).magnitude <= max(0.03 * Double(exact), 1)
  }

  @Test func `more late samples than a flush can hold are counted now, and that is counted`() {
    let world = World()
    let wall: Int64 = 1_700_000_000
    let lines = LateLog.capacity + 100
    world.workers[0].count(String(repeating: "a:1|c|T\(wall - 7_200)\n", count: lines).utf8, wall: wall)
    world.gather(wall: wall)
    let misplaced = world.view.lateMisplaced
    #expect(world.family("a", .counter)?.total.whole == Int64(lines))
    #expect(misplaced == 100)
    #expect(world.recent("a", .counter, from: wall - 60)?.count.whole == 100)
    #expect(world.recent("a", .counter, from: wall - 7_260)?.count.whole == Int64(lines))
  }

  @Test func `a sample of its own time is in history there alone, whatever its kind`() throws {
    let world = World()
    let wall: Int64 = 1_700_000_000
    let then = wall - 7_200
    world.workers[0].count(
      "c:2.5|c|@0.5|T\(then)\nt:8:9|ms|@0.5|T\(then)\ns:x|s|T\(then)\ng:7|g|T\(then)\n_e{1,1}:e|x|d:\(then)\nfar:3|c|T1"
        .utf8,
      wall: wall)
    // Not a slice of it is of the present, however short the gather's slices are.
    while !world.view.gather(second: 5, wall: wall, limit: 1) {}
    for (name, kind, count) in [("c", SampleKind.counter, 5.0), ("t", .timer, 4), ("e", .event, 1)] {
      #expect(world.recent(name, kind, from: then / 60 * 60)?.count.value == count, "\(name)")
      #expect(world.recent(name, kind, from: (then / 60 + 1) * 60)?.count.value == 0, "\(name)")
    }
    #expect(world["timer t"].map { world.timerCount($0) } == 4)
    #expect(world["gauge g"]?.gauge == 7)
    #expect(world["counter far"]?.total.whole == 3)
    #expect(world.recent("far", .counter, from: 0) == nil)
    let set = try #require(world.id(of: "s", .set))
    for (start, count) in [(then / 3_600 * 3_600, UInt64(1)), (wall - 3_600, 0)] {
      var ranks = HyperLogLog.Ranks()
      world.view.addMembers(ofFamily: set, from: start, to: &ranks)
      #expect(ranks.cardinality == count)
    }
  }
}

extension World {
  fileprivate func id(of name: String, _ kind: SampleKind) -> FamilyID? {
    view.family(named: Array(name.utf8), kind: kind)
  }

  fileprivate func recent(_ name: String, _ kind: SampleKind, from start: Int64) -> HistoryAmount? {
    id(of: name, kind).flatMap { view.recent(ofFamily: $0, from: start) }
  }

  fileprivate func timerCount(_ series: Series) -> Double { view.timer(series).count }
}
