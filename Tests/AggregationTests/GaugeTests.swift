import Randomness
import Testing

@testable import Aggregation

@Suite struct GaugeTests {
  @Test func `the newest absolute value of all tables wins, whichever table is read first`() {
    for (first, second) in [(0, 1), (1, 0)] {
      let world = World(tables: 2)
      world.workers[first].count("g:5|g", monotonic: 1_000)
      world.workers[second].count("g:7|g", monotonic: 2_000)
      world.gather()
      #expect(world["gauge g"]?.gauge == 7)
      // An older one that is read later changes nothing.
      world.workers[first].count("g:9|g", monotonic: 1_500)
      world.gather()
      #expect(world["gauge g"]?.gauge == 7)
      world.workers[first].count("g:11|g", monotonic: 3_000)
      world.gather()
      #expect(world["gauge g"]?.gauge == 11)
    }
  }

  @Test func `deltas of every table count on after an absolute value`() {
    let world = World(tables: 3)
    world.workers[1].count("g:100|g", monotonic: 1_000)
    world.gather()
    world.workers[0].count("g:+5|g", monotonic: 2_000)
    world.workers[2].count("g:-30|g", monotonic: 2_000)
    world.gather()
    world.workers[1].count("g:+1|g", monotonic: 3_000)
    world.workers[0].count("g:+5|g", monotonic: 3_000)
    world.gather()
    #expect(world["gauge g"]?.gauge == 81)
    // Nothing new: the deltas do not count again.
    world.gather()
    world.workers[0].count("g:+0|g", monotonic: 4_000)
    world.gather()
    #expect(world["gauge g"]?.gauge == 81)
    // A new absolute value forgets them all, also those of other tables.
    world.workers[2].count("g:1|g\ng:+2|g", monotonic: 5_000)
    world.gather()
    #expect(world["gauge g"]?.gauge == 3)
    world.workers[0].count("g:+10|g", monotonic: 6_000)
    world.gather()
    #expect(world["gauge g"]?.gauge == 13)
  }

  @Test func `an absolute value that another table has overtaken begins its table's deltas anew`() {
    let world = World(tables: 2)
    world.workers[0].count("g:10|g\ng:+100|g", monotonic: 1_000)
    world.gather()
    world.workers[1].count("g:50|g", monotonic: 5_000)
    world.gather()
    world.workers[0].count("g:20|g\ng:+3|g", monotonic: 2_000)
    world.gather()
    #expect(world["gauge g"]?.gauge == 53)
  }

  @Test func `writes of one batch keep their order though they share a clock reading`() {
    let world = World(tables: 2)
    world.workers[0].count("g:1|g\ng:2|g\ng:+1|g\ng:4|g\ng:-1|g", monotonic: 1_000)
    world.gather()
    #expect(world["gauge g"]?.gauge == 3)
    // A clock that stands still, or is behind the stamps given out, does not let an older write win.
    world.workers[0].count("g:8|g", monotonic: 1_000)
    world.gather()
    #expect(world["gauge g"]?.gauge == 8)
  }

  @Test(arguments: [1, 2, 3, 4, 5] as [UInt64])
  func `one table's order is exact, whenever the reader looks`(seed: UInt64) {
    print("seed \(seed)")
    var random = SplitMix(seed: seed)
    let world = World(tables: 2)
    var model: [String: Double] = [:]
    for _ in 0..<2_000 {
      var text = ""
      for _ in 0..<random.below(6) {
        let name = random.pick(["a", "b", "c"])
        let value = random.below(100)
        let sign = random.pick(["", "+", "-"])
        text += "\(name):\(sign)\(value)|g\n"
        let number = Double(value)
        model[name] = sign == "" ? number : model[name, default: 0] + (sign == "+" ? number : -number)
      }
      world.workers[0].count(text)
      // Another table has gauges of its own, which the first ones do not meet.
      world.workers[1].count("other:+1|g")
      if random.below(3) == 0 {
        world.gather()
        for (name, value) in model { #expect(world["gauge \(name)"]?.gauge == value) }
      }
    }
    world.gather()
    #expect(world["gauge other"]?.gauge == 2_000)
  }

  @Test(arguments: [11, 12, 13] as [UInt64])
  func `tables that write in turns, each looked at before the next, are as one`(seed: UInt64) {
    print("seed \(seed)")
    var random = SplitMix(seed: seed)
    let world = World(tables: 3)
    var value = 0.0
    for step in 1...2_000 {
      let number = random.below(50)
      let isAbsolute = random.below(4) == 0
      world.workers[random.below(3)].count(
        isAbsolute ? "g:\(number)|g" : "g:+\(number)|g", monotonic: Int64(step * 1_000))
      value = isAbsolute ? Double(number) : value + Double(number)
      world.gather()
      #expect(world["gauge g"]?.gauge == value)
    }
  }

  @Test func `a signed value is absolute where the options say so`() {
    let world = World(reader: .init(signedGaugesAreDeltas: false))
    world.workers[0].count("g:10|g\ng:-4|g")
    world.gather()
    #expect(world["gauge g"]?.gauge == -4)
  }
}
