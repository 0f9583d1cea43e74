import Protocol
import Randomness
import Testing

@testable import Aggregation

/// History gives memory back: what stays is what it was, what gave way is gone whole, and no slot is lost on the way.
@Suite struct `history that shrinks` {
  /// Counters, timers and sets, counted at many seconds so that all have runs and blobs of several slots; which of them is a matter of chance.
  private func count(_ world: World, _ random: inout SplitMix, second: Int64) {
    var lines = ""
    for _ in 0..<400 {
      let name = random.below(120)
      switch random.below(4) {
      case 0: lines += "took:\(1 + random.below(100_000))|ms|#n:\(name)\n"
      case 1: for _ in 0..<20 { lines += "users:u\(random.below(100_000))|s|#n:\(name)\n" }
      default: for _ in 0..<5 { lines += "visit:p\(random.below(3_000)):\(random.below(1_000_000))|c\n" }
      }
    }
    world.workers[0].count(lines.utf8, wall: 1_700_000_000 + second)
    world.gather(second: second)
  }

  private func owners(_ world: World) -> [(key: String, owner: History.Owner)] {
    var found = world.series.map { (key: $0.key, owner: History.Owner.series($0.value)) }
    var family = world.view.firstFamily
    while let id = family {
      found.append((key: "family \(id)", owner: .family(id)))
      family = world.view.family(after: id)
    }
    return found
  }

  private func encoded(_ world: World) -> [String: [UInt8]] {
    var all: [String: [UInt8]] = [:]
    for (key, owner) in owners(world) { all[key] = world.view.history.encoded(owner) }
    return all
  }

  @Test(arguments: [1, 2, 3] as [UInt64])
  func `keeps what it can as it was, within the budget`(seed: UInt64) {
    print("seed \(seed)")
    var random = SplitMix(seed: seed)
    let world = World(seed: seed)
    var second: Int64 = 0
    for round in 0..<6 {
      for _ in 0..<30 {
        second += Int64(random.pick([1, 1, 7, 61]))
        count(world, &random, second: second)
      }
      let before = encoded(world)
      let touched = world.view.history.touchedBytes
      let budget = touched * (75 + random.below(20)) / 100
      world.view.history.shrink(to: budget)
      #expect(world.view.history.touchedBytes <= budget + HistorySlot.byteCount)
      #expect(world.view.history.evictions > 0)
      let after = encoded(world)
      #expect(!after.isEmpty && after.count < before.count)
      for (key, bytes) in after { #expect(bytes == before[key], "\(key) in round \(round)") }
      #expect(world.view.history.seriesHeld + world.view.history.familiesHeld == after.count)
      world.view.history.allow(bytes: 256 << 20)
    }
    for (_, owner) in owners(world) { world.view.history.remove(owner) }
    #expect(world.view.history.arena.used == 0)
  }

  @Test func `to less than it needs for its links holds nothing, and goes on`() {
    var random = SplitMix(seed: 9)
    let world = World()
    for second in 1...20 { count(world, &random, second: Int64(second)) }
    world.view.history.shrink(to: 0)
    #expect(world.view.history.seriesHeld == 0 && world.view.history.familiesHeld == 0)
    count(world, &random, second: 30)
    #expect(world.view.history.seriesHeld == 0)
    world.view.history.allow(bytes: 1 << 20)
    count(world, &random, second: 40)
    #expect(world.view.history.familiesHeld == 3)
  }
}
