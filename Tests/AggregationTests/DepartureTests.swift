import Protocol
import Randomness
import Testing

@testable import Aggregation

/// Series that leave when they are idle: the reader's verdict, the writer's hand.
@Suite struct DepartureTests {
  private static let ttl = MergedView.Settings(seriesTTL: 10, counterTTL: 20, quantileWindow: 60)

  /// Gather, the worker's pass, and the gather that sees what it did.
  private func settle(_ world: World, second: Int64) {
    world.gather(second: second)
    for worker in world.workers { worker.pass() }
    world.gather(second: second)
  }

  @Test func `a series leaves when its time to live has passed and not before`() {
    let world = World(settings: Self.ttl)
    world.workers[0].count("g:1|g\nc:1|c\nt:1|ms\ns:x|s\n_e{1,1}:e|x\n_sc|k|0")
    world.gather(second: 100)
    settle(world, second: 110)
    #expect(world.view.seriesCount == 6)
    settle(world, second: 111)
    #expect(world.series.keys.sorted() == ["counter c", "event e"])
    settle(world, second: 120)
    #expect(world.view.seriesCount == 2)
    settle(world, second: 121)
    #expect(world.view.seriesCount == 0 && world.view.firstFamily == nil)
  }

  @Test func `counters stay for ever where no time to live is set for them`() {
    let world = World(settings: .init(seriesTTL: 10, counterTTL: nil, quantileWindow: 60))
    world.workers[0].count("g:1|g\nc:1|c")
    world.gather(second: 0)
    settle(world, second: 1_000_000)
    #expect(world.series.keys.sorted() == ["counter c"])
  }

  @Test func `a write between the verdict and the worker's pass revives`() {
    let world = World(settings: Self.ttl)
    world.workers[0].count("g:1|g\nh:1|g")
    world.gather(second: 0)
    world.gather(second: 50)
    #expect(world.hasCondemned)
    // The pass comes with the batch's begin: nothing was touched since, so both leave, and one comes again.
    world.workers[0].count("g:+1|g")
    world.gather(second: 50)
    #expect(world.series.keys.sorted() == ["gauge g"])
    #expect(world["gauge g"]?.gauge == 1)

    // Touched after the gather's flip and before its verdict.
    let other = World(settings: Self.ttl)
    other.workers[0].count("g:1|g")
    other.gather(second: 0)
    other.workers[0].count("unrelated:1|c")
    #expect(!other.gatherSlice(second: 50, limit: 0))
    other.workers[0].count("g:+1|g")
    other.gather(second: 50)
    #expect(other.hasCondemned)
    other.workers[0].pass()
    other.gather(second: 50)
    #expect(other["gauge g"]?.gauge == 2)
  }

  @Test func `a series that is still written in one table stays, with its total`() {
    let world = World(tables: 2, settings: Self.ttl)
    for worker in world.workers { worker.count("c:5|c") }
    world.gather(second: 0)
    for second in stride(from: 10, to: 100, by: 10) as StrideTo<Int64> {
      world.workers[1].count("c:1|c")
      settle(world, second: second)
    }
    #expect(world["counter c"]?.total.whole == 19)
    settle(world, second: 200)
    #expect(world.view.seriesCount == 0)
    // What comes again is a new series, and the family's total is new too.
    world.workers[0].count("c:1|c")
    world.gather(second: 200)
    #expect(world["counter c"]?.total.whole == 1)
    #expect(world.family("c", .counter)?.total.whole == 1)
  }

  @Test func `a family keeps what its departed series have counted`() {
    let world = World(settings: Self.ttl)
    world.workers[0].count("c:a:7|c\nc:b:1|c")
    world.gather(second: 0)
    world.workers[0].count("c:b:1|c")
    world.gather(second: 15)
    settle(world, second: 25)
    #expect(world.series.keys.sorted() == ["counter c{key=b}"])
    #expect(world.family("c", .counter)?.total.whole == 9)
  }

  @Test func `a pin keeps what leaves in its place until it is taken off`() {
    let world = World(settings: Self.ttl)
    world.workers[0].count("g:1|g\nh:2|g\ni:3|g")
    world.gather(second: 0)
    let first = world.view.firstFamily.flatMap { world.view.firstSeries(of: $0) }
    world.view.pin()
    world.view.pin()
    settle(world, second: 50)
    #expect(world.series.count == 3)
    #expect(first.map { world.name(of: $0) } == "gauge g")
    // One of them comes again meanwhile and stays.
    world.workers[0].count("h:5|g")
    world.gather(second: 50)
    world.view.unpin()
    #expect(world.series.count == 3)
    world.view.unpin()
    #expect(world.series.keys.sorted() == ["gauge h"])
    #expect(world["gauge h"]?.gauge == 5)
  }

  @Test func `what comes while departed series are pinned finds no room and is counted when there is some`() {
    let world = World(capacity: 4, limit: 4, settings: Self.ttl)
    world.workers[0].count("a:1|c\nb:1|c\nc:1|c\nd:1|c")
    world.gather(second: 0)
    world.view.pin()
    settle(world, second: 50)
    world.workers[0].count("e:1|c\nf:1|c\ng:1|c\nh:1|c")
    world.gather(second: 50)
    world.view.unpin()
    world.workers[0].count("e:1|c\nf:1|c\ng:1|c\nh:1|c")
    world.gather(second: 51)
    #expect(world.series.keys.sorted() == ["counter e", "counter f", "counter g", "counter h"])
    for name in ["e", "f", "g", "h"] { #expect(world["counter \(name)"]?.total.whole == 2) }
  }

  @Test func `families that come and go are told of, in order`() {
    let world = World(settings: Self.ttl)
    world.workers[0].count("a:1|g\nb:1|g\na:1|g|#x:y")
    world.gather(second: 0)
    var appeared = 0
    for change in world.view.familyChanges { if case .appeared = change { appeared += 1 } }
    #expect(appeared == 2 && world.view.familyChanges.count == 2)
    world.view.familyChanges.removeAll()
    settle(world, second: 50)
    var left = 0
    for change in world.view.familyChanges { if case .left = change { left += 1 } }
    #expect(left == 2 && world.view.familyChanges.count == 2)
  }

  /// What the model of the stress keeps of a series.
  private struct Life {
    var whole: Int64 = 0
    var gauge = 0.0
    var members: Set<Int> = []
    var count = 0.0
    var changed: Int64 = 0
  }

  /// A few records used over and over by many series, with aliases: no series ever holds what another has counted.
  @Test(arguments: [1, 2, 3, 4] as [UInt64])
  func `records, aliases and ids are used again and never mix up two series`(seed: UInt64) {
    print("seed \(seed)")
    var random = SplitMix(seed: seed)
    let world = World(
      capacity: 200, limit: 60, settings: .init(seriesTTL: 5, counterTTL: 5, quantileWindow: 60), seed: seed)
    var model: [String: Life] = [:]
    var pinned = false
    // Left while pinned: what writes to them before the pin is off finds them as they were.
    var waiting: Set<String> = []
    var departures = 0
    for second in 1...3_000 as ClosedRange<Int64> {
      // The batch begins with what the last gather condemned.
      for (name, life) in model where second - 1 - life.changed > 5 && !waiting.contains(name) {
        if pinned { waiting.insert(name) } else { model[name] = nil }
        departures += 1
      }
      var text = ""
      for _ in 0..<random.below(8) {
        // At most 40 names are alive at a time; they wander.
        let number = Int(second) / 40 * 7 + random.below(10)
        let filler = number % 3 == 0 ? "-with-a-tail-that-no-record-has-room-for" : ""
        let tags = random.pick(["a:1,b:\(number)", "b:\(number),a:1", ",b:\(number),a:1"])
        let labels = "{a=1,b=\(number)}"
        let change: (String, (inout Life) -> Void)
        switch random.below(5) {
        case 0:
          text += "c\(filler):2|c|#\(tags)\n"
          change = ("counter c\(filler)\(labels)", { $0.whole += 2 })
        case 1:
          text += "c\(number)\(filler);b=\(number):3|c\n"
          change = ("counter c\(number)\(filler){b=\(number)}", { $0.whole += 3 })
        case 2:
          text += "g\(number)\(filler):+1|g\n"
          change = ("gauge g\(number)\(filler)", { $0.gauge += 1 })
        case 3:
          text += "t\(filler):4|ms|#\(tags)\n"
          change = ("timer t\(filler)\(labels)", { $0.count += 1 })
        default:
          let member = random.below(100)
          text += "s\(filler):\(member)|s|#\(tags)\n"
          change = ("set s\(filler)\(labels)", { $0.members.insert(member) })
        }
        change.1(&model[change.0, default: Life()])
        model[change.0]!.changed = second
        waiting.remove(change.0)
      }
      world.workers[0].count(text)
      world.gather(second: second)
      if random.below(10) == 0, !pinned {
        world.view.pin()
        pinned = true
      } else if pinned && random.below(3) == 0 {
        world.view.unpin()
        pinned = false
        for name in waiting { model[name] = nil }
        waiting.removeAll()
      }
      if second % 10 == 0 { expectEqual(world, model) }
    }
    // The stress is none unless records were used many times.
    #expect(departures > 2_000)
    #expect(world.workers[0].memory.recordsInUse.load(ordering: .relaxed) <= 200)
    let limited = world.view.limited
    #expect(limited.isEmpty)
  }

  private func expectEqual(_ world: World, _ model: [String: Life]) {
    let found = world.series
    #expect(Set(found.keys) == Set(model.keys))
    for (name, life) in model {
      guard let series = found[name].map({ world.view.series($0) }) else { continue }
      switch series.kind {
      case .counter: #expect(series.total.whole == life.whole, "\(name)")
      case .gauge: #expect(series.gauge == life.gauge, "\(name)")
      case .timer: #expect(world.view.timer(series).count == life.count, "\(name)")
      default:
        var log = HyperLogLog()
        for member in life.members { log.add(Array("\(member)".utf8)) }
        #expect(world.cardinality(series) == log.cardinality, "\(name)")
      }
    }
  }
}
