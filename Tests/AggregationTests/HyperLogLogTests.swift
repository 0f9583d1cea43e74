import Randomness
import Testing

@testable import Aggregation

@Suite struct HyperLogLogTests {
  private static func member(_ number: Int) -> [UInt8] { Array("member:\(number)".utf8) }

  /// What a worker and the reader make of many members: blocks, merged.
  private func log(of members: some Sequence<[UInt8]>, blockSize: Int = 5_000) throws -> HyperLogLog {
    var log = HyperLogLog()
    var sketchScratch = try SketchScratch()
    var scratch: [HyperLogLog.Raise] = []
    var block = SetBlock.make()
    var inBlock = 0
    for member in members {
      let place = unsafe member.withUnsafeBytes { unsafe HyperLogLog.place(of: $0) }
      block = block.raise(place.register, to: place.rank, &sketchScratch)
      inBlock += 1
      if inBlock == blockSize {
        log.merge(block, scratch: &scratch)
        block.clear()
        inBlock = 0
      }
    }
    log.merge(block, scratch: &scratch)
    unsafe block.address.deallocate()
    return log
  }

  private func ranks(_ log: HyperLogLog) -> [Int: UInt8] {
    var found: [Int: UInt8] = [:]
    log.forEachRank { found[$0] = $1 }
    return found
  }

  /// Runs of the sparse form, checked byte by byte against Redis's table of opcodes.
  private func expectWellFormed(_ log: HyperLogLog) {
    #expect(log.bytes.prefix(4).elementsEqual("HYLL".utf8))
    #expect(log.bytes[5..<15].allSatisfy { $0 == 0 } && log.bytes[15] == 0x80)
    if log.bytes[4] == 0 {
      #expect(log.bytes.count == 16 + 12_288)
      return
    }
    #expect(log.bytes[4] == 1 && log.bytes.count <= 3_000)
    var registers = 0
    var at = 16
    while at < log.bytes.count {
      let code = Int(log.bytes[at])
      switch code >> 6 {
      case 0: registers += code & 0x3F + 1
      case 1:
        at += 1
        registers += (code & 0x3F) << 8 | Int(log.bytes[at])
        registers += 1
      default: registers += code & 3 + 1
      }
      at += 1
    }
    #expect(registers == 16_384)
  }

  /// MurmurHash64A by an implementation of its own in Python with unbounded integers.
  @Test(
    arguments: [
      ("", 0xD8DF_EA65_85BC_9732, 0), ("a", 0x53D2_470A_9B43_B1A7, 0x0717_17D2_D36B_6B11),
      ("abcdefg", 0x22FE_613B_B08C_9602, 0x241A_A52B_0A62_005D),
      ("abcdefgh", 0xF3A6_5DF5_5991_4567, 0xAFDB_0257_FF41_AA98),
      ("abcdefghi", 0x834F_BA4D_9152_DAF7, 0xC9B9_D843_5614_6AC2),
      ("user:12345678901", 0xC162_7B8C_F66F_2FDD, 0x7540_7BC6_8397_EF65),
      ("café", 0x49B3_3907_F1EB_7E14, 0x5F7A_16B9_0108_5D2A),
    ] as [(String, UInt64, UInt64)])
  func `members are hashed as MurmurHash64A hashes them`(text: String, redisSeed: UInt64, zeroSeed: UInt64) {
    let bytes = Array(text.utf8)
    #expect(unsafe bytes.withUnsafeBytes { unsafe MurmurHash64A.hash($0, seed: 0xADC8_3B19) } == redisSeed)
    #expect(unsafe bytes.withUnsafeBytes { unsafe MurmurHash64A.hash($0, seed: 0) } == zeroSeed)
  }

  /// `PFADD k member:0 … member:<n-1>` and `GET k`, Redis 7.0.15.
  @Test(arguments: [
    (0, "48594c4c0100000000000000000000807fff"), (1, "48594c4c010000000000000000000080782d8047d0"),
    (3, "48594c4c010000000000000000000080449c844fcf9063be8047d0"),
    (
      10,
      "48594c4c010000000000000000000080429e8041fc8440f1844bfb8842df90419e84493890482a804406884cb08047d0"
    ),
  ])
  func `few members are the bytes that Redis keeps`(count: Int, hexadecimal: String) throws {
    let bytes = try log(of: (0..<count).map(Self.member)).bytes
    #expect(bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined() == hexadecimal)
  }

  /// `PFCOUNT` of `member:0 … member:<n-1>`, and FNV-1a (64 bits) of the value behind its header, where the form is dense: Redis 7.0.15.
  @Test(
    arguments: [
      (0, 0, nil), (1, 1, nil), (3, 3, nil), (10, 10, nil), (500, 503, nil), (1_000, 1_002, nil), (1_500, 1_503, nil),
      (3_000, 2_982, 0xA8C7_5EF5_1B90_AE7E), (10_000, 9_995, 0x4495_B18A_F66C_2EB1),
      (100_000, 100_445, 0x317F_47B3_59F1_7192), (1_000_000, 988_443, 0x6C6C_FE2C_3421_5ACE),
    ] as [(Int, UInt64, UInt64?)])
  func `the count is the one that Redis gives`(count: Int, cardinality: UInt64, registers: UInt64?) throws {
    let log = try log(of: (0..<count).lazy.map(Self.member))
    expectWellFormed(log)
    #expect(log.cardinality == cardinality)
    #expect(log.isDense == (registers != nil))
    if let registers {
      let hash = log.bytes.dropFirst(16).reduce(0xCBF2_9CE4_8422_2325 as UInt64) {
        ($0 ^ UInt64($1)) &* 0x100_0000_01B3
      }
      #expect(hash == registers)
    }
  }

  @Test(arguments: [1, 2, 3] as [UInt64])
  func `the estimate is within three per cent from one member to a million`(seed: UInt64) throws {
    print("seed \(seed)")
    var random = SplitMix(seed: seed)
    var log = HyperLogLog()
    var sketchScratch = try SketchScratch()
    var block = SetBlock.make()
    var scratch: [HyperLogLog.Raise] = []
    var worst = 0.0
    var next = 1
    for count in 1...1_000_000 {
      let word = random.next()
      let place = unsafe withUnsafeBytes(of: word) { unsafe HyperLogLog.place(of: $0) }
      block = block.raise(place.register, to: place.rank, &sketchScratch)
      guard count == next else { continue }
      next = max(next + 1, next * 11 / 10)
      log.merge(block, scratch: &scratch)
      block.clear()
      let error = (Double(log.cardinality) - Double(count)) / Double(count)
      worst = max(worst, error.magnitude)
    }
    unsafe block.address.deallocate()
    print("largest error \(worst * 100) %")
    #expect(worst <= 0.03)
  }

  @Test func `the sparse and the dense form of the same members are the same registers`() throws {
    for count in [1, 2, 50, 400, 1_200] {
      let sparse = try log(of: (0..<count).map(Self.member))
      var dense = sparse
      // A rank beyond 32 does not fit the sparse form.
      dense.raise([.init(register: 5, rank: 33)])
      #expect(!sparse.isDense && dense.isDense)
      var expected = ranks(sparse)
      expected[5] = 33
      #expect(ranks(dense) == expected)
      expectWellFormed(sparse)
      expectWellFormed(dense)
    }
  }

  @Test func `one by one, in blocks and in other order, members make the same registers`() throws {
    var random = SplitMix(seed: 5)
    var one = HyperLogLog()
    var members = (0..<2_500).map(Self.member)
    for member in members { one.add(member) }
    #expect(one.isDense)
    members.shuffle(using: &random)
    members += members.prefix(500)
    for blockSize in [1, 7, 300, 10_000] {
      let other = try log(of: members, blockSize: blockSize)
      #expect(ranks(other) == ranks(one))
      expectWellFormed(other)
    }
  }

  @Test func `every step of a growing set is well formed and loses no register`() {
    var random = SplitMix(seed: 6)
    var log = HyperLogLog()
    var model: [Int: UInt8] = [:]
    for _ in 0..<3_000 {
      // Neighbours often, so that runs are split and joined, and both ends.
      let register = random.below(3) == 0 ? random.pick([0, 1, 2, 16_382, 16_383]) : random.below(2_000)
      let rank = UInt8(1 + random.below(random.below(20) == 0 ? 32 : 3))
      log.raise([.init(register: register, rank: rank)])
      model[register] = max(model[register] ?? 0, rank)
      expectWellFormed(log)
      #expect(ranks(log) == model)
    }
  }

  @Test func `the union of several sets is that of their members`() throws {
    var union = HyperLogLog.Ranks()
    try union.merge(log(of: (0..<800).map(Self.member)))
    try union.merge(log(of: (400..<9_000).map(Self.member)))
    union.merge(HyperLogLog())
    #expect(try union.cardinality == log(of: (0..<9_000).map(Self.member)).cardinality)
  }

  @Test func `members made up to raise every register do not end the program`() {
    // Anybody can compute members with any hash, since the seed is known.
    for rank in [50, 51] as [UInt8] {
      var log = HyperLogLog()
      log.raise((0..<HyperLogLog.registers).map { .init(register: $0, rank: rank) })
      #expect(log.cardinality > 1 << 60)
      log.raise([.init(register: 0, rank: 51)])
      #expect(log.cardinality > 1 << 60)
    }
  }

  /// What a reader takes of a block: sorted by register, each once.
  private func registers(_ block: SetBlock) -> [Int: UInt8] {
    var raises: [HyperLogLog.Raise] = []
    block.take(into: &raises)
    #expect(zip(raises, raises.dropFirst()).allSatisfy { $0.register < $1.register })
    return [Int: UInt8](uniqueKeysWithValues: raises.map { ($0.register, $0.rank) })
  }

  @Test(arguments: [1, 20, 1_000, 3_000, 16_384])
  func `a block holds the highest rank of every register, from a short list to all registers`(distinct: Int) throws {
    var random = SplitMix(seed: 11)
    var scratch = try SketchScratch()
    var block = SetBlock.make()
    var model: [Int: UInt8] = [:]
    for step in 1...12_000 {
      let (register, rank) = (16_383 - random.below(distinct), UInt8(1 + random.below(51)))
      block = block.raise(register, to: rank, &scratch)
      model[register] = max(model[register] ?? 0, rank)
      if step % 1_000 == 0 || step < 40 { #expect(registers(block) == model) }
    }
    // What is repeated takes no room for long.
    #expect(block.byteCount <= max(56, min(16_392, 16 * distinct + 100)))
    block.clear()
    #expect(registers(block).isEmpty)
    unsafe block.address.deallocate()
  }

  @Test func `a list for few members is small, and a large one is given back when few come`() throws {
    var scratch = try SketchScratch()
    var block = SetBlock.make()
    #expect(block.byteCount == 56)
    for register in 0..<100 { block = block.raise(register, to: 1, &scratch) }
    #expect(block.byteCount == 504 && !block.isOversized(for: 1))
    for register in 0..<5_000 { block = block.raise(register, to: 1, &scratch) }
    #expect(block.byteCount == 8 + HyperLogLog.registers)
    #expect(block.isOversized(for: 500) && !block.isOversized(for: 600))
    unsafe block.address.deallocate()
  }
}
