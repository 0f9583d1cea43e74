/// First in, first out, over one array whose front is given up when it is the larger part.
/// - Complexity: O(1) amortised.
struct Queue<Element> {
  private var elements: [Element?] = []
  private var head = 0

  var count: Int { elements.count - head }
  var isEmpty: Bool { count == 0 }
  var first: Element? { isEmpty ? nil : elements[head] }

  mutating func append(_ element: Element) { elements.append(element) }

  mutating func popFirst() -> Element? {
    if isEmpty { return nil }
    defer {
      elements[head] = nil
      head += 1
      if head == elements.count {
        elements.removeAll(keepingCapacity: elements.count <= 4_096)
        head = 0
      } else if head >= 1_024 && head > elements.count / 2 {
        elements.removeFirst(head)
        head = 0
      }
    }
    return elements[head]
  }

  /// Empties the queue.
  /// - Returns: what it held, in order.
  mutating func removeAll() -> [Element] {
    defer {
      elements = []
      head = 0
    }
    return elements[head...].compactMap(\.self)
  }
}
