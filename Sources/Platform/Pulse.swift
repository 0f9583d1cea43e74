import Synchronization

/// How a thread shows that it gets on: a number that it raises each time it comes round, and that another looks at.
///
/// A thread that sleeps is asked by waking it; whoever does not come round then is stuck.
package final class Pulse: Sendable {
  private let beats = Atomic<UInt64>(0)

  package init() {}

  /// The thread has come round. Its own to call; a relaxed load and store, since nobody else writes and no order is needed.
  @inline(__always)
  package func beat() { beats.store(beats.load(ordering: .relaxed) &+ 1, ordering: .relaxed) }

  /// How often so far.
  package var count: UInt64 { beats.load(ordering: .relaxed) }
}
