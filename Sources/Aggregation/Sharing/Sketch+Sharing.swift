/// A timer's samples as agents tell each other of them.
extension SharedSamples {
  /// All of a sketch.
  package init(_ sketch: Sketch) {
    self.init()
    count = sketch.count
    sum = sketch.sum
    least = sketch.least
    greatest = sketch.greatest
    buckets = sketch.buckets.map { ($0.number, $0.weight) }
  }
}

extension Sketch {
  /// Adds samples that another agent told of; what cannot be a sketch's is left out.
  /// - Complexity: O(buckets of both), O(n log n) in those that come.
  package mutating func merge(_ samples: SharedSamples) {
    if !(samples.least <= samples.greatest && samples.least.isFinite && samples.greatest.isFinite) { return }
    var buckets: [BucketRun.Bucket] = []
    for (number, weight) in samples.buckets
    where number.magnitude <= SketchBucket.highestNumber.magnitude && weight > 0 && weight.isFinite {
      buckets.append(.init(number: number, weight: weight))
    }
    BucketRun.sort(&buckets)
    let run = BucketRun.run(of: buckets)
    let sum = samples.sum.isFinite ? samples.sum : 0
    if run.isEmpty { return }
    // Safe: the array lends its own bytes.
    unsafe run.withUnsafeBytes {
      unsafe merge(run: $0, sum: sum, least: samples.least, greatest: samples.greatest)
    }
  }
}
