import Platform
import Synchronization

/// One listener's books over all workers: what came, what became of it, what the kernel dropped.
///
/// `name` is the label `listener`: `udp:127.0.0.1:8125`, `tcp:…`, `unix:/path`, `http`.
package final class ListenerBooks: Sendable {
  package enum Kind: Sendable { case datagrams, stream, http }

  package let name: String
  package let kind: Kind
  /// One for each worker, written by it alone.
  package let ledgers: [ListenerLedger]
  /// The datagram sockets, whose drops the kernel counts.
  private let sockets: [Descriptor]
  private let drops: Mutex<Drops>

  /// Stream connections open now, and those turned away since the start because the limit was reached.
  package let connections = Atomic<Int>(0)
  package let rejectedConnections = Atomic<Int>(0)
  /// Times that a connection could not be taken, as a rule because descriptors had run out: it waited on.
  package let failedAccepts = Atomic<UInt64>(0)
  private let lastFailedAccept = Atomic<Int64>(0)

  /// Dropped datagrams beyond the kernel's number, which counts a run that it had joined as one (`Socket.joinDatagrams`): that many more
  /// were in the runs. Workers that receive runs add what they see.
  package let dropsWithinRuns = Atomic<UInt64>(0)

  private struct Drops {
    var total: UInt64 = 0
    var last: [UInt32]
  }

  package init(name: String, kind: Kind, workers: Int, sockets: [Descriptor] = []) {
    self.name = name
    self.kind = kind
    self.sockets = sockets
    ledgers = (0..<workers).map { _ in ListenerLedger() }
    drops = Mutex(Drops(last: sockets.map { _ in 0 }))
  }

  /// Books a connection that could not be taken.
  /// - Parameter monotonic: now, in nanoseconds on the clock that never jumps.
  package func noteFailedAccept(monotonic: Int64) {
    failedAccepts.wrappingAdd(1, ordering: .relaxed)
    // Relaxed: read for a report alone.
    lastFailedAccept.store(monotonic, ordering: .relaxed)
  }

  /// Whether connections could not be taken within the last few seconds; who rests after a failure tries again each second.
  package func isShortOfDescriptors(monotonic: Int64) -> Bool {
    failedAccepts.load(ordering: .relaxed) > 0
      && monotonic - lastFailedAccept.load(ordering: .relaxed) < 3_000_000_000
  }

  /// Datagrams that the kernel dropped at this listener's sockets. The kernel's numbers have 32 bits: asked at least once in 2^32 drops,
  /// none is missed. Of runs that the kernel had joined the number is as good as `dropsWithinRuns`.
  package func kernelDrops() -> UInt64 {
    drops.withLock { drops in
      for (index, socket) in sockets.enumerated() {
        let now = Socket.drops(socket)
        drops.total += UInt64(now &- drops.last[index])
        drops.last[index] = now
      }
      // Relaxed: a reader needs no order between the two numbers.
      return drops.total + dropsWithinRuns.load(ordering: .relaxed)
    }
  }

  /// The numbers of all workers.
  package func read() -> LineTally {
    var all = LineTally()
    for ledger in ledgers { all.add(ledger.read()) }
    return all
  }
}
