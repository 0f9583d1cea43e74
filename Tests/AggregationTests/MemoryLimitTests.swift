import Protocol
import Testing

@testable import Aggregation

@Suite struct `a limit of memory` {
  private func text(_ range: Range<Int>, _ line: (Int) -> String) -> String { range.map(line).joined(separator: "\n") }

  /// Gathers, and keeps within the limit as the program does.
  @discardableResult
  private func flush(_ world: World, _ limit: Int?, elsewhere: Int = 0, second: Int64 = 0) -> Bool {
    let claimed = world.view.bytesClaimed
    world.gather(second: second)
    return world.view.keepWithin(limit, elsewhere: elsewhere, claimedBefore: claimed)
  }

  @Test func `lets no more series begin between two flushes than there was room for at the first`() {
    let world = World()
    let room = 1 << 20
    flush(world, world.view.memoryBytes + room)
    world.workers[0].count(text(0..<20_000) { "visit:p\($0)|c" })
    world.gather()
    let made = Int(world.family("visit", .counter)?.seriesCount ?? 0)
    #expect(made > 1_000 && made < room / 200)
    #expect(world.family("visit", .counter)?.total.whole == 20_000)
    #expect(world["counter visit{page=__other__}"]?.total.whole == Int64(20_000 - (made - 1)))
  }

  @Test func `that is reached keeps new series out until a good part is free again`() {
    let world = World(settings: .init(seriesTTL: 5, counterTTL: 5, quantileWindow: 60))
    world.workers[0].count("kept:1|c")
    flush(world, nil)
    let limit = world.view.memoryBytes + (4 << 20)
    flush(world, limit)
    var isFull = false
    for round in 0..<10 {
      world.workers[0].count(text(round * 5_000..<(round + 1) * 5_000) { "visit:p\($0)|c\nkept:1|c" })
      isFull = flush(world, limit)
    }
    #expect(isFull && world.view.memoryBytes < limit + limit / 16)
    #expect(world["counter kept"]?.total.whole == 50_001)
    // Their places are used again when they have left.
    for second in 10..<60 {
      flush(world, limit, second: Int64(second))
      world.workers[0].count("kept:1|c")
    }
    #expect(!flush(world, limit, second: 60))
    world.workers[0].count("later:1|c")
    flush(world, limit, second: 61)
    #expect(world["counter later"]?.total.whole == 1)
    #expect(world.view.memoryBytes < limit + limit / 16)
  }

  @Test func `makes history give way before new series`() {
    let world = World(settings: .init(seriesTTL: nil, counterTTL: nil, quantileWindow: 60, historyBytes: 64 << 20))
    for second in 0..<200 {
      world.workers[0].count(text(0..<1_500) { "old:p\($0):\(second * 7_919 % 100_000)|c" }.utf8, wall: 1_700_000_000)
      flush(world, nil, second: Int64(second))
    }
    let history = world.view.history.touchedBytes
    #expect(history > 1_500_000)
    let limit = world.view.memoryBytes + (1 << 20)
    #expect(!flush(world, limit, second: 200))
    #expect(world.view.history.touchedBytes <= history)
    var rounds = 0
    while !flush(world, limit, second: 201), rounds < 100 {
      rounds += 1
      world.workers[0].count(text(rounds * 1_000..<(rounds + 1) * 1_000) { "new:p\($0)|c" })
    }
    #expect(world.view.history.touchedBytes <= 1 << 20)
    #expect(world.view.memoryBytes < limit + limit / 16)
    #expect((world.family("new", .counter)?.seriesCount ?? 0) > 4_000)
  }

  @Test func `bounds what is kept of names that find no room`() {
    let world = World()
    // Known metrics, each of which could have an __other__ and a count of its own.
    world.workers[0].count(text(0..<20_000) { "name\($0):1|c" })
    flush(world, nil)
    let before = world.view.memoryBytes
    #expect(flush(world, before / 2))
    world.workers[0].count(text(0..<20_000) { "name\($0):1|c|#late:\($0)\nname\($0):1|g" })
    flush(world, before / 2)
    #expect(world.view.limited.count <= MergedView.limitedMetrics + 1)
    #expect(world.view.limited.values.reduce(0, +) == 40_000)
    let others = world.series.filter { $0.key.contains("__other__") }
    #expect(others.count > 100 && others.count < 2_000)
    let counted = others.values.reduce(0) { $0 + (world.view.series($1).total.whole ?? 0) }
    #expect(counted == 20_000)
    #expect(world.view.memoryBytes < before + (4 << 20))
  }

  @Test func `keeps other spellings of a series from taking records`() {
    let world = World()
    world.workers[0].count("m:1|c|#a:1,b:2,c:3,d:4")
    flush(world, nil)
    #expect(flush(world, 1))
    let used = world.workers[0].memory.recordsInUse.load(ordering: .relaxed)
    world.workers[0].count("m:1|c|#b:2,a:1,c:3,d:4\nm:1|c|#d:4,a:1,c:3,b:2\nm:1|c|#d:4,a:1,c:3,b:2")
    flush(world, 1)
    #expect(world["counter m{a=1,b=2,c=3,d=4}"]?.total.whole == 4)
    #expect(world.workers[0].memory.recordsInUse.load(ordering: .relaxed) == used)
  }

  @Test func `past it a line of a known metric allocates nothing`() {
    let world = World()
    world.workers[0].count("visit:a|c\nvisit:b|c")
    flush(world, nil)
    #expect(flush(world, 1))
    // Once for each length, so that everything has grown.
    world.workers[0].count(text(0..<1_000) { "visit:warm\($0)|c" })
    let lines = text(1_000..<2_000) { "visit:cold\($0)|c" }
    let before = world.workers[0].allocations
    world.workers[0].count(lines)
    // Unoptimised, the way to the limit allocates on its own.
    #if !DEBUG
      #expect(world.workers[0].allocations == before)
    #else
      _ = before
    #endif
    flush(world, 1)
    #expect(world["counter visit{page=__other__}"]?.total.whole == 2_000)
  }
}
