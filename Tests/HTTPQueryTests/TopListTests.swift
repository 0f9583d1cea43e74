import Randomness
import Testing

@testable import HTTPQuery

@Suite struct `a list of the greatest` {
  @Test(arguments: [0, 1, 3, 10, 100])
  func `holds what sorting would put first, of equals the earlier`(_ limit: Int) {
    var random = SplitMix(seed: 5)
    for count in [0, 1, 2, 9, 50, 500] {
      let ranks = (0..<count).map { _ in Double(random.below(20)) }
      var list = TopList<Int>(limit: limit)
      for (place, rank) in ranks.enumerated() { list.offer(place, rank: rank) }
      let sorted = ranks.indices.sorted { ranks[$0] == ranks[$1] ? $0 < $1 : ranks[$0] > ranks[$1] }
      #expect(list.elements == Array(sorted.prefix(limit)))
    }
  }
}
