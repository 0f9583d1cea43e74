import CLinux
import Platform
import Synchronization

/// Lets one reader take over what one writer gathered, without either of them stopping the other.
///
/// Everything that cannot be read in place exists twice, chosen by the epoch's lowest bit. The writer enters the current epoch before a
/// batch and leaves it afterwards; the reader begins the next epoch and waits until the writer is out of the old one (a batch at most,
/// and no time at all while the writer sleeps). From then on the old half belongs to the reader until it flips again.
///
///     writer   enter 6 ─ batch ─ leave │ enter 7 ─ batch ─ leave
///     reader          flip to 7 … waits┘ reads and clears half 0
///
/// A variant of epoch-based reclamation (Fraser, "Practical lock-freedom", 2004, section 5.2.3) with one writer and one reader.
package final class EpochGate: Sendable {
  /// Written by the reader.
  private let epoch = Atomic<UInt64>(2)
  // A cache line apart, so that the writer's stores do not slow the reader's loads.
  private let padding: InlineArray<8, UInt64> = .init(repeating: 0)
  /// The epoch that the writer is in; 0 is outside.
  private let occupied = Atomic<UInt64>(0)

  /// Nobody is in, and the first epoch is 2.
  package init() {}

  /// Writer: begins a batch. The epoch stays valid until `leave`.
  @inline(__always)
  package func enter() -> UInt64 {
    while true {
      let current = epoch.load(ordering: .acquiring)
      // Sequentially consistent against the reader's store of `epoch` and load of `occupied`: one of the two sees the other.
      occupied.store(current, ordering: .sequentiallyConsistent)
      if epoch.load(ordering: .sequentiallyConsistent) == current { return current }
    }
  }

  /// Writer: ends a batch; what it wrote is published.
  @inline(__always)
  package func leave() { occupied.store(0, ordering: .releasing) }

  /// The epoch that a writer would enter now.
  package var current: UInt64 { epoch.load(ordering: .relaxed) }

  /// Reader: begins the next epoch and gives the number of the old one.
  package func flip() -> UInt64 {
    let old = epoch.load(ordering: .relaxed)  // only the reader writes it
    epoch.store(old + 1, ordering: .sequentiallyConsistent)
    return old
  }

  /// Reader: waits until the writer is out of `old`; returns at once if it is. Spins a little, since a batch is short, then sleeps.
  package func awaitDeparture(from old: UInt64) {
    var turns = 0
    while occupied.load(ordering: .sequentiallyConsistent) == old {
      turns += 1
      if turns < 200 { footfall_spin_wait() } else { Clock.sleep(nanoseconds: 20_000) }
    }
  }
}
