import AllocationCounter
import Bytes
import Testing

@testable import Aggregation

/// The gated figure of the hot path: a count, never a time.
@Suite struct AllocationTests {
  private static let lines = [
    "requests:1|c", "requests:12345|c", "a.counter.whose.name.is.longer.than.a.record:7|c", "visit:page1|c",
    "visit:page2:5|c",
    "visit:1|c|#page:page3", "tagged:1|c|#env:prod,host:web1", "tagged:1|c|#host:web1,env:prod", "in,env=prod:3|c",
    "in;env=prod:3|g", "packed:1:2:3|c", "level:5|g", "level:+5|g", "level:-1|g|#env:prod", "size:100|h",
    "size:7|d|#a:1,b:2,c:3,d:4", "users:alice|s", "users:bob|s|#env:prod", "",
  ]

  /// Reading a fraction, several types or a check allocates only where the compiler does not optimise.
  private static let slowLines = [
    "rated:3|c|@0.1", "mixed:1|c:2|ms|@0.5:3|g", "took:12.5|ms", "took:3:4:5|ms|@0.5|#env:prod", "_sc|db.up|0|#a:1",
    "_e{5,4}:title|text|#env:prod",
  ]

  @Test func `a million lines of known series cost no allocation`() {
    #if DEBUG
      let lines = Self.lines
    #else
      let lines = Self.lines + Self.slowLines
    #endif
    let world = World()
    let worker = world.workers[0]
    let text = PaddedText(Array(repeating: lines.joined(separator: "\n"), count: 40).joined(separator: "\n").utf8)
    // Each half has its blocks once two epochs have passed, and a timer's have grown to the end once they have been full.
    for second in 0..<4 as Range<Int64> {
      for _ in 0..<16 { _ = text.read { worker.count($0) } }
      world.gather(second: second)
    }
    let before = worker.allocations
    var count: UInt64 = 0
    var batches = 0
    while count < 1_000_000 {
      count += text.read { worker.count($0) }.accepted
      batches += 1
      if batches % 7 == 0 { world.gather(second: 5) }
    }
    #expect(worker.allocations - before == 0)
    #expect(world.view.seriesCount > 10)
  }

  /// One for each reason that a line can have, by the reader and by the spelling.
  private static let refusedLines = [
    ":1|c", "visit", "visit:", "visit:nan|c", "visit:1:nan|c", "visit:|c", "render:fast|ms", "render:1:fast|ms",
    "queue:1e999|g",
    "users:a\u{1}|s", "hits:1", "hits:1|q", "hits:1|c:2|c|T5", "hits:1|c:x|ms", "hits:1|c|@0", "hits:1|c|@0.5x",
    "hits:1|c|Tnow",
    "hits:1|c|nothing", "hits:1|c|#a|#b", "_e{5,9}:title|text", "_e{x}:title|text", "_sc|db.up", "_sc|db.up|7",
    "_sc|db.up|0|d:x", "a\u{1}b:1|c", "visit:k\u{1}|c", "hits:1|c|#:v", "hits:1|c|#a:\u{1}",
    "hits,env=prod:1|c|#host:web1",
    "visit:page1|c|#page:page2", "visit:\(String(repeating: "k", count: 600))|c", String(repeating: "n", count: 9_000),
  ]

  @Test func `a million refused lines cost no allocation but that of the test's own library`() {
    let world = World()
    let worker = world.workers[0]
    let text = PaddedText(
      Array(repeating: Self.refusedLines.joined(separator: "\n"), count: 40).joined(separator: "\n").utf8)
    for second in 0..<4 as Range<Int64> {
      _ = text.read { worker.count($0) }
      world.gather(second: second)
    }
    #if !DEBUG
      let before = worker.allocations
    #endif
    var refused: UInt64 = 0
    while refused < 1_000_000 {
      let tally = text.read { worker.count($0) }
      #expect(tally.accepted == 0)
      refused += tally.lines
    }
    // Swift Testing keeps a backtrace of each error that is thrown, in one allocation. Unoptimised, a few sections allocate on their own.
    #if !DEBUG
      let allocations = worker.allocations - before
      #expect(allocations <= refused, "\(allocations) for \(refused) lines")
    #endif
  }

  @Test func `the counter sees an allocation, where no sanitizer has its place`() {
    let before = footfall_test_allocations()
    let block = UnsafeMutableRawPointer.allocate(byteCount: 100, alignment: 16)
    let wide = UnsafeMutableRawPointer.allocate(byteCount: 100, alignment: 64)
    let after = footfall_test_allocations()
    block.deallocate()
    wide.deallocate()
    #expect(after - before == 2 || after == 0)
  }
}
