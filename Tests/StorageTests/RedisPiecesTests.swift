import Aggregation
import Protocol
import Randomness
import Testing

@testable import Storage

@Suite struct `a cache of answers` {
  private func count(_ others: Int64) -> SharedHolding {
    .total(others: .whole(others), own: nil, ownBase: .zero, agents: 1)
  }

  @Test func `gives an answer until it is old or removed`() {
    var cache = RedisCache(ttl: 10, capacity: 5)
    let (one, other) = (series("one"), series("other"))
    cache.keep(count(1), of: one, now: 0)
    cache.keep(count(2), of: other, now: 5)
    #expect(cache.holding(of: one, now: 9)?.sum == .whole(1))
    #expect(cache.holding(of: one, now: 10) == nil && cache.holding(of: other, now: 10)?.sum == .whole(2))
    cache.expire(other)
    #expect(cache.holding(of: other, now: 10) == nil && cache.count == 2)
    cache.extend(other, now: 12)
    #expect(cache.holding(of: other, now: 21)?.sum == .whole(2) && cache.holding(of: other, now: 22) == nil)
    cache.remove(other)
    #expect(cache.holding(of: other, now: 10) == nil && cache.count == 1)
    #expect((cache.hits, cache.misses) == (3, 4))
  }

  @Test func `lets go of what was unused for longest`() {
    var cache = RedisCache(ttl: 10, capacity: 2)
    let names = ["a", "b", "c"].map { series($0) }
    for name in names[..<2] { cache.keep(count(1), of: name, now: 0) }
    _ = cache.holding(of: names[0], now: 0)
    cache.keep(count(1), of: names[2], now: 0)
    #expect(cache.count == 2)
    #expect(names.map { cache.holding(of: $0, now: 0) != nil } == [true, false, true])
  }

  @Test(arguments: [(0, 5), (10, 0)] as [(Int64, Int)]) func `keeps nothing when it is off`(
    _ ttl: Int64, _ capacity: Int
  ) {
    var cache = RedisCache(ttl: ttl, capacity: capacity)
    cache.keep(count(1), of: series("a"), now: 0)
    #expect(cache.holding(of: series("a"), now: 0) == nil)
  }

  @Test(arguments: 1...5 as ClosedRange<UInt64>) func `agrees with a list that is searched`(_ seed: UInt64) {
    var random = SplitMix(seed: seed)
    var cache = RedisCache(ttl: 50, capacity: 4)
    var model: [(name: Int, until: Int64, value: Int64)] = []  // The one used last at the end.
    for now in 0..<3_000 as Range<Int64> {
      let name = random.below(8)
      switch random.below(4) {
      case 0:
        model.removeAll { $0.name == name }
        if model.count == 4 { model.removeFirst() }
        model.append((name, now + 50, now))
        cache.keep(count(now), of: series("\(name)"), now: now)
      case 1:
        model.removeAll { $0.name == name }
        cache.remove(series("\(name)"))
      default:
        // One that is too old is not given, but kept.
        let place = model.firstIndex { $0.name == name && $0.until > now }
        let found = cache.holding(of: series("\(name)"), now: now)
        #expect(found?.sum == place.map { .whole(model[$0].value) }, "seed \(seed), \(now)")
        if let place { model.append(model.remove(at: place)) }
      }
      #expect(cache.count == model.count, "seed \(seed), \(now)")
    }
  }
}

@Suite struct `what Redis holds` {
  private func holding(
    _ fields: KeyValuePairs<String, String>, _ part: SharedKey.Part = .total, asMap: Bool = true, run: String = "r0"
  ) -> SharedHolding? {
    let flat = fields.flatMap { [.bulk(Array($0.key.utf8)), .bulk(Array($0.value.utf8))] as [RESPValue] }
    return SharedHolding(asMap ? .map(flat) : .array(flat), of: part, agent: Array("me".utf8), run: Array(run.utf8))
  }

  @Test(arguments: [true, false]) func `of a total is the sum of others' totals less bases, and this agent's`(
    _ asMap: Bool
  ) throws {
    let found = holding(
      [
        "x": "10", "me": "7", "x.base": "4", "me.base": "2", "y": "0.5", "y.run": "1f", "odd": "text", "gone.base": "9",
      ], asMap: asMap)
    guard case .total(.real(6.5), .whole(7), .whole(2), 3, false)? = found else {
      Issue.record("\(String(describing: found))")
      return
    }
    #expect(found?.sum == .real(11.5) && holding([:])?.sum == .zero)
    #expect(SharedHolding(.simple("OK"), of: .total, agent: []) == nil)
    for (run, isOfRun) in [("r1", true), ("r2", false)] {
      let found = holding(["me": "7", "me.run": "\(run)", "x.run": "r1"], run: "r1")
      guard case .total(_, .whole(7), _, 1, isOfRun)? = found
      else {
        Issue.record("\(run)")
        return
      }
    }
  }

  @Test func `of counts is others' by place`() {
    let fields: KeyValuePairs = [
      "x.07": "1", "y.07": "2.5", "me.07": "9", "x.23": "4", "x.24": "8", "x.-1": "8", "x": "8", "x.": "8", "y.9": "no",
    ]
    guard case .counts(let hours)? = holding(fields, .hours(day: 0)),
      case .counts(let minutes)? = holding(fields, .minutes(hour: 0))
    else {
      Issue.record("no counts")
      return
    }
    #expect(hours == [7: .real(3.5), 23: .whole(4)])
    #expect(minutes == [7: .real(3.5), 23: .whole(4), 24: .whole(8)])
  }

  @Test func `of samples is others', joined`() {
    let found = holding(
      [
        "x.count": "2", "x.sum": "3.5", "x.min": "1", "x.max": "2.5", "x.-4": "1", "x.9": "1", "y.count": "1",
        "y.sum": "-1.0", "y.min": "-1", "y.max": "-1", "y.-4": "1.5", "me.count": "7", "me.9": "7", "y.odd": "3",
      ], .samples(hour: 0))
    var samples = SharedSamples()
    (samples.count, samples.sum, samples.least, samples.greatest) = (3, 2.5, -1, 2.5)
    samples.buckets = [(-4, 2.5), (9, 1)]
    guard case .samples(samples)? = found else {
      Issue.record("\(String(describing: found))")
      return
    }
    guard case .samples(SharedSamples())? = holding([:], .samples(hour: 0)) else {
      Issue.record("samples from nothing")
      return
    }
  }

  @Test func `of members is a HyperLogLog, or nothing`() {
    func members(_ reply: RESPValue) -> [UInt8]? {
      guard case .members(let bytes)? = SharedHolding(reply, of: .members(hour: 0), agent: []) else { return nil }
      return bytes
    }
    let sparse = HyperLogLog().bytes
    var dense = Array(sparse[..<16]) + Array(repeating: 0, count: 12_288)
    dense[4] = 0
    #expect(members(.null) == [] && members(.bulk(sparse)) == sparse && members(.bulk(dense)) == dense)
    var odd = sparse
    odd[4] = 2
    let short = sparse[..<17] + [0xFE]
    for bytes in [
      [], Array("a text of more than 16 bytes".utf8), Array(sparse[..<16]), dense.dropLast(), odd, Array(short),
    ] {
      #expect(members(.bulk(bytes)) == nil)
    }
    #expect(members(.integer(1)) == nil)
  }

  @Test func `stands under a key that nothing else has`() {
    func key(_ kind: SampleKind, _ metric: String, _ part: SharedKey.Part = .total) -> String {
      "\(RedisKey(SharedKey(kind, metric: metric.utf8, part), prefix: Array("footfall:".utf8)))"
    }
    func name(_ key: SharedKey) -> String { "\(RedisKey(key, prefix: []))" }
    let hour: Int64 = 498_686
    #expect(name(series("visit", ["page": "page1"])) == "{visit|page=page1}" && name(series("visit")) == "{visit|}")
    #expect(key(.counter, "visit") == "footfall:{visit}")
    #expect(key(.event, "visit") == "footfall:event:{visit}")
    #expect(key(.counter, "visit", .hours(day: hour / 24)) == "footfall:{visit}:hours:2026-11-21")
    #expect(key(.counter, "visit", .minutes(hour: hour)) == "footfall:{visit}:minutes:2026-11-21T14")
    #expect(key(.set, "users", .members(hour: hour)) == "footfall:{users}:members:2026-11-21T14")
    #expect(key(.timer, "latency", .samples(hour: hour)) == "footfall:{latency}:samples:2026-11-21T14")
    #expect(key(.timer, "latency", .hours(day: 0)) == "footfall:timer:{latency}:hours:1970-01-01")
    #expect(key(.histogram, "latency", .samples(hour: 0)) == "footfall:histogram:{latency}:samples:1970-01-01T00")
    #expect(key(.distribution, "latency", .samples(hour: 0)) == "footfall:distribution:{latency}:samples:1970-01-01T00")
    #expect(name(series("visit", ["a": "b,c=d"])) == "{visit|a=b\\,c\\=d}")
    #expect(series("visit", ["a": "b", "c": "d"]) != series("visit", ["a": "b,c=d"]))
    #expect(series("a|b") != series("a", ["b": ""]) && series("a\\", ["b": "c"]) != series("a", ["\\b": "c"]))
    // Equal as Swift strings, and not as bytes.
    #expect(series("caf\u{E9}") != series("cafe\u{301}"))
    // A hash tag is never empty.
    #expect(name(series("}x")) == "{\\}x|}" && name(series("\\}x")) == "{\\\\}x|}")
  }

  @Test func `of resets is read on from the last`() {
    func entry(_ id: String, _ fields: KeyValuePairs<String, String>) -> RESPValue {
      let flat = fields.flatMap { [.bulk(Array($0.key.utf8)), .bulk(Array($0.value.utf8))] as [RESPValue] }
      return .array([.bulk(Array(id.utf8)), .array(flat)])
    }
    let found = RedisResets.entry(entry("17-3", ["agent": "b", "kind": "event", "tag": "visit|a=b\\,c"]))
    #expect(found?.id.next.description == "17-4" && found?.agent == Array("b".utf8))
    #expect(found?.key == SharedKey(.event, tag: Array("visit|a=b\\,c".utf8)))
    #expect(RedisResets.StreamID("5-\(UInt64.max)")?.next.description == "6-0")
    let odd = RedisResets.entry(entry("17-3", ["kind": "odd", "tag": "x"]))
    #expect(odd != nil && odd?.key == nil)
    for id in ["", "1", "1-", "1-2-3", "-1-0"] { #expect(RedisResets.entry(entry(id, [:])) == nil, "\(id)") }
    #expect(RedisResets.entry(.null) == nil)
  }

  @Test func `is exact as long as it is whole, and never beyond what a number holds`() {
    let largest = SharedNumber.whole(.max)
    #expect(SharedNumber(Array("9007199254740993".utf8)) == .whole(9_007_199_254_740_993))
    #expect(largest - .whole(1) == .whole(.max - 1))
    #expect(largest + .whole(1) == .real(0x1p63))
    #expect(
      SharedNumber.real(.greatestFiniteMagnitude) + .real(.greatestFiniteMagnitude) == .real(.greatestFiniteMagnitude))
    #expect(SharedNumber(whole: 3, fraction: 0.25) == .real(3.25) && SharedNumber(whole: 3, fraction: 0) == .whole(3))
    for text in ["", "nan", "inf", "x", "1e999"] { #expect(SharedNumber(Array(text.utf8)) == nil, "\(text)") }
    for number in [SharedNumber.whole(.min), .real(0.1), .real(1e300), .real(-2.5e-9)] {
      #expect(SharedNumber(Array("\(number)".utf8)) == number)
    }
  }

  @Test func `is tried again after longer and longer pauses`() {
    var random = SplitMix(seed: 1)
    var backoff = Backoff(first: 100, longest: 1_000)
    for whole in [100, 200, 400, 800, 1_000, 1_000] as [Int64] { #expect(whole / 2...whole ~= backoff.next(&random)) }
    for _ in 0..<100 { #expect(500...1_000 ~= backoff.next(&random)) }
    backoff.reset()
    #expect(50...100 ~= backoff.next(&random))
  }

  @Test func `comes out of a queue in order`() {
    var queue = Queue<Int>()
    var next = 0
    for number in 0..<10_000 {
      queue.append(number)
      if number % 3 != 0 {
        #expect(queue.first == next && queue.popFirst() == next)
        next += 1
      }
    }
    #expect(queue.count == 10_000 - next && queue.removeAll() == Array(next..<10_000) && queue.isEmpty)
    #expect(queue.popFirst() == nil)
  }
}
