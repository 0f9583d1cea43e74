import Foundation
import Randomness
import Testing

@testable import Aggregation

@Suite struct SketchTests {
  /// A distribution by name: how a test's failure shows it.
  struct Distribution: CustomTestStringConvertible, Sendable {
    let testDescription: String
    let draw: @Sendable (inout SplitMix) -> Double

    init(_ name: String, _ draw: @escaping @Sendable (inout SplitMix) -> Double) {
      testDescription = name
      self.draw = draw
    }

    static func normal(_ random: inout SplitMix) -> Double {
      (-2 * log(1 - random.unit())).squareRoot() * cos(2 * .pi * random.unit())
    }

    static let all = [
      Distribution("uniform") { $0.unit() * 1_000 },
      Distribution("lognormal") { exp(normal(&$0) * 2 + 3) },
      Distribution("exponential") { -50 * log(1 - $0.unit()) },
      Distribution("constant") { _ in 0.1 },
      Distribution("negative") { -exp(normal(&$0)) },
      Distribution("both signs") { normal(&$0) * 100 },
      Distribution("whole milliseconds") { Double(Int(-20 * log(1 - $0.unit()))) },
      // Fewer than 48 powers of two, far out.
      Distribution("tiny") { 1e-300 * pow(10, $0.unit() * 10) },
      Distribution("huge") { 1e290 * pow(10, $0.unit() * 10) },
    ]
  }

  private static let shares = [0.001, 0.01, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.999]

  /// Largest relative error of the quantiles against those of the sorted values.
  private func error(_ sketch: Sketch, _ values: [Double]) -> Double {
    let sorted = values.sorted()
    var worst = 0.0
    for share in Self.shares {
      let exact = sorted[max(0, Int((share * Double(sorted.count)).rounded(.up)) - 1)]
      let found = sketch.quantile(share) ?? .nan
      worst = max(worst, exact == 0 ? found.magnitude : ((found - exact) / exact).magnitude)
    }
    return worst
  }

  @Test(arguments: Distribution.all)
  func `every quantile is within one per cent of a value that was sent`(distribution: Distribution) {
    var random = SplitMix(seed: 7)
    let values = (0..<20_000).map { _ in distribution.draw(&random) }
    var sketch = Sketch()
    for value in values { sketch.add(value) }
    let worst = error(sketch, values)
    print("\(distribution.testDescription): \(worst * 100) % at most")
    #expect(worst <= 0.0079)
    #expect(sketch.count == 20_000)
    #expect(sketch.least == values.min() && sketch.greatest == values.max())
    #expect(sketch.quantile(0) == sketch.least && sketch.quantile(1) == sketch.greatest)
    let sum = values.reduce(0, +)
    #expect((sketch.sum - sum).magnitude <= 1e-9 * values.reduce(0) { $0 + $1.magnitude })
  }

  @Test(arguments: Distribution.all)
  func `a merge of sketches and of blocks equals one sketch of all values`(distribution: Distribution) throws {
    var random = SplitMix(seed: 8)
    var whole = Sketch()
    var merged = Sketch()
    var ofBlocks = TimerState()
    var scratch = try SketchScratch()
    for part in 1...6 {
      var sketch = Sketch()
      var block = TimerBlock.make(bounds: TimerBounds([]))
      for _ in 0..<part * part * 100 {
        let value = distribution.draw(&random)
        whole.add(value)
        sketch.add(value)
        block = block.add(value, weight: 1, &scratch)
      }
      merged.merge(sketch)
      ofBlocks.merge(block, second: 0, window: 60, scratch: &scratch)
      unsafe block.address.deallocate()
    }
    merged.merge(Sketch())
    for other in [merged, ofBlocks.recentSketch(second: 0, window: 60)] {
      #expect(other.count == whole.count && other.least == whole.least && other.greatest == whole.greatest)
      #expect(other.run == whole.run)
      #expect((other.sum - whole.sum).magnitude <= 1e-12 * (whole.sum.magnitude + whole.count))
      for share in Self.shares { #expect(other.quantile(share) == whole.quantile(share)) }
    }
    #expect(zip(whole.buckets, whole.buckets.dropFirst()).allSatisfy { $0.number < $1.number })
  }

  @Test func `a sample of rate a millionth weighs a million at the cost of one`() {
    var sketch = Sketch()
    sketch.add(10, weight: 1_000_000)
    for _ in 0..<1_000 { sketch.add(20) }
    #expect(sketch.count == 1_001_000)
    #expect(sketch.sum == 10_020_000)
    #expect(sketch.buckets.count == 2)
    for share in [0.1, 0.5, 0.99] { #expect(((sketch.quantile(share) ?? 0) - 10).magnitude <= 0.1) }
    #expect(((sketch.quantile(0.9995) ?? 0) - 20).magnitude <= 0.2)
  }

  @Test func `memory is bounded whatever is sent, and what came first keeps its precision`() {
    var random = SplitMix(seed: 9)
    var sketch = Sketch()
    var first: [Double] = []
    for _ in 0..<2_000 {
      first.append(100 * random.unit() + 1)
      sketch.add(first.last!)
    }
    #expect(error(sketch, first) <= 0.0079)
    for _ in 0..<100 {
      var more = Sketch()
      for _ in 0..<200 {
        // Every exponent of either sign.
        let value = Double(bitPattern: random.next())
        if value.isFinite { more.add(value / 1e16) }
      }
      sketch.merge(more)
    }
    // 48 full powers of two, and one bucket for each power of either sign.
    #expect(sketch.buckets.count <= 3_072 + 2 * 2_046 + 3)
    #expect(sketch.byteCount <= 128 * 1_024)
    var all = Sketch()
    for _ in 0..<7 { all.merge(sketch) }
    #expect(all.buckets.count <= 3_072 + 2 * 2_046 + 3)
    #expect(zip(all.buckets, all.buckets.dropFirst()).allSatisfy { $0.number < $1.number })
  }

  @Test func `a sketch without values has no quantile`() {
    let sketch = Sketch()
    #expect(sketch.quantile(0.5) == nil && sketch.isEmpty && sketch.least == .infinity)
  }

  @Test func `buckets are in the order of their values, and hold them`() {
    var random = SplitMix(seed: 10)
    for _ in 0..<100_000 {
      let (one, other) = (Double(bitPattern: random.next()), Double(bitPattern: random.next()))
      guard one.isFinite && other.isFinite else { continue }
      let (left, right) = (SketchBucket.number(of: one), SketchBucket.number(of: other))
      #expect(one == other || (one < other) == (left < right) || left == right)
      let middle = SketchBucket.value(of: left)
      #expect(SketchBucket.number(of: middle) == left)
      #expect(one.magnitude < .leastNormalMagnitude || ((middle - one) / one).magnitude <= 1 / 128)
    }
    #expect(SketchBucket.number(of: 0) == 0 && SketchBucket.number(of: -0.0) == 0 && SketchBucket.value(of: 0) == 0)
    #expect(SketchBucket.value(of: SketchBucket.number(of: .greatestFiniteMagnitude)).isFinite)
  }
}
