import Protocol
import Testing

@testable import Aggregation

/// A table whose records no longer fit the caches puts plain counts off (`DeferredCounts`).
@Suite struct `a table that puts counts off` {
  private let world = World(capacity: 300_000, limit: 100_000)

  /// More series than a table counts at once without putting off.
  private static let many = 60_000

  private func total(_ name: String) -> Int64? {
    world.gather()
    return world.view.family(named: Array(name.utf8), kind: .counter).flatMap { world.view.family($0).total.whole }
  }

  private func fill() {
    world.workers[0].count((0..<Self.many).map { "visit:page\($0)|c\n" }.joined())
  }

  @Test func `counts what it counts at once, to the unit, and books it`() {
    fill()
    let again = (0..<Self.many).map { "visit:page\($0):2|c\nvisit:page\($0)|c\n" }.joined()
    let tally = world.workers[0].count(again)
    #expect(tally.lines == 120_000 && tally.accepted == 120_000 && tally.samples[0] == 120_000)
    #expect(total("visit") == Int64(Self.many * 4))
  }

  @Test func `finds the series of another spelling`() {
    fill()
    world.workers[0].count("in,env=prod:1|c\nin:1|c|#env:prod")
    world.workers[0].count("in,env=prod:3|c\nin,env=prod:5|c\n")
    #expect(total("in") == 10)
    #expect(total("visit") == Int64(Self.many))
  }

  @Test func `makes series and refuses bad names among the counts that wait`() {
    fill()
    let tally = world.workers[0].count("new:1|c\nbad\u{1}name:1|c\nnew:1|c\nvisit:page1|c\nlast:7|c")
    #expect(tally.lines == 5 && tally.accepted == 4)
    #expect(tally.refused[Int(Refusal.badName.rawValue)] == 1)
    #expect(total("new") == 2)
    #expect(total("last") == 7)
    #expect(total("visit") == Int64(Self.many + 1))
  }

  @Test func `keeps the order of a gauge's writes, whatever stands between them`() {
    fill()
    var lines = ""
    for value in 0..<100 {
      lines += "level:\(value)|g\nvisit:page\(value)|c\nlevel:+2|g\ntook:\(value)|ms|#a:b\n"
      if value % 7 == 0 { lines += "level:5:6|g\nlevel:+\(value)|g\n" }
      if value % 9 == 0 { lines += "other\(value):1|g\n_sc|up|0\n" }
    }
    world.workers[0].count(lines)
    world.gather()
    let series = world["gauge level"]
    #expect(series?.gauge == 101)
    world.workers[0].count("level:50|g\nlevel:7:8|g\nlevel:+1|g\n")
    world.gather()
    #expect(world["gauge level"]?.gauge == 9)
  }

  @Test func `adds every kind that waits, with tags and without`() {
    fill()
    let lines = (0..<200).flatMap { number in
      [
        "tagged:2|c|#b:\(number % 3),a:1", "tagged:3|c|@0.5|#a:1,b:\(number % 3)", "took:\(number)|ms",
        "took:\(number)|ms|#env:prod,host:a.name.that.is.longer.than.a.record", "who:user\(number % 5)|s",
        "a.counter.whose.name.is.longer.than.a.record:4|c",
      ]
    }
    let tally = world.workers[0].count(lines.joined(separator: "\n"))
    #expect(tally.lines == 1_200 && tally.accepted == 1_200)
    #expect(total("tagged") == 1_600)
    #expect(total("a.counter.whose.name.is.longer.than.a.record") == 800)
    let timers = world.series.filter { $0.key.hasPrefix("timer took") }.map { world.view.series($0.value) }
    #expect(timers.count == 2)
    let set = world["set who"]
    #expect(set.map { world.cardinality($0) } == 5)
  }

  @Test func `gives a long log back once it is read, and fills it again`() {
    for round in 1...4 as ClosedRange<Int64> {
      fill()
      #expect(total("visit") == Int64(Self.many) * round)
      for half in 0...1 {
        let log = world.workers[0].memory.log(half)
        #expect(log.count == 0)
        // What stood there is gone with its page.
        #expect(log[Self.many - 1] == 0)
      }
    }
  }
}
