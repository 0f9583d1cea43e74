import Platform
import Protocol
import Testing

@testable import Aggregation

@Suite struct `senders and refused lines` {
  private let world = World()

  private func address(_ number: Int) -> SenderAddress {
    SocketAddress(v4: "10.0.\(number / 256).\(number % 256)", port: 1_000)!.sender
  }

  @Test func `an address is shown without its port, in either version`() {
    #expect(SocketAddress(v4: "127.0.0.1", port: 9)!.sender.description == "127.0.0.1")
    #expect(SocketAddress(v6: "2001:db8::1", port: 9)!.sender.description == "2001:db8::1")
    #expect(SenderAddress.local.description == "unix")
  }

  @Test func `each sender's lines are counted, the refused ones too`() {
    world.workers[0].count("a:1|c\nb:nan|c\n\na:2|c", from: address(1))
    world.workers[0].count("a:1|c\n", from: address(2))
    world.gather()
    world.workers[0].count("c:1|q\n", from: address(1))
    world.gather()
    let top = world.view.senders.top(10)
    #expect(top.map(\.address) == [address(1), address(2)])
    #expect(top.map(\.lines) == [4, 1])
    #expect(top.map(\.refused) == [2, 0])
    #expect(world.view.senders.others == 0)
  }

  @Test func `more senders than a half can tell apart are counted together, and no line is lost`() {
    for number in 0..<300 { world.workers[0].count("a:1|c\nb:1|c", from: address(number)) }
    world.gather()
    let told = world.view.senders.top(1_000)
    #expect(told.count == SenderTally.limit)
    #expect(told.reduce(0) { $0 + $1.lines } + world.view.senders.others == 600)
  }

  @Test func `the one that sends most stays in the ranking while thousands come and go`() {
    for round in 0..<40 {
      world.workers[0].count(String(repeating: "a:1|c\n", count: 50), from: address(0))
      for number in 1...100 { world.workers[0].count("a:1|c", from: address(round * 100 + number)) }
      world.gather()
    }
    let top = world.view.senders.top(1)[0]
    #expect(top.address == address(0))
    #expect(top.lines == 2_000 && top.overcount == 0)
    #expect(world.view.senders.top(5_000).count == SenderRanking.limit)
  }

  @Test func `a refused line is kept with its sender, reason, place and text`() {
    world.workers[0].count("a:1|c\nvisit:nan|c\nb:1|c", from: address(7))
    world.gather()
    let line = world.view.recentRefusals[0]
    #expect(world.view.recentRefusals.count == 1)
    #expect(line.sender == address(7) && line.reason == .badValue && line.offset == 6)
    #expect(String(decoding: line.text, as: UTF8.self) == "visit:nan|c" && line.length == 11)
    #expect(line.second == 1_700_000_000)
  }

  @Test func `of a long line the beginning is kept`() {
    world.workers[0].count("a:1|" + String(repeating: "x", count: 1_000), from: address(7))
    world.gather()
    #expect(world.view.recentRefusals[0].text.count == RefusalNotes.longestText)
    #expect(world.view.recentRefusals[0].length == 1_004)
  }

  @Test func `a flood of refused lines is counted whole and kept in part`() {
    let tally = world.workers[0].count(String(repeating: "bad\n", count: 10_000), from: address(7))
    #expect(tally.refused[Int(Refusal.noValue.rawValue)] == 10_000)
    world.gather()
    #expect(world.view.recentRefusals.count == RefusalNotes.limit)
    for second in 1...20 {
      world.workers[0].count(String(repeating: "bad\n", count: 100), from: address(7))
      world.gather(second: Int64(second))
    }
    #expect(world.view.recentRefusals.count == MergedView.recentRefusalLimit)
  }

  @Test func `however often somebody gathers, so many refused lines a second are kept of each table`() {
    let world = World(tables: 2)
    for _ in 0..<20 {
      for worker in world.workers { worker.count(String(repeating: "bad\n", count: 10), from: address(7)) }
      world.gather(second: 5)
    }
    #expect(world.view.recentRefusals.count == 2 * RefusalNotes.limit)
    world.workers[0].count("bad", from: address(7))
    world.gather(second: 6)
    #expect(world.view.recentRefusals.count == 2 * RefusalNotes.limit + 1)
    #expect(world.view.senders.top(1)[0].refused == 401)
  }

  @Test func `what follows the first sample of a taken line is not a refused line`() {
    let small = World(limit: 1)
    small.workers[0].count("a:1|c")
    // The counter is known, the gauge of the same name is beyond the limit.
    let tally = small.workers[0].count("a:1|c:2|g", from: address(1))
    #expect(tally.lines == 1 && tally.accepted == 1)
    small.gather()
    #expect(small.view.recentRefusals.isEmpty && small.view.senders.top(1)[0].refused == 0)
  }

  @Test func `a line that waits for its record is refused in its sender's name`() {
    let large = World(capacity: 300_000, limit: 100_000)
    large.workers[0].count((0..<60_000).map { "visit:page\($0)|c\n" }.joined(), from: address(1))
    large.workers[0].count(
      [("bad\u{1}name:1|c", address(2)), ("visit:page1|c", address(3))].map { (Array($0.0.utf8), $0.1) })
    large.gather()
    #expect(large.view.recentRefusals.map(\.sender) == [address(2)])
    let refused = Dictionary(uniqueKeysWithValues: large.view.senders.top(3).map { ($0.address, $0.refused) })
    #expect(refused == [address(1): 0, address(2): 1, address(3): 0])
  }
}
