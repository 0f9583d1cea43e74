import Randomness
import Testing

@testable import Aggregation

@Suite struct SpellingIndexTests {
  /// The numbers that a look-up of `hash` meets.
  private func met(_ index: borrowing SpellingIndex, _ hash: UInt64) -> Set<Int> {
    var numbers: Set<Int> = []
    var place = index.home(of: hash)
    while true {
      let number = index.probe(place, for: hash)
      if number == -2 { return numbers }
      if number >= 0 { numbers.insert(number) }
      place = index.next(after: place)
    }
  }

  @Test(arguments: [1, 2, 3, 4])
  func `an index that grows and shrinks finds what a dictionary finds`(seed: UInt64) throws {
    print("seed \(seed)")
    var random = SplitMix(seed: seed)
    var index = try SpellingIndex()
    var model: [Int: UInt64] = [:]
    // Few homes and few tags: runs are long, wrap around the end, and hold equal tags.
    let homes: [UInt64] = [0, 1, 2, 5, 0x3FC, 0x3FE, 0x3FF, 0x200]
    for step in 0..<30_000 {
      let grows = step % 10_000 < 6_000
      if random.below(100) < (grows ? 70 : 30), model.count < 4_000 {
        let number = random.below(1_000_000)
        if model[number] != nil { continue }
        // Half of the keys crowd few homes, while the index is small.
        let crowded = model.count < 300 && random.below(2) == 0
        let hash =
          crowded
          ? (random.pick(homes) << 54 | UInt64(random.below(3)) << 32 | random.next() >> 32) : random.next()
        index.insert(number, hash: hash)
        model[number] = hash
      } else if let (number, hash) = model.first(where: { _ in true }) {
        index.remove(number, hash: hash)
        model[number] = nil
      }
      if step % 100 == 0 {
        for (number, hash) in model { #expect(met(index, hash).contains(number)) }
      }
      #expect(index.count == model.count)
    }
    for (number, hash) in model {
      index.remove(number, hash: hash)
      #expect(!met(index, hash).contains(number))
    }
    #expect(index.count == 0)
    // Nothing is left behind, also no slot that would only lengthen look-ups.
    for home in 0..<UInt64(index.byteCount / 8) { #expect(index.probe(Int(home), for: 0) == -2) }
  }

  @Test func `a hundred keys with one tag are all met by a look-up`() throws {
    var index = try SpellingIndex()
    let hash: UInt64 = 0xFFFF_FFFF_0000_0000
    for number in 0..<100 { index.insert(number, hash: hash | UInt64(number)) }
    #expect(met(index, hash) == Set(0..<100))
    for number in stride(from: 0, to: 100, by: 2) { index.remove(number, hash: hash) }
    #expect(met(index, hash) == Set(stride(from: 1, to: 100, by: 2)))
  }
}
