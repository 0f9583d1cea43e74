import Randomness
import Testing

@testable import Aggregation

@Suite struct BucketRunTests {
  private typealias Bucket = BucketRun.Bucket

  private func buckets(_ run: [UInt8]) -> [Bucket] {
    // Safe: the array lends its own bytes.
    unsafe run.withUnsafeBytes { unsafe BucketRun.buckets(of: $0) }
  }

  private func merge(_ left: [UInt8], _ right: [UInt8]) -> [UInt8] {
    var room = [UInt8](repeating: 0xA5, count: left.count + right.count)
    // Safe: the arrays lend their own bytes, and the room is as large as both.
    let count = unsafe room.withUnsafeMutableBytes { room in
      unsafe left.withUnsafeBytes { left in
        unsafe right.withUnsafeBytes { right in
          room.isEmpty ? 0 : unsafe BucketRun.merge(left, right, into: room.baseAddress!)
        }
      }
    }
    return Array(room[..<count])
  }

  private func draw(_ count: Int, _ random: inout SplitMix) -> [Bucket] {
    var weights: [Int32: Double] = [:]
    let spread = random.pick([3, 100, 5_000, 131_072])
    for _ in 0..<count {
      let number = Int32(random.below(2 * spread + 1) - spread)
      weights[number] = random.pick([1, 1, 1, 2, 127, 128, 0x1p53 - 1, 0x1p53, 0.5, 1 / 0.3, 1e300])
    }
    return weights.sorted { $0.key < $1.key }.map { Bucket(number: $0.key, weight: $0.value) }
  }

  @Test func `a run says what it was made of, and the usual bucket takes a byte`() {
    var random = SplitMix(seed: 21)
    for _ in 0..<500 {
      let wanted = draw(random.below(200), &random)
      #expect(buckets(BucketRun.run(of: wanted)) == wanted)
    }
    let edges = [-131_072, -131_071, -1, 0, 1, 31, 64, 131_072].map { Bucket(number: $0, weight: 1) }
    #expect(buckets(BucketRun.run(of: edges)) == edges)
    #expect(BucketRun.run(of: (0..<100).map { Bucket(number: 66_000 + 30 * $0, weight: 1) }).count == 102)
  }

  @Test func `a merge adds up the weights of what both runs have, in no more bytes`() {
    var random = SplitMix(seed: 22)
    for _ in 0..<2_000 {
      let (left, right) = (draw(random.below(60), &random), draw(random.below(60), &random))
      var model = [Int32: Double](uniqueKeysWithValues: left.map { ($0.number, $0.weight) })
      for bucket in right { model[bucket.number, default: 0] += bucket.weight }
      let (leftRun, rightRun) = (BucketRun.run(of: left), BucketRun.run(of: right))
      let merged = merge(leftRun, rightRun)
      #expect(merged.count <= leftRun.count + rightRun.count)
      #expect(buckets(merged) == model.sorted { $0.key < $1.key }.map { Bucket(number: $0.key, weight: $0.value) })
      #expect(merged == merge(rightRun, leftRun))
    }
  }

  @Test func `whole weights make the same run in whatever parts they come`() throws {
    var random = SplitMix(seed: 23)
    let samples = (0..<5_000).map { _ in (random.unit() * 500 - 3, random.pick([1.0, 10, 1_000_000])) }
    var runs: [[UInt8]] = []
    for parts in [1, 2, 7, 300] {
      var scratch = try SketchScratch()
      var state = TimerState()
      var blocks = (0..<parts).map { _ in TimerBlock.make(bounds: TimerBounds([])) }
      for sample in samples.shuffled(using: &random) {
        let part = random.below(parts)
        blocks[part] = blocks[part].add(sample.0, weight: sample.1, &scratch)
      }
      for block in blocks {
        state.merge(block, second: 9, window: 60, scratch: &scratch)
        unsafe block.address.deallocate()
      }
      runs.append(state.recentSketch(second: 9, window: 60).run)
    }
    #expect(Set(runs).count == 1)
  }

  @Test func `beyond the limit new buckets stand for powers of two, and what was there stays`() {
    let first = (0..<3_072).map { Bucket(number: 60_000 + $0 * 2, weight: 1) }
    let second = (0..<3_072).map { Bucket(number: 60_001 + $0 * 2, weight: 2) }
    let merged = buckets(merge(BucketRun.run(of: first), BucketRun.run(of: second)))
    #expect(merged.count <= 3_072 + 97 && zip(merged, merged.dropFirst()).allSatisfy { $0.number < $1.number })
    #expect(merged.reduce(0) { $0 + $1.weight } == 3 * 3_072)
    let kept = Set(merged.map(\.number))
    #expect(first.allSatisfy { kept.contains($0.number) })
  }
}
