import Protocol
import Randomness
import Testing

@testable import Aggregation

/// The tables and the view together against a model that adds up in a dictionary.
@Suite struct TotalsTests {
  /// What the model keeps of a series.
  private struct Totals {
    var whole: Int64 = 0
    var fraction = 0.0
    var gauge = 0.0
    var values: [Double] = []
    var count = 0.0
    var sum = 0.0
    var members: Set<String> = []
  }

  private struct Model {
    var series: [String: Totals] = [:]
    var refused: [Refusal: UInt64] = [:]
    var lines: UInt64 = 0
    var samples: [SampleKind: UInt64] = [:]

    mutating func count(_ line: RandomLine) {
      lines += 1
      if let reason = line.refusal { refused[reason, default: 0] += 1 }
      for effect in line.effects {
        samples[effect.kind, default: 0] += 1
        apply(effect, to: &series["\(effect.kind.label) \(effect.series)", default: Totals()])
      }
    }

    private func apply(_ effect: RandomLine.Effect, to totals: inout Totals) {
      switch effect.kind {
      case .counter, .event:
        let weighed = effect.value / effect.rate
        if weighed == weighed.rounded() { totals.whole += Int64(weighed) } else { totals.fraction += weighed }
      case .gauge, .serviceCheck:
        totals.gauge = effect.isRelative ? totals.gauge + effect.value : effect.value
      case .timer, .histogram, .distribution:
        totals.values.append(effect.value)
        totals.count += 1 / effect.rate
        totals.sum += effect.value / effect.rate
      case .set: totals.members.insert(effect.member)
      }
    }
  }

  private func expectEqual(_ world: World, _ model: Model) {
    let found = world.series
    #expect(Set(found.keys) == Set(model.series.keys))
    var kinds = [Int](repeating: 0, count: LineTally.kinds)
    var families: [String: (whole: Int64, value: Double, sum: Double)] = [:]
    for (name, totals) in model.series {
      guard let id = found[name] else { continue }
      let series = world.view.series(id)
      kinds[Int(series.kind.rawValue)] += 1
      let family = "\(series.kind.label) \(String(decoding: world.view.name(of: series.family), as: UTF8.self))"
      switch series.kind {
      case .counter, .event:
        #expect(series.total.whole == (totals.fraction == 0 ? totals.whole : nil), "\(name)")
        let value = Double(totals.whole) + totals.fraction
        #expect((series.total.value - value).magnitude <= 1e-9 * value.magnitude, "\(name)")
        families[family, default: (0, 0, 0)].whole += totals.whole
        families[family]!.value += value
      case .gauge, .serviceCheck: #expect(series.gauge == totals.gauge, "\(name)")
      case .timer, .histogram, .distribution:
        let timer = world.view.timer(series)
        #expect(timer.count == totals.count && timer.sum == totals.sum, "\(name)")
        let sketch = world.view.recentSketch(series)
        #expect(sketch.count == totals.count)
        #expect(sketch.least == totals.values.min() && sketch.greatest == totals.values.max())
        families[family, default: (0, 0, 0)].value += totals.count
        families[family]!.sum += totals.sum
      case .set:
        var log = HyperLogLog()
        for member in totals.members { log.add(Array(member.utf8)) }
        #expect(world.cardinality(series) == log.cardinality)
      }
    }
    for kind in SampleKind.allCases {
      #expect(world.view.seriesByKind[Int(kind.rawValue)] == kinds[Int(kind.rawValue)])
    }
    expectFamilies(world, families)
  }

  private func expectFamilies(_ world: World, _ expected: [String: (whole: Int64, value: Double, sum: Double)]) {
    var next = world.view.firstFamily
    while let id = next {
      next = world.view.family(after: id)
      let family = world.view.family(id)
      guard let total = expected["\(family.kind.label) \(String(decoding: world.view.name(of: id), as: UTF8.self))"]
      else { continue }
      #expect((family.total.value - total.value).magnitude <= 1e-9 * total.value.magnitude)
      if !SampleKind.timers.contains(family.kind), let whole = family.total.whole { #expect(whole == total.whole) }
      #expect(family.sum == total.sum)
    }
  }

  @Test(arguments: [1, 2, 3, 4, 5, 6] as [UInt64])
  func `lines of all kinds over several tables add up to the unit, whenever the reader looks`(seed: UInt64) {
    print("seed \(seed)")
    var random = SplitMix(seed: seed)
    let world = World(tables: 3, seed: seed)
    var model = Model()
    var tally = LineTally()
    for batch in 0..<400 {
      var text = ""
      let lines = (0..<random.below(30)).map { _ in RandomLine.any(&random) }
      for line in lines {
        model.count(line)
        text += line.text + random.pick(["\n", "\r\n", "\n\n"])
      }
      // A last line needs no end.
      if random.below(2) == 0, text.hasSuffix("\n") { text.removeLast() }
      // Gauges stay on one table each: their order over several is a test of its own.
      let worker = world.workers[0]
      let onlyGauges = lines.contains { $0.effects.contains { $0.kind == .gauge || $0.kind == .serviceCheck } }
      add((onlyGauges ? worker : world.workers[random.below(3)]).count(text), to: &tally)
      switch random.below(6) {
      case 0: world.gather(second: Int64(batch / 50))
      case 1: _ = world.gatherSlice(second: Int64(batch / 50), limit: 1 + random.below(9))
      default: break
      }
      if batch % 100 == 99 {
        // The first ends a gather that was under way, which had begun before the last batches.
        world.gather(second: Int64(batch / 50))
        world.gather(second: Int64(batch / 50))
        expectEqual(world, model)
      }
    }
    #expect(tally.lines == model.lines)
    #expect(tally.lines == tally.accepted + tally.refusedInAll)
    for reason in Refusal.allCases { #expect(tally.refused[Int(reason.rawValue)] == model.refused[reason] ?? 0) }
    for kind in SampleKind.allCases { #expect(tally.samples[Int(kind.rawValue)] == model.samples[kind] ?? 0) }
    let limited = world.view.limited
    #expect(limited.isEmpty)
  }

  private func add(_ more: LineTally, to tally: inout LineTally) {
    let ledger = ListenerLedger()
    ledger.add(tally)
    ledger.add(more)
    tally = ledger.read()
  }

  /// The lone count's fast way finds an alias by its spelling and has to go on to the series that it means.
  @Test(arguments: ["in,env=prod", "in#env=prod", "in;env=prod", "i[env=prod]n"])
  func `a lone count with tags in its name counts for its series each time`(spelling: String) {
    let world = World()
    for count in 1...5 {
      #expect(world.workers[0].count("other:1|c\n\(spelling):3|c").accepted == 2)
      world.gather()
      #expect(world["counter in{env=prod}"]?.total.whole == Int64(count * 3))
      #expect(world["counter other"]?.total.whole == Int64(count))
    }
    #expect(world.view.seriesCount == 2)
  }

  @Test func `counters are exact up to 2^63 and floating point beyond`() {
    let world = World(tables: 2)
    let largest = Int64.max
    world.workers[0].count("n:\(largest - 1)|c")
    world.gather()
    world.workers[0].count("n:1|c")
    world.gather()
    #expect(world["counter n"]?.total.whole == largest)
    world.workers[1].count("n:5|c\nn:9223372036854775807|c\nm:-9223372036854775808|c")
    world.gather()
    #expect(world["counter n"]?.total.whole == nil)
    #expect(world["counter n"]?.total.value == 0x1p64)
    #expect(world["counter m"]?.total.whole == .min)
    world.workers[0].count("m:-1|c\nn:-9223372036854775808|c\nn:-9223372036854775808|c")
    world.gather()
    #expect(world["counter m"]?.total.value == -0x1p63)
    #expect((world["counter n"]?.total.value ?? 1).magnitude <= 2_048)
    // A swing of the whole range between two looks.
    world.workers[0].count("s:9223372036854775807|c")
    world.gather()
    world.workers[0].count("s:-9223372036854775807|c\ns:-9223372036854775807|c")
    world.gather()
    #expect(world["counter s"]?.total.value == -0x1p63)
  }

  @Test func `no total becomes infinite or no number`() throws {
    let world = World(tables: 2)
    let largest = "17976931348623157" + String(repeating: "0", count: 292)
    for _ in 0..<3 {
      for worker in world.workers {
        worker.count(
          "c:\(largest)|c\nc:\(largest)|c\ng:+\(largest)|g\ng:+\(largest)|g\nr:5|c|@1e-310\nr:0|c\nt:0:-1:1|ms|@1e-310")
        world.gather()
        worker.count(
          "c:-\(largest)|c\nc:-\(largest)|c\nc:-\(largest)|c\ng:-\(largest)|g\ng:-\(largest)|g\ng:-\(largest)|g")
        world.gather()
      }
      for name in ["counter c", "counter r"] { #expect(world[name]?.total.value.isFinite == true, "\(name)") }
      #expect(world["gauge g"]?.gauge.isFinite == true)
      let timer = try #require(world["timer t"])
      #expect(world.view.timer(timer).sum.isFinite && world.view.timer(timer).count.isFinite)
      #expect(world.view.recentSketch(timer).quantile(0.5)?.isFinite == true)
    }
  }

  @Test func `a gather in slices may end with one without a limit`() {
    let world = World()
    world.workers[0].count((0..<10).map { "n\($0):1|c" }.joined(separator: "\n"))
    #expect(!world.gatherSlice(limit: 3))
    #expect(world.view.seriesCount == 3)
    #expect(world.gatherSlice())
    #expect(world.view.seriesCount == 10)
  }

  @Test func `a timer's bounds are those of its kind, and weights fall under them`() throws {
    let world = World(bounds: [1, 10])
    world.workers[0].count("t:1:1.5:10:11|ms|@0.5\nh:0.5|h")
    world.gather()
    world.workers[0].count("t:-3|ms")
    world.gather()
    let timer = try #require(world["timer t"])
    let histogram = try #require(world["histogram h"])
    #expect(world.view.timer(timer).bounds == [3, 4, 2])
    #expect(world.view.timer(histogram).bounds == [1, 0, 0])
  }

  @Test func `timestamps far from now are booked and counted`() {
    let world = World()
    let now: Int64 = 1_700_000_000
    let tally = world.workers[0].count(
      "a:1|c|T\(now)\na:1|c|T\(now + 60)\na:1|c|T\(now + 61)\na:1|c|T\(now - 168 * 3_600)\na:1|c|T\(now - 168 * 3_600 - 1)\na:1|c|T9223372036854775807|x:1"
        .utf8, wall: now)
    #expect(tally.accepted == 6 && tally.outOfWindow == 3 && tally.skippedSections == 1)
    world.gather()
    #expect(world["counter a"]?.total.whole == 6)
  }
}
