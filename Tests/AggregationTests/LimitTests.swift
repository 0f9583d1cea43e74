import Protocol
import Testing

@testable import Aggregation

@Suite struct LimitTests {
  private func limited(_ world: World) -> [String: Int64] {
    var found: [String: Int64] = [:]
    for (name, count) in world.view.limited { found[String(decoding: name, as: UTF8.self)] = count }
    return found
  }

  @Test func `a new series of a known metric counts into its __other__`() {
    let world = World(limit: 2)
    let tally = world.workers[0].count("visit:a|c\nvisit:b|c\nvisit:c|c\nvisit:d:5|c\nvisit:c|c\nvisit:a|c")
    #expect(tally.accepted == 6)
    world.gather()
    #expect(
      world.series.keys.sorted()
        == ["counter visit{page=__other__}", "counter visit{page=a}", "counter visit{page=b}"])
    #expect(world["counter visit{page=__other__}"]?.total.whole == 7)
    #expect(world["counter visit{page=a}"]?.total.whole == 2)
    #expect(world.family("visit", .counter)?.total.whole == 10)
    #expect(limited(world) == ["visit": 3])
  }

  @Test func `timers, sets and events go to the __other__ of their label`() {
    let world = World(limit: 3)
    world.workers[0].count("t:1|ms|#a:1\ns:x|s|#a:1\n_e{1,1}:e|x|#a:1")
    let tally = world.workers[0].count("t:2|ms|#a:2\nt:3|ms|#a:3\ns:y|s|#a:2\n_e{1,1}:e|x|#a:2")
    #expect(tally.accepted == 4)
    world.gather()
    #expect(world["timer t{key=__other__}"].map { world.view.timer($0).sum } == 5)
    #expect(world["set s{key=__other__}"].map { world.cardinality($0) } == 1)
    #expect(world["event e{key=__other__}"]?.total.whole == 1)
    #expect(limited(world) == ["t": 2, "s": 1, "e": 1])
  }

  @Test func `a new metric counts into the metric __other__ of its kind`() {
    let world = World(limit: 1)
    world.workers[0].count("a:1|c")
    let tally = world.workers[0].count("b:2|c\nc:3|c|#x:y\nt:4|ms\na:5|ms")
    #expect(tally.accepted == 4)
    world.gather()
    #expect(world.series.keys.sorted() == ["counter __other__", "counter a", "timer __other__"])
    #expect(world["counter __other__"]?.total.whole == 5)
    #expect(world["timer __other__"].map { world.view.timer($0).count } == 2)
    #expect(limited(world) == ["__other__": 4])
  }

  @Test func `gauges and service checks beyond the limit are refused, whole lines of them too`() {
    let world = World(limit: 1)
    world.workers[0].count("g:1|g")
    let tally = world.workers[0].count("g:2|g\nh:1|g\ng:3|g|#a:b\n_sc|s|0\ng:+1|g\nh:1:2:3|g")
    #expect(tally.lines == 6 && tally.accepted == 2)
    #expect(tally.refused[Int(Refusal.limit.rawValue)] == 4)
    world.gather()
    #expect(world.series.keys.sorted() == ["gauge g"])
    #expect(world["gauge g"]?.gauge == 3)
    // A metric without a series counts under the metric that takes what has none of its own.
    #expect(limited(world) == ["__other__": 3, "g": 1])
  }

  @Test func `a limit per metric leaves room for other metrics`() {
    let world = World(limit: 100, limitPerMetric: 2)
    world.workers[0].count((0..<10).map { "a:k\($0)|c\nb:k\($0 % 2)|c" }.joined(separator: "\n"))
    world.gather()
    #expect(world["counter a{key=__other__}"]?.total.whole == 8)
    #expect(world["counter b{key=__other__}"] == nil)
    #expect(world.view.seriesCount == 5)
    // The same name of another kind is another metric.
    world.workers[0].count("a:1|ms|#x:1\na:1|ms|#x:2\na:1|ms|#x:3")
    world.gather()
    #expect(world["timer a{key=__other__}"].map { world.view.timer($0).count } == 1)
  }

  @Test func `two tables that hold the same series pay once from the next gather on`() {
    let world = World(tables: 2, limit: 4)
    for worker in world.workers { worker.count("m:1|c|#k:1\nm:1|c|#k:2") }
    // Paid twice so far: no room.
    world.workers[0].count("m:1|c|#k:3")
    world.gather()
    #expect(world["counter m{k=1}"]?.total.whole == 2)
    #expect(world["counter m{key=__other__}"]?.total.whole == 1)
    world.workers[0].count("m:1|c|#k:3\nm:1|c|#k:4\nm:1|c|#k:5")
    world.gather()
    #expect(world["counter m{k=3}"]?.total.whole == 1 && world["counter m{k=4}"]?.total.whole == 1)
    #expect(world["counter m{k=5}"] == nil)
    #expect(world["counter m{key=__other__}"]?.total.whole == 2)
  }

  @Test func `the budget comes back when series leave, also where every record was used before`() {
    // Room for exactly the series and what counts as limited.
    let world = World(
      capacity: 5, limit: 3, settings: .init(seriesTTL: 10, counterTTL: 10, quantileWindow: 60))
    for round in 0..<20 {
      let second = Int64(round * 100)
      world.workers[0].count((0..<4).map { "m:r\(round)k\($0)|c" }.joined(separator: "\n"))
      world.gather(second: second)
      for key in 0..<3 { #expect(world["counter m{key=r\(round)k\(key)}"]?.total.whole == 1) }
      #expect(world["counter m{key=__other__}"]?.total.whole == 1)
      #expect(limited(world) == ["m": Int64(round + 1)])
      world.gather(second: second + 50)
      world.workers[0].pass()
      world.gather(second: second + 50)
      #expect(world.view.seriesCount == 0 && world.view.familyCount == 0)
    }
  }

  @Test func `what a limit keeps out is counted again when there is room`() {
    let world = World(limit: 1, settings: .init(seriesTTL: 10, counterTTL: 10, quantileWindow: 60))
    world.workers[0].count("a:1|c")
    world.gather(second: 0)
    world.workers[0].count("b:1|c|#y:1,x:2")
    world.gather(second: 20)
    world.workers[0].pass()
    world.gather(second: 20)
    #expect(world.series.keys.sorted() == ["counter __other__"])
    world.workers[0].count("b:1|c|#y:1,x:2")
    world.gather(second: 21)
    #expect(world["counter b{x=2,y=1}"]?.total.whole == 1)
  }
}
