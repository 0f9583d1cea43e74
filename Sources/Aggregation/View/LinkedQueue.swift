/// Series or families that wait for their turn, each once: a list through their own places, so that whatever changes, a place takes no
/// more than 4 bytes.
///
///     link   0              in no queue
///            1, .max - 1    in no queue; whoever keeps the links says what they mean
///            id + 2         in a queue, before this one
///            .max           in a queue, the last
///
/// Several queues may go through the same links, since nobody is in two of them. Numbers are below 2^32 - 4.
struct LinkedQueue {
  /// The link of what is in no queue.
  static let out: UInt32 = 0
  private static let end = UInt32.max

  /// The ends, id + 2; 0: nobody waits.
  private var first: UInt32 = 0
  private var last: UInt32 = 0
  private(set) var count = 0

  var isEmpty: Bool { first == 0 }

  /// Puts one behind all others; it is in no queue.
  @inline(__always)
  mutating func append(_ id: Int, _ links: borrowing ReservedArray<UInt32>) {
    links[id] = Self.end
    let link = UInt32(truncatingIfNeeded: id &+ 2)
    if last == 0 { first = link } else { links[Int(last) - 2] = link }
    last = link
    count &+= 1
  }

  /// Takes the first out.
  mutating func pop(_ links: borrowing ReservedArray<UInt32>) -> Int? {
    if first == 0 { return nil }
    let id = Int(first) - 2
    let next = links[id]
    links[id] = Self.out
    first = next == Self.end ? 0 : next
    if first == 0 { last = 0 }
    count -= 1
    return id
  }

  /// Puts all of another queue behind all others.
  /// - Complexity: O(1).
  mutating func append(_ other: inout LinkedQueue, _ links: borrowing ReservedArray<UInt32>) {
    if other.isEmpty { return }
    if last == 0 { first = other.first } else { links[Int(last) - 2] = other.first }
    last = other.last
    count += other.count
    other = LinkedQueue()
  }
}
