import Platform

/// An array that never moves and never copies: elements appear, zeroed, when they are first touched.
///
/// For tables that grow to millions of elements, where doubling an array would stall its owner and hold both copies for a while.
/// - Complexity: every access O(1).
@safe
struct ReservedArray<Element: BitwiseCopyable>: ~Copyable {
  private let memory: Reservation
  let capacity: Int
  private let elements: UnsafeMutablePointer<Element>

  /// Room for `capacity` elements, whose bytes are all zero.
  init(capacity: Int) throws(SystemError) {
    memory = try Reservation(byteCount: capacity * MemoryLayout<Element>.stride)
    self.capacity = capacity
    unsafe elements = memory.base.assumingMemoryBound(to: Element.self)
  }

  /// Sets the first `count` elements to zero; most of their memory goes back.
  func clear(_ count: Int) {
    let end = count * MemoryLayout<Element>.stride
    memory.discard(from: 0, to: min(memory.byteCount, end))
  }

  subscript(index: Int) -> Element {
    @inline(__always) get {
      precondition(index >= 0 && index < capacity)
      // Safe: by the precondition.
      return unsafe elements[index]
    }
    @inline(__always) nonmutating _modify {
      precondition(index >= 0 && index < capacity)
      // Safe: by the precondition; the owner is one thread.
      yield unsafe &elements[index]
    }
  }
}
