import Randomness
import Testing

@testable import Aggregation

@Suite struct TimerBlockTests {
  private func buckets(_ block: TimerBlock) -> [Int32: Double] {
    var found: [Int32: Double] = [:]
    block.forEachBucket { number, weight in
      #expect(found.updateValue(weight, forKey: number) == nil, "a bucket stands in two slots")
    }
    return found
  }

  @Test func `a block that grows and is cleared holds what a dictionary holds`() {
    let bounds: [Double] = [1, 5, 10, 100]
    var random = SplitMix(seed: 3)
    var block = TimerBlock.make(bounds: TimerBounds(bounds))
    for round in 1...5 {
      var model: [Int32: Double] = [:]
      var places = [Double](repeating: 0, count: bounds.count + 1)
      var (count, sum, least, greatest) = (0.0, 0.0, Double.infinity, -Double.infinity)
      for _ in 0..<round * 400 {
        let value = random.below(10) == 0 ? random.pick(bounds) : random.unit() * 200 - 20
        let weight = random.pick([1.0, 2, 0.5, 10])
        block = block.add(value, weight: weight)
        model[SketchBucket.number(of: value), default: 0] += weight
        places[bounds.firstIndex { value <= $0 } ?? bounds.count] += weight
        count += weight
        sum += value * weight
        (least, greatest) = (min(least, value), max(greatest, value))
      }
      #expect(buckets(block) == model)
      #expect(block.bucketsInUse == model.count && block.bucketsInUse * 4 <= block.slotCount * 3)
      #expect(block.count == count && block.sum == sum && block.least == least && block.greatest == greatest)
      var found = [Double](repeating: -1, count: bounds.count + 1)
      block.forEachBound { found[$0] = $1 }
      #expect(found == places)
      let slots = block.slotCount
      block.clear()
      #expect(block.count == 0 && block.sum == 0 && block.bucketsInUse == 0 && buckets(block).isEmpty)
      #expect(block.slotCount == slots && block.least == .infinity && block.greatest == -.infinity)
      block.forEachBound { #expect($1 == 0) }
    }
    unsafe block.address.deallocate()
  }

  @Test func `a block's size is bounded whatever is sent`() {
    var random = SplitMix(seed: 4)
    var block = TimerBlock.make(bounds: TimerBounds([]))
    for _ in 0..<300_000 {
      let value = Double(bitPattern: random.next())
      if value.isFinite { block = block.add(value, weight: 1) }
    }
    #expect(block.slotCount <= 16_384)
    #expect(block.bucketsInUse <= 3_072 + 2 * 2_046 + 3)
    #expect(block.count == buckets(block).values.reduce(0, +))
    unsafe block.address.deallocate()
  }

  @Test func `sums stay finite numbers whatever the weights and values`() {
    var block = TimerBlock.make(bounds: TimerBounds([0]))
    let largest = Double.greatestFiniteMagnitude
    for value in [largest, -largest, 0, largest, largest, -largest] {
      block = block.add(value, weight: 1)
      block = block.add(value, weight: largest)
    }
    #expect(block.sum.isFinite && block.count.isFinite)
    var sketch = Sketch()
    var scratch: [Sketch.Bucket] = []
    for _ in 0..<3 { sketch.merge(block, scratch: &scratch) }
    #expect(sketch.sum.isFinite && sketch.count.isFinite)
    #expect(sketch.quantile(0.5)?.isFinite == true)
    unsafe block.address.deallocate()
  }
}
