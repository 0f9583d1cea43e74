import Synchronization

/// A value that threads take turns with: a `Mutex`, and one atomic of this module.
///
/// Where threads wait for each other, `Mutex` orders their turns within the standard library. ThreadSanitizer sees only what is compiled
/// with it, and would call the next turn a race; the atomic orders the turns once more, where it sees it.
package struct Guarded<Value: Sendable>: ~Copyable, Sendable {
  private let turn = Atomic<UInt8>(0)
  private let value: Mutex<Value>

  package init(_ value: Value) { self.value = Mutex(value) }

  /// Runs `body` when no other thread is in a turn. Whoever comes meanwhile waits.
  package borrowing func withLock<Result: Sendable>(_ body: (inout Value) -> Result) -> Result {
    value.withLock { value in
      _ = turn.load(ordering: .acquiring)
      defer { turn.store(0, ordering: .releasing) }
      return body(&value)
    }
  }
}
