import Randomness
import Testing

@testable import Aggregation

@Suite struct TimerBlockTests {
  /// All that a block holds, as the reader takes it.
  private func buckets(_ block: TimerBlock, _ scratch: inout SketchScratch) -> [Int32: Double] {
    // Safe: each run is copied before the scratch is used again.
    let sorted = unsafe BucketRun.buckets(of: scratch.sort(block.list, unit: block.unit))
    let all = unsafe sorted + BucketRun.buckets(of: block.run)
    return [Int32: Double](all.map { ($0.number, $0.weight) }, uniquingKeysWith: +)
  }

  /// A value and a weight of one sort, by the sort's number.
  private func draw(_ sort: Int, _ random: inout SplitMix) -> (value: Double, weight: Double) {
    switch sort {
    case 0: (random.unit() * 200, 1)
    case 1: (random.unit() * 200, 10)
    // A float holds no third, so that each is a sample without a code.
    case 2: (Double(random.below(40)), 1 / 0.3)
    case 3: (random.unit() * 200 - 20, random.pick([1.0, 2, 0.5, 10]))
    case 4: (random.pick([0, -0.0, 1e-300, 1e300, -5, 0x1p-511, 0x1p512, 0x1.FFp511, 0x1p-512]), 1)
    default: (Double(random.below(3)), 1)
    }
  }

  @Test func `a block that grows, is sorted and is cleared holds what a dictionary holds`() throws {
    let bounds: [Double] = [1, 5, 10, 100]
    var random = SplitMix(seed: 3)
    var scratch = try SketchScratch()
    var block = TimerBlock.make(bounds: TimerBounds(bounds))
    for round in 1...60 {
      var model: [Int32: Double] = [:]
      var places = [Double](repeating: 0, count: bounds.count + 1)
      var (count, sum, least, greatest) = (0.0, 0.0, Double.infinity, -Double.infinity)
      // Every length of list, and several of them.
      for _ in 0..<random.below(round % 10 == 0 ? 4_000 : round * 8) {
        let (value, weight) = draw(random.below(8) == 0 ? random.below(6) : round % 6, &random)
        block = block.add(value, weight: weight, &scratch)
        model[SketchBucket.number(of: value), default: 0] += weight
        places[bounds.firstIndex { value <= $0 } ?? bounds.count] += weight
        count += weight
        sum += value * weight
        (least, greatest) = (min(least, value), max(greatest, value))
      }
      let found = buckets(block, &scratch)
      #expect(Set(found.keys) == Set(model.keys))
      for (number, weight) in model { #expect(((found[number] ?? 0) - weight).magnitude <= 1e-12 * weight) }
      #expect(block.count == count && block.sum == sum && block.least == least && block.greatest == greatest)
      var weights = [Double](repeating: -1, count: bounds.count + 1)
      block.forEachBound { weights[$0] = $1 }
      #expect(weights == places)
      let bytes = block.byteCount
      block.clear()
      #expect(block.count == 0 && block.sum == 0 && buckets(block, &scratch).isEmpty)
      #expect(block.byteCount == bytes && block.least == .infinity && block.greatest == -.infinity)
      block.forEachBound { #expect($1 == 0) }
    }
    unsafe block.address.deallocate()
  }

  @Test func `a hundred samples of one rate take less than 300 bytes`() throws {
    var scratch = try SketchScratch()
    for weight in [1.0, 10] {
      var block = TimerBlock.make(bounds: TimerBounds([]))
      #expect(block.byteCount == 56)
      for value in 1...100 { block = block.add(Double(value) * 1.7, weight: weight, &scratch) }
      #expect(block.byteCount == 248 && !block.isOversized)
      unsafe block.address.deallocate()
    }
  }

  @Test func `a block's size is bounded whatever is sent`() throws {
    var random = SplitMix(seed: 4)
    var scratch = try SketchScratch()
    var block = TimerBlock.make(bounds: TimerBounds([]))
    for _ in 0..<300_000 {
      let value = Double(bitPattern: random.next())
      if value.isFinite { block = block.add(value, weight: 1, &scratch) }
    }
    #expect(block.byteCount <= 64 * 1_024)
    let found = buckets(block, &scratch)
    #expect(found.count <= 3_072 + 2 * 2_046 + 3 + 492)
    #expect(block.count == found.values.reduce(0, +))
    block.clear()
    block = block.add(1, weight: 1, &scratch)
    #expect(block.isOversized)
    unsafe block.address.deallocate()
  }

  @Test func `sums stay finite numbers whatever the weights and values`() throws {
    var scratch = try SketchScratch()
    var block = TimerBlock.make(bounds: TimerBounds([0]))
    let largest = Double.greatestFiniteMagnitude
    for value in [largest, -largest, 0, largest, largest, -largest] {
      block = block.add(value, weight: 1, &scratch)
      block = block.add(value, weight: largest, &scratch)
      block = block.add(value, weight: Double(Float.greatestFiniteMagnitude), &scratch)
    }
    #expect(block.sum.isFinite && block.count.isFinite)
    var state = TimerState()
    for _ in 0..<3 { state.merge(block, second: 0, window: 60, scratch: &scratch) }
    let sketch = state.recentSketch(second: 0, window: 60)
    #expect(sketch.sum.isFinite && sketch.count.isFinite && state.sum.isFinite && state.count.isFinite)
    #expect(sketch.quantile(0.5)?.isFinite == true)
    unsafe block.address.deallocate()
  }
}
