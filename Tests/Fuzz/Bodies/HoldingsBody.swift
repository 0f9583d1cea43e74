import Protocol

@testable import Aggregation
@testable import Storage

/// Whatever Redis holds under a key of ours, agents can add it up: places there are, sums and quantiles that are numbers.
///
/// An input is the reply to a read.
func checkHoldings(_ bytes: [UInt8]) throws(Broken) {
  var limits = RESPLimits()
  limits.elements = 5_000
  guard let reply = try replies([bytes[...]], limits).values.first else { return }
  let parts: [SharedKey.Part] = [.total, .hours(day: 1), .minutes(hour: 1), .members(hour: 1), .samples(hour: 1)]
  for part in parts {
    switch SharedHolding(reply, of: part, agent: Array("a".utf8)) {
    case .total(let others, let own, let base, let agents, _):
      let sum = others + ((own ?? .zero) - base)
      try hold(sum.value.isFinite && agents >= 0, "\(sum) of \(agents)")
    case .counts(let counts):
      for (place, count) in counts {
        try hold(part.places.contains(place) && count.value.isFinite, "\(count) at place \(place)")
      }
    case .members(let members):
      var ranks = HyperLogLog.Ranks()
      let isRead = ranks.merge(redis: members)
      try hold(isRead || ranks.cardinality == 0, "what is no HyperLogLog has members")
    case .samples(let samples): try checkSamples(samples)
    case nil: break
    }
  }
}

/// They join a sketch that has none, and one that has some.
private func checkSamples(_ samples: SharedSamples) throws(Broken) {
  for values in [[], [1, -2.5, 1e9]] {
    var sketch = Sketch()
    for value in values { sketch.add(value) }
    let before = sketch.count
    sketch.merge(samples)
    try hold(
      sketch.count >= before && sketch.count.isFinite && sketch.sum.isFinite, "count \(sketch.count), sum \(sketch.sum)"
    )
    for share in [0, 0.01, 0.5, 0.99, 1] {
      guard let quantile = sketch.quantile(share) else {
        try hold(sketch.isEmpty, "no quantile of \(sketch.count) samples")
        continue
      }
      try hold(
        sketch.least...sketch.greatest ~= quantile, "\(quantile) is not within \(sketch.least)...\(sketch.greatest)")
    }
    let told = SharedSamples(sketch)
    var other = Sketch()
    other.merge(told)
    try hold(
      sketch.isEmpty || SharedSamples(other).buckets.elementsEqual(told.buckets, by: ==), "what was told is another")
  }
}

extension SharedKey.Part {
  fileprivate var places: Range<Int> {
    switch self {
    case .hours: 0..<24
    case .minutes: 0..<60
    case .total, .members, .samples: 0..<0
    }
  }
}
