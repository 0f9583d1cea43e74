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
  private let drops: Guarded<Drops>

  /// Stream connections open now, and those turned away since the start because the limit was reached.
  package let connections = Atomic<Int>(0)
  package let rejectedConnections = Atomic<Int>(0)
  /// Those turned away or closed for another reason, by `Rejection`.
  private let rejections: InlineArray<8, Atomic<Int>> = .init { _ in Atomic(0) }
  /// Bytes that stream connections keep of lines without an end.
  package let keptBytes = Atomic<Int>(0)

  /// Why the program ended a connection, or did not take it up.
  package enum Rejection: Int, CaseIterable, Sendable {
    /// As many are open as may be; as many of one address as may be; its address is none of those that are heard.
    case limit, addressLimit, refusedSource
    /// Nothing came for too long; a line was begun and not ended for too long.
    case idle, slowLine

    /// The value of the label `reason`.
    package var label: StaticString {
      switch self {
      case .limit: "limit"
      case .addressLimit: "address_limit"
      case .refusedSource: "refused_source"
      case .idle: "idle"
      case .slowLine: "slow_line"
      }
    }
  }

  /// Books a connection that the program ended or did not take up.
  package func reject(_ reason: Rejection) {
    // Relaxed: numbers for people, in no order with anything.
    if reason == .limit {
      rejectedConnections.wrappingAdd(1, ordering: .relaxed)
    } else {
      rejections[reason.rawValue].wrappingAdd(1, ordering: .relaxed)
    }
  }

  /// Connections so ended since the start.
  package func rejected(_ reason: Rejection) -> Int {
    reason == .limit
      ? rejectedConnections.load(ordering: .relaxed) : rejections[reason.rawValue].load(ordering: .relaxed)
  }
  /// Times that a connection could not be taken, as a rule because descriptors had run out: it waited on.
  package let failedAccepts = Atomic<UInt64>(0)
  private let lastFailedAccept = Atomic<Int64>(0)

  /// Dropped datagrams beyond the kernel's number, which counts a run that it had joined as one (`Socket.joinDatagrams`): that many more
  /// were in the runs. Workers that receive runs add what they see.
  package let dropsWithinRuns = Atomic<UInt64>(0)

  private struct Drops {
    var total: UInt64 = 0
    var last: [UInt32]
    /// Nothing is known yet of what is in another process's books.
    var isWaiting = false
  }

  /// - Parameter waitsForDrops: the sockets were another process's, which still counts their drops: see `beginDrops`.
  package init(name: String, kind: Kind, workers: Int, sockets: [Descriptor] = [], waitsForDrops: Bool = false) {
    self.name = name
    self.kind = kind
    self.sockets = sockets
    ledgers = (0..<workers).map { _ in ListenerLedger() }
    drops = Guarded(Drops(last: sockets.map { _ in 0 }, isWaiting: waitsForDrops))
  }

  /// Counts drops from where another process's books end.
  /// - Parameter seen: the kernel's number of drops that those books hold, by the socket's cookie (`Socket.cookie`). Of a socket that is
  ///   not named, all since it was made count if nothing was waited for, and else those from now on.
  package func beginDrops(from seen: [UInt64: UInt32]) {
    drops.withLock { drops in
      for (index, socket) in sockets.enumerated() {
        if let there = seen[Socket.cookie(socket)] {
          drops.last[index] = there
        } else if drops.isWaiting {
          drops.last[index] = Socket.drops(socket)
        }
      }
      drops.isWaiting = false
    }
  }

  /// The kernel's number of drops at each socket, by its cookie, as these books hold them.
  package var bookedDrops: [UInt64: UInt32] {
    drops.withLock { drops in
      if drops.isWaiting { return [:] }
      return Dictionary(zip(sockets.map { Socket.cookie($0) }, drops.last)) { first, _ in first }
    }
  }

  /// Bytes that wait unread at the sockets, the kernel's own part of each datagram included.
  package var queuedBytes: Int { sockets.reduce(0) { $0 + Socket.queuedBytes($1) } }

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
      if drops.isWaiting { return 0 }
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
