import Protocol
import Testing

@testable import Aggregation

/// What is written of a metric's history, and when.
@Suite struct `shared history` {
  private let world = World()
  private let wall: Int64 = 1_700_000_000
  private var hour: Int64 { wall / 3_600 }

  init() { world.gather(wall: wall) }

  private func count(_ lines: String) {
    world.workers[0].count(lines.utf8, wall: wall)
    world.gather(wall: wall)
  }

  private func hours(_ writes: [SharedWrite]) -> (values: [Int64], counts: [Int64], minutes: Int) {
    var values: [Int64] = []
    var counts: [Int64] = []
    var minutes = 0
    for write in writes {
      switch (write.key.part, write.value) {
      case (.members(let hour), _), (.samples(let hour), _): values.append(hour - self.hour)
      case (.hours(let day), .counts(let places)): counts += places.map { day * 24 + Int64($0.place) - hour }
      case (.minutes, .counts(let places)): minutes += places.count
      default: break
      }
    }
    return (values.sorted(), counts.sorted(), minutes)
  }

  /// One of each kind at each of these hours, before now.
  private func lines(hoursAgo: [Int64]) -> String {
    hoursAgo.map { ago in
      let late = "T\(wall - ago * 3_600)"
      return "c:1|c|\(late)\nt:\(ago + 1)|ms|\(late)\ns:u\(ago)|s|\(late)\n"
    }.joined()
  }

  private func share(_ name: String, _ kind: SampleKind) -> (values: [Int64], counts: [Int64], minutes: Int)? {
    let writes = world.sharedWrites().filter { $0.key.kind == kind && $0.key.tag.elementsEqual(name.utf8) }
    return hours(writes)
  }

  @Test func `after a start all counts are told, of members and samples the last hours, with old ones that come`() {
    count(lines(hoursAgo: [160, 100, 30, 4, 3, 2, 1, 0]))
    world.view.shareChanges()
    count("s:late|s|T\(wall - 30 * 3_600)\n")
    var told: [SampleKind: [SharedWrite]] = [:]
    var owners: [SharedOwner] = []
    while let owner = world.view.nextToShare() {
      for write in world.view.writes(of: owner) { told[write.key.kind, default: []].append(write) }
      owners.append(owner)
    }
    let all: [Int64] = [-160, -100, -30, -4, -3, -2, -1, 0]
    for kind in [SampleKind.counter, .timer, .set] {
      let (values, counts, minutes) = hours(told[kind] ?? [])
      #expect(counts == (kind == .set ? [] : all), "\(kind)")
      #expect(minutes == (kind == .set ? 0 : 5), "\(kind)")
      #expect(values == (kind == .counter ? [] : kind == .set ? [-30, -3, -2, -1, 0] : [-3, -2, -1, 0]), "\(kind)")
    }
    // Not told, it is as much the next time.
    for owner in owners { world.view.markUnshared(owner) }
    world.view.retryUnshared()
    let again = Dictionary(grouping: world.sharedWrites(), by: \.key.kind)
    for (kind, writes) in told { #expect(hours(writes) == hours(again[kind] ?? [])) }
    // Told, it is over.
    world.view.shareAll()
    let later = Dictionary(grouping: world.sharedWrites(), by: \.key.kind)
    #expect(hours(later[.timer] ?? []).counts == [-2, -1, 0] && hours(later[.set] ?? []).values == [-2, -1, 0])
  }

  @Test func `a metric that appears is told in full, however old its samples are`() {
    world.view.shareChanges()
    count(lines(hoursAgo: [160, 100, 30, 0]))
    let told = Dictionary(grouping: world.sharedWrites(), by: \.key.kind)
    #expect(hours(told[.set] ?? []).values == [-160, -100, -30, 0])
    #expect(hours(told[.timer] ?? []).values == [-160, -100, -30, 0])
    #expect(hours(told[.counter] ?? []).counts == [-160, -100, -30, 0])
  }

  @Test func `a sample of days ago is told with its hour alone, a little late one with all since`() {
    world.view.shareChanges()
    count(lines(hoursAgo: [160, 159, 100, 50, 20, 2, 1, 0]))
    _ = world.sharedWrites()
    count(lines(hoursAgo: [160, 20]))
    let told = Dictionary(grouping: world.sharedWrites(), by: \.key.kind)
    #expect(hours(told[.set] ?? []).values == [-160, -20, 0])
    #expect(hours(told[.timer] ?? []).values == [-160, -20, 0])
    let counts = hours(told[.counter] ?? [])
    // Minutes are those of a day back.
    #expect(counts.counts == [-160, -20, 0] && counts.minutes == 2)
    count(lines(hoursAgo: [1]))
    let little = Dictionary(grouping: world.sharedWrites(), by: \.key.kind)
    #expect(hours(little[.set] ?? []).values == [-1, 0] && hours(little[.counter] ?? []).counts == [-1, 0])
    // And of this hour the minutes since.
    count("c:1|c|T\(wall - 700)\nc:1|c|T\(wall - 300)\n")
    _ = world.sharedWrites()
    count("c:1|c|T\(wall - 300)\nc:1|c")
    #expect(hours(world.sharedWrites()).minutes == 2)
    // And then no more.
    count(lines(hoursAgo: [0]))
    #expect(hours(world.sharedWrites().filter { $0.key.kind == .set }).values == [0])
  }

  @Test func `after the clock was set back, what comes belongs to hours and minutes that were told`() {
    world.view.shareChanges()
    count("c:1|c")
    _ = world.sharedWrites()
    world.workers[0].count("c:2|c".utf8, wall: wall - 1_200)
    world.gather(wall: wall - 1_200)
    let told = hours(world.sharedWrites())
    #expect(told.counts == [-1, 0] && told.minutes == 2)
  }

  @Test func `who comes in the place of a metric has none of what it had to tell`() {
    let world = World(settings: .init(seriesTTL: 10, counterTTL: 10, quantileWindow: 60))
    world.gather(wall: wall)
    world.view.shareChanges()
    func settle(_ second: Int64) {
      world.gather(second: second)
      for worker in world.workers { worker.pass() }
      world.gather(second: second)
      world.gather(second: second)
    }
    world.workers[0].count("s:x|s".utf8, wall: wall)
    settle(0)
    _ = world.sharedWrites()
    settle(100)
    #expect(world.familyCount == 0)
    let before = wall + 100 - 50 * 3_600
    world.workers[0].count("new:x|s|T\(before)\n".utf8, wall: wall + 100)
    world.gather(second: 101)
    #expect(world.sharedWrites().map(\.key) == [.metric("new", .set, .members(hour: before / 3_600))])
  }

  // MARK: Members

  @Test(arguments: [3, 1_200, 40_000])
  func `the members of an hour are a string that Redis reads, and come back`(members: Int) {
    world.view.shareChanges()
    var union = HyperLogLog.Ranks()
    for start in stride(from: 0, to: members, by: 2_000) {
      let some = start..<min(members, start + 2_000)
      count(some.map { "s:u\($0)|s|#half:\($0 % 2)\n" }.joined())
      for number in some {
        let place = unsafe Array("u\(number)".utf8).withUnsafeBytes { unsafe HyperLogLog.place(of: $0) }
        union.raise(place.register, to: place.rank)
      }
    }
    var written: [[UInt8]] = []
    for write in world.sharedWrites() { if case .members(let bytes) = write.value { written.append(bytes) } }
    guard written.count == 1, let bytes = written.first else { return #expect(written.count == 1) }
    let isDense = members == 40_000
    #expect(bytes.starts(with: "HYLL".utf8) && bytes[4] == (isDense ? 0 : 1))
    // Redis counts anew by the top bit.
    #expect(bytes[5..<15].allSatisfy { $0 == 0 } && bytes[15] == 0x80)
    #expect(isDense ? bytes.count == 12_304 : bytes.count <= 3_000)
    guard let back = HyperLogLog(redis: bytes) else { return #expect(Bool(false)) }
    #expect(back.bytes == bytes && back.cardinality == union.cardinality)
    var joined = HyperLogLog.Ranks()
    let isTaken = joined.merge(redis: bytes) && joined.merge(redis: [])
    #expect(isTaken && HyperLogLog(joined).bytes == bytes)
  }

  @Test func `a cardinality that Redis has kept in the string is no matter`() {
    var log = HyperLogLog()
    log.add(Array("one".utf8))
    var bytes = log.bytes
    bytes.replaceSubrange(5..<16, with: [9, 9, 9, 1, 0, 0, 0, 0, 0, 0, 0])
    #expect(HyperLogLog(redis: bytes) == log)
  }

  @Test func `what is no HyperLogLog is refused, and nothing of it is taken`() {
    let head = Array(HyperLogLog().bytes.prefix(16))
    func sparse(_ runs: [UInt8]...) -> [UInt8] { runs.reduce(head, +) }
    func many(_ byte: UInt8, _ count: Int) -> [UInt8] { [UInt8](repeating: byte, count: count) }
    let zeros: [UInt8] = [0x7F, 0xFF]
    var dense = head + many(0, 12_288)
    dense[4] = 0
    var high = dense
    // 52, a rank that no hash gives.
    high[16] = 52
    var greatest = dense
    greatest[16] = 51
    var log = HyperLogLog()
    for number in 0..<100 { log.add([UInt8(number)]) }
    var hostile: [[UInt8]] = [
      Array("HYLX".utf8) + log.bytes.dropFirst(4), log.bytes + [0], log.bytes + zeros, dense + [0], high,
      sparse([0x7F, 0xFE]), sparse([0x7F]), sparse([0x40]), sparse(zeros, [0x80]), sparse([0xFF], zeros),
      sparse([0x83, 0x7F, 0xFC]), sparse(many(0xFF, 4_097)), sparse(many(0x7F, 100_000)), Array("12".utf8),
    ]
    for count in 1..<log.bytes.count { hostile.append(Array(log.bytes.prefix(count))) }
    for count in stride(from: 1, to: 12_304, by: 311) { hostile.append(Array(dense.prefix(count))) }
    for encoding in [2, 0xFF] as [UInt8] {
      var bytes = log.bytes
      bytes[4] = encoding
      hostile.append(bytes)
    }
    for bytes in hostile {
      var ranks = HyperLogLog.Ranks()
      let isTaken = ranks.merge(redis: bytes)
      #expect(!isTaken && ranks.cardinality == 0, "\(bytes.prefix(24)) of \(bytes.count)")
    }
    let sound = [dense, greatest, sparse(zeros), sparse([0x83, 0x7F, 0xFB]), log.bytes, sparse(many(0xFF, 4_096))]
    for bytes in sound { #expect(HyperLogLog(redis: bytes)?.bytes == bytes) }
  }

  // MARK: Samples

  @Test func `samples come back as they went`() {
    var sketch = Sketch()
    for value in [0, -2.5, 1e-300, 3, 3, 1e300, -.greatestFiniteMagnitude, .greatestFiniteMagnitude] {
      sketch.add(value, weight: 2.5)
    }
    let samples = SharedSamples(sketch)
    var back = Sketch()
    back.merge(samples)
    #expect(SharedSamples(back) == samples)
    // In whatever order the buckets come, and twice.
    var shuffled = samples
    shuffled.buckets.reverse()
    back.merge(shuffled)
    #expect(back.count == 2 * sketch.count && back.buckets.map(\.weight) == sketch.buckets.map { $0.weight * 2 })
    #expect((back.least, back.greatest) == (sketch.least, sketch.greatest))
  }

  @Test func `of samples from elsewhere only what a sketch can hold is taken`() {
    var sound = Sketch()
    sound.add(5, weight: 3)
    let samples = SharedSamples(sound)
    for change in [
      { $0.least = .infinity }, { $0.least = .nan }, { $0.greatest = -.infinity }, { $0.greatest = 4 },
      { $0.buckets = [] },
    ] as [(inout SharedSamples) -> Void] {
      var changed = samples
      change(&changed)
      var sketch = Sketch()
      sketch.merge(changed)
      #expect(sketch.isEmpty && sketch.sum == 0)
    }
    let greatest = SketchBucket.number(of: .greatestFiniteMagnitude)
    var mixed = samples
    mixed.buckets += [
      (1, -1), (2, 0), (3, .infinity), (4, .nan), (greatest + 1, 1), (-greatest - 1, 1), (.max, 1), (.min, 1),
    ]
    var sketch = Sketch()
    sketch.merge(mixed)
    #expect(SharedSamples(sketch) == samples)
    mixed.sum = .nan
    mixed.buckets = [(greatest, 1), (-greatest, 1), (7, 1), (7, 2)]
    sketch = Sketch()
    sketch.merge(mixed)
    #expect(sketch.count == 5 && sketch.sum == 0 && sketch.quantile(0.99) == 5)
  }

  @Test func `an hour is in a set of hours with those alone that history does not tell apart`() {
    var hours = HourSet()
    #expect(hours.isEmpty)
    for first in [472_222, 472_222 + 63] as [Int64] {
      var one = HourSet()
      one.insert(first)
      #expect((first - 170..<first + 80).filter { one.contains($0) } == [first])
      hours.formUnion(one)
      #expect(!hours.isEmpty && hours.contains(first))
    }
    #expect((472_222 - 100..<472_222 + 100).filter { hours.contains($0) } == [472_222, 472_222 + 63])
  }
}
