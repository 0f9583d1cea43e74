/// The greatest of many, kept while they pass by; of equals the earlier ones.
///
/// A binary heap with the least of the kept on top (Williams, "Heapsort", CACM 7, 1964).
/// - Complexity: `offer` O(1) for most of a long row, O(log limit) at worst; memory O(limit).
struct TopList<Element> {
  private struct Entry {
    var rank: Double
    var turn: Int
    var element: Element

    /// Whether this one gives way to `other`.
    func isBelow(_ other: Entry) -> Bool { rank < other.rank || rank == other.rank && turn > other.turn }
  }

  private let limit: Int
  private var heap: [Entry] = []
  private var turn = 0

  init(limit: Int) { self.limit = limit }

  mutating func offer(_ element: Element, rank: Double) {
    turn += 1
    let entry = Entry(rank: rank, turn: turn, element: element)
    if heap.count < limit {
      heap.append(entry)
      rise()
    } else if let least = heap.first, least.isBelow(entry) {
      heap[0] = entry
      sink()
    }
  }

  /// The greatest first.
  var elements: [Element] { ranked.map(\.element) }

  /// The same with what they were offered for.
  var ranked: [(element: Element, rank: Double)] {
    heap.sorted { $1.isBelow($0) }.map { ($0.element, $0.rank) }
  }

  private mutating func rise() {
    var place = heap.count - 1
    while place > 0, heap[place].isBelow(heap[(place - 1) / 2]) {
      heap.swapAt(place, (place - 1) / 2)
      place = (place - 1) / 2
    }
  }

  private mutating func sink() {
    var place = 0
    while true {
      var least = place
      for child in [2 * place + 1, 2 * place + 2] where child < heap.count && heap[child].isBelow(heap[least]) {
        least = child
      }
      if least == place { return }
      heap.swapAt(place, least)
      place = least
    }
  }
}
