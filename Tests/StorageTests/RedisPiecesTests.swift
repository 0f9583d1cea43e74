import Aggregation
import Randomness
import Testing

@testable import Storage

@Suite struct `series that wait to be written` {
  private func update(_ name: String, _ total: Int64, claims: Bool = false) -> RedisUpdate {
    RedisUpdate(RedisSeries(name), total: .whole(total), claims: claims)
  }

  @Test func `are there once, with what is newest`() {
    var pending = PendingSeries()
    pending.put(update("a", 1))
    pending.put(update("b", 1))
    pending.put(update("a", 2))
    #expect(pending.count == 2)
    #expect(pending.next() == update("a", 2))
    #expect(pending.next() == update("b", 1))
    #expect(pending.next() == nil)
  }

  @Test func `are due again when they changed while they were written`() {
    var pending = PendingSeries()
    pending.put(update("a", 1))
    _ = pending.next()
    pending.put(update("a", 2))
    #expect(pending.next() == nil, "never twice under way")
    pending.written(RedisSeries("a"))
    #expect(pending.next() == update("a", 2))
    pending.written(RedisSeries("a"))
    #expect(pending.count == 0)
  }

  @Test func `that failed wait for what they are told to, and bring the newest`() {
    var pending = PendingSeries()
    for name in ["a", "b"] { pending.put(update(name, 1)) }
    for _ in 0..<2 { _ = pending.next() }
    pending.put(update("a", 2))
    pending.failed(RedisSeries("a"), until: .change)
    pending.failed(RedisSeries("b"), until: .time)
    pending.put(update("b", 3))
    #expect(pending.next() == nil && pending.isParked(.change) && pending.isParked(.time))
    pending.retry(.time)
    #expect(pending.next() == update("b", 3))
    pending.retry(.change)
    #expect(pending.next() == update("a", 2))
  }

  @Test func `claim until a write that does is done`() {
    var pending = PendingSeries()
    pending.put(update("a", 1, claims: true))
    pending.put(update("a", 2))
    #expect(pending.next()?.claims == true)
    pending.put(update("a", 3))
    pending.failed(RedisSeries("a"), until: .time)
    pending.retry(.time)
    #expect(pending.next()?.claims == true)
    pending.put(update("a", 4))
    pending.written(RedisSeries("a"))
    #expect(pending.next() == update("a", 4))
  }

  @Test(arguments: 1...10 as ClosedRange<UInt64>) func `are never lost, whatever happens`(_ seed: UInt64) {
    var random = SplitMix(seed: seed)
    var pending = PendingSeries()
    var newest: [Int: Int64] = [:]
    var stored: [Int: Int64] = [:]
    var underWay: [(Int, Int64)] = []
    let names = (0..<20).map { RedisSeries("\($0)") }
    for step in 1...2_000 as ClosedRange<Int64> {
      switch random.below(6) {
      case 0, 1:
        let number = random.below(20)
        newest[number] = step
        pending.put(RedisUpdate(names[number], total: .whole(step)))
      case 2, 3:
        if let next = pending.next(), let number = names.firstIndex(of: next.series),
          case .whole(let total) = next.total
        {
          #expect(!underWay.contains { $0.0 == number })
          underWay.append((number, total))
        }
      case 4 where !underWay.isEmpty:
        let (number, total) = underWay.remove(at: random.below(underWay.count))
        if random.below(2) == 0 {
          stored[number] = total
          pending.written(names[number])
        } else {
          pending.failed(names[number], until: random.below(2) == 0 ? .change : .time)
        }
      default: pending.retry(random.below(2) == 0 ? .change : .time)
      }
      #expect(pending.underWay == underWay.count)
    }
    for (number, total) in underWay {
      stored[number] = total
      pending.written(names[number])
    }
    pending.retry(.change)
    pending.retry(.time)
    while let next = pending.next(), let number = names.firstIndex(of: next.series), case .whole(let total) = next.total
    {
      stored[number] = total
      pending.written(next.series)
    }
    #expect(stored == newest && pending.count == 0, "seed \(seed)")
  }
}

@Suite struct `a cache of answers` {
  private func count(_ others: Int64) throws -> RedisCount {
    let reply = RESPValue.array([.bulk([0x62]), .bulk(Array("\(others)".utf8))])
    return try #require(RedisCount(reply, agent: Array("a".utf8)))
  }

  @Test func `gives an answer until it is old or removed`() throws {
    var cache = RedisCache(ttl: 10, capacity: 5)
    let (one, other) = (RedisSeries("one"), RedisSeries("other"))
    cache.keep(try count(1), of: one, now: 0)
    cache.keep(try count(2), of: other, now: 5)
    #expect(cache.count(of: one, now: 9)?.sum == .whole(1))
    #expect(cache.count(of: one, now: 10) == nil && cache.count(of: other, now: 10)?.sum == .whole(2))
    cache.remove(other)
    #expect(cache.count(of: other, now: 10) == nil && cache.count == 0)
    #expect((cache.hits, cache.misses) == (2, 2))
  }

  @Test func `lets go of what was unused for longest`() throws {
    var cache = RedisCache(ttl: 10, capacity: 2)
    let names = ["a", "b", "c"].map { RedisSeries($0) }
    for name in names[..<2] { cache.keep(try count(1), of: name, now: 0) }
    _ = cache.count(of: names[0], now: 0)
    cache.keep(try count(1), of: names[2], now: 0)
    #expect(cache.count == 2)
    #expect(names.map { cache.count(of: $0, now: 0) != nil } == [true, false, true])
  }

  @Test(arguments: [(0, 5), (10, 0)] as [(Int64, Int)]) func `keeps nothing when it is off`(
    _ ttl: Int64, _ capacity: Int
  ) throws {
    var cache = RedisCache(ttl: ttl, capacity: capacity)
    cache.keep(try count(1), of: RedisSeries("a"), now: 0)
    #expect(cache.count(of: RedisSeries("a"), now: 0) == nil)
  }

  @Test(arguments: 1...5 as ClosedRange<UInt64>) func `agrees with a list that is searched`(_ seed: UInt64) throws {
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
        cache.keep(try count(now), of: RedisSeries("\(name)"), now: now)
      case 1:
        model.removeAll { $0.name == name }
        cache.remove(RedisSeries("\(name)"))
      default:
        let place = model.firstIndex { $0.name == name && $0.until > now }
        let found = cache.count(of: RedisSeries("\(name)"), now: now)
        #expect(found?.sum == place.map { .whole(model[$0].value) }, "seed \(seed), \(now)")
        if let place { model.append(model.remove(at: place)) } else { model.removeAll { $0.name == name } }
      }
      #expect(cache.count == model.count, "seed \(seed), \(now)")
    }
  }
}

@Suite struct `what Redis holds of a series` {
  private func count(_ fields: KeyValuePairs<String, String>, asMap: Bool = true) -> RedisCount? {
    let flat = fields.flatMap { [.bulk(Array($0.key.utf8)), .bulk(Array($0.value.utf8))] as [RESPValue] }
    return RedisCount(asMap ? .map(flat) : .array(flat), agent: Array("me".utf8))
  }

  @Test(arguments: [true, false]) func `is the sum of totals less bases`(_ asMap: Bool) throws {
    let found = try #require(
      count(
        ["x": "10", "me": "7", "x.base": "4", "me.base": "2", "y": "0.5", "odd": "text", "gone.base": "9"], asMap: asMap
      ))
    #expect(found.others == .real(6.5) && found.ownTotal == .whole(7) && found.ownBase == .whole(2))
    #expect(found.sum == .real(11.5) && found.agents == 3)
    #expect(count([:])?.sum == .zero && count([:])?.ownTotal == nil)
    #expect(RedisCount(.simple("OK"), agent: []) == nil)
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

  @Test func `stands under a key that no other series has`() {
    func key(_ metric: String, _ labels: KeyValuePairs<String, String>) -> String {
      String(decoding: RedisSeries(metric, labels).key("footfall:"), as: UTF8.self)
    }
    #expect(key("visit", ["page": "page1"]) == "footfall:{visit|page=page1}")
    #expect(key("visit", [:]) == "footfall:{visit|}")
    #expect(key("visit", ["a": "b,c=d"]) == "footfall:{visit|a=b\\,c\\=d}")
    #expect(key("visit", ["a": "b", "c": "d"]) != key("visit", ["a": "b,c=d"]))
    #expect(key("a|b", [:]) != key("a", ["b": ""]) && key("a\\", ["b": "c"]) != key("a", ["\\b": "c"]))
    // Equal as Swift strings, and not as bytes.
    #expect(RedisSeries("caf\u{E9}") != RedisSeries("cafe\u{301}"))
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
