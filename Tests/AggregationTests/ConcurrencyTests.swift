import Platform
import Protocol
import Synchronization
import Testing

@testable import Aggregation

/// The whole table under threads; also meant to be run with `swift test --sanitize=thread` and `--sanitize=address`.
@Suite struct ConcurrencyTests {
  /// How far a thread is.
  private final class Progress: Sendable {
    let steps = Atomic<Int>(0)
  }

  private static let batches = 1_500
  private static let members = 500

  /// One of each kind that is in every batch, and one of each that is written for thirty batches and then never again.
  private static func text(writer: Int, batch: Int) -> String {
    let key = "w\(writer)-\(batch / 30)"
    let padding = batch / 30 % 2 == 0 ? "" : "-longer-than-a-record-has-room-for"
    return """
      all:1|c
      all:2|c|#b:1,a:2
      all,a=2,b=1:3|c
      all:4|c|#a:\(key)\(padding)
      lone,key=\(key)\(padding):5|c
      g\(writer):+1|g
      h:\(batch)|g|#key:\(key)
      t:1:2|ms
      t:\(batch % 700)|ms|@0.5|#key:\(key)\(padding),b:1
      t:\(batch % 7)|ms|#b:1,key:\(key)\(padding)
      users:\(writer)-\(batch % members)|s
      users:\(batch)|s|#key:\(key)
      _e{1,1}:e|x
      nothing
      bad:1|c|#:x
      """
  }

  /// The clock is the slower writer's progress, and nobody gets far ahead of it: whatever is in every batch never gets idle.
  @Test func `two writers and a reader lose nothing and double nothing while series come and go`() throws {
    let world = World(
      tables: 2, capacity: 4_000, limit: 2_000, settings: .init(seriesTTL: 1, counterTTL: 1, quantileWindow: 60))
    let progress = [Progress(), Progress()]
    let seconds = Progress()
    var threads: [Thread] = []
    for (number, worker) in world.workers.enumerated() {
      let mine = progress[number]
      threads.append(
        try Thread("writer") {
          for batch in 0..<Self.batches {
            // A second and a half ahead of the last gather at most: the reader's clock may be that old when it looks.
            while batch > 20 * seconds.steps.load(ordering: .relaxed) + 30 { Clock.sleep(nanoseconds: 10_000) }
            let tally = worker.count(Self.text(writer: number, batch: batch), monotonic: Clock.monotonic())
            precondition(tally.lines == 15 && tally.accepted == 13 && tally.refusedInAll == 2)
            mine.steps.add(1, ordering: .releasing)
          }
        })
    }
    var gathers = 0
    while true {
      let done = progress.map { $0.steps.load(ordering: .acquiring) }.min()!
      if !world.gatherSlice(second: Int64(done / 20), limit: gathers % 3 == 0 ? 7 : .max) {
        world.gather(second: Int64(done / 20))
      }
      seconds.steps.store(done / 20, ordering: .relaxed)
      gathers += 1
      // Somebody walks over everything now and then.
      if gathers % 50 == 0 {
        world.view.pin()
        _ = world.series
        world.view.unpin()
      }
      if done == Self.batches { break }
    }
    for thread in threads { thread.join() }
    let last = Int64(Self.batches / 20)
    world.gather(second: last)
    print("\(gathers) gathers, \(world.view.seriesMade) series at a time at most")

    let batches = Int64(Self.batches)
    #expect(world["counter all"]?.total.whole == 2 * batches)
    #expect(world["counter all{a=2,b=1}"]?.total.whole == 10 * batches)
    #expect(world.family("all", .counter)?.total.whole == 20 * batches)
    #expect(world.family("e", .event)?.total.whole == 2 * batches)
    for writer in 0..<2 { #expect(world["gauge g\(writer)"]?.gauge == Double(batches)) }
    let timer = try #require(world["timer t"])
    #expect(world.view.timer(timer).count == Double(4 * batches) && world.view.timer(timer).sum == Double(6 * batches))
    #expect(world.family("t", .timer)?.total.value == Double(10 * batches))
    let users = try #require(world["set users"])
    var log = HyperLogLog()
    for writer in 0..<2 { for member in 0..<Self.members { log.add(Array("\(writer)-\(member)".utf8)) } }
    #expect(world.cardinality(users) == log.cardinality)
    // They did come and go: there were some 600 in all.
    #expect(world.view.seriesMade < 300)
    let limited = world.view.limited
    #expect(limited.isEmpty)

    for second in [last + 10, last + 11] {
      world.gather(second: second)
      for worker in world.workers { worker.pass() }
    }
    world.gather(second: last + 11)
    #expect(world.view.seriesCount == 0 && world.view.familyCount == 0)
  }

  @Test func `a gate lets the reader in only when the writer is out of the old half`() throws {
    final class Half: @unchecked Sendable {  // the gate decides who may touch it
      var first = 0
      var second = 0
    }
    let gate = EpochGate()
    let halves = [Half(), Half()]
    let progress = Progress()
    let rounds = 30_000
    let writer = try Thread("writer") {
      for _ in 0..<rounds {
        let half = halves[Int(gate.enter() & 1)]
        half.first += 1
        half.second += 1
        gate.leave()
      }
      progress.steps.store(rounds, ordering: .releasing)
    }
    var total = 0
    var isLast = false
    while !isLast {
      isLast = progress.steps.load(ordering: .acquiring) == rounds
      let old = gate.flip()
      gate.awaitDeparture(from: old)
      let half = halves[Int(old & 1)]
      #expect(half.first == half.second)
      total += half.first
      (half.first, half.second) = (0, 0)
    }
    writer.join()
    #expect(total == rounds)
  }
}
