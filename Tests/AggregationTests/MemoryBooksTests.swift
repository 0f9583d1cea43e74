import Protocol
import Randomness
import Testing

@testable import Aggregation

/// What `/status` says of memory is kept in sums that go along; here it is counted anew, block by block.
@Suite struct `the books of memory` {
  private func part(_ name: String, _ world: World) -> Int {
    world.view.memory.first { "\($0.part)" == name }?.bytes ?? -1
  }

  /// Bytes of all blocks that the tables' records have.
  private func blocks(_ world: World) -> Int {
    var bytes = 0
    for worker in world.workers {
      let memory = worker.memory
      for number in 0..<memory.recordsInUse.load(ordering: .relaxed) {
        let record = memory.record(number)
        if record.role == .free || record.isAlias || !record.ownsBlocks { continue }
        for half in 0...1 {
          // Safe: nobody counts meanwhile.
          guard let address = unsafe record.block(half) else { continue }
          bytes +=
            record.kind == SampleKind.set.rawValue
            ? unsafe SetBlock(unsafeBase: address).byteCount
            : unsafe TimerBlock(unsafeBase: address, bounds: memory.bounds(record.kind)).byteCount
        }
      }
    }
    return bytes
  }

  @Test(arguments: [[], [1.0, 10, 100]])
  func `hold every block of every table while they grow, are given back and leave`(_ bounds: [Double]) {
    let world = World(
      tables: 2, settings: .init(seriesTTL: 5, counterTTL: 5, quantileWindow: 60), bounds: bounds)
    var random = SplitMix(seed: 7)
    for second in 0..<14 {
      for worker in world.workers {
        var text = ""
        for _ in 0..<(second < 8 ? 3 : 0) {
          let samples = [1, 20, 900][random.below(3)]
          let name = random.below(4)
          for _ in 0..<samples {
            text +=
              random.below(3) == 0
              ? "s\(name):\(random.below(100_000))|s\n"
              : "t\(name):\(random.below(50_000))|ms|@0.\(1 + random.below(9))\n"
          }
        }
        worker.count(text)
      }
      #expect(part("values", world) == blocks(world))
      world.gather(second: Int64(second))
      #expect(part("values", world) == blocks(world))
      if second == 7 { #expect(blocks(world) > 10_000 && part("states", world) > 10_000) }
    }
    for worker in world.workers { worker.pass() }
    world.gather(second: 15)
    #expect(world.view.seriesCount == 0 && part("values", world) == 0)
  }

  @Test func `hold no block of a series that came once, and two of one that goes on`() {
    let world = World(tables: 1)
    var held: [Int] = []
    for second in 0..<6 {
      for value in 0..<100 { world.workers[0].count("t:\(value)|ms\ns:\(value)|s") }
      world.gather(second: Int64(second))
      #expect(part("values", world) == blocks(world))
      held.append(blocks(world))
    }
    #expect(held[0] == 0 && held[1] > 0 && held[2] == 2 * held[1] && held[5] == held[2])
  }

  @Test func `hold what states have elsewhere, and no more of those that left`() {
    var states = StateList<SetState>()
    let empty = states.byteCount
    let one = states.add(SetState())
    var raises: [HyperLogLog.Raise] = []
    for register in 0..<5_000 { raises.append(.init(register: register, rank: UInt8(1 + register % 7))) }
    states.modify(one) { $0.add(raises, second: 0) }
    #expect(states[one].byteCount >= HyperLogLog.denseBytes)
    #expect(states.byteCount >= empty + states[one].byteCount)
    let full = states.byteCount
    states.remove(one, leaving: SetState())
    #expect(states.byteCount <= full - HyperLogLog.denseBytes)
  }
}
