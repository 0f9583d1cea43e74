import Protocol
import Testing

@testable import Aggregation

/// A normal spelling writes some bytes as control bytes, which no line may hold (`NormalSpelling`).
@Suite struct `a line that spells a series by its normal spelling's control bytes` {
  /// Lines, and for each the bytes of the normal spelling of its series.
  private static let spellings: [(line: String, normal: String)] = [
    ("a,b:1|c", "\u{3}a\u{1}b:1|c"),
    ("a#b:1|c|@0.5", "\u{3}a#b:1|c|@0.5"),
    ("a,b:1|g", "\u{3}a\u{1}b:1|g"),
    ("a,b:2|ms|#k:v", "\u{3}a\u{1}b:2|ms|#k:v"),
    ("a,b:1|c|#k:v", "\u{3}a\u{1}b:1|c|#k:v"),
    ("a:user|s|#k:v,k:w", "a:user|s|#k:v\u{1}w"),
    ("a:1|c|#k:v,k:w", "a:1|c|#k:v\u{1}w"),
    ("a.name.that.is.longer.than.a.record,b:1|h", "\u{3}a.name.that.is.longer.than.a.record\u{1}b:1|h"),
  ]

  @Test(arguments: [0, 60_000])
  func `is refused, though the series is known`(others: Int) {
    // Above 50,000 series a table puts samples off.
    let world = World(capacity: 200_000, limit: 100_000)
    world.workers[0].count((0..<others).map { "other\($0):1|c\n" }.joined())
    for (line, normal) in Self.spellings {
      #expect(world.workers[0].count(line).accepted == 1)
      world.gather()
      let known = world.view.seriesCount
      // Those with values and types packed take the slowest way.
      let packed = normal.contains("|#") ? normal : normal + ":2|c"
      for text in [normal, normal + "|T1", packed] {
        let tally = world.workers[0].count(text)
        #expect(tally.lines == 1 && tally.accepted == 0, "\(text.debugDescription)")
        let reasons = [Refusal.badName, .badTags].map { tally.refused[Int($0.rawValue)] }
        #expect(reasons.reduce(0, +) == 1, "\(text.debugDescription)")
      }
      #expect(world.workers[0].count(line).accepted == 1)
      world.gather()
      #expect(world.view.seriesCount == known)
    }
  }
}
