import Aggregation
import Platform
import Synchronization

/// What one worker listens to.
struct WorkerPlan: Sendable {
  struct Source: Sendable {
    let descriptor: Descriptor
    let books: ListenerBooks
    /// A unix stream: packets may stand behind their length.
    var mayBePrefixed = false
    /// What the kernel granted a datagram socket. 0 at a unix socket, which holds a handful of datagrams (net.unix.max_dgram_qlen) and so
    /// must not be left alone.
    var receiveBufferBytes = 0
    /// The kernel may join datagrams of a sender (`Socket.joinDatagrams`).
    var joinsDatagrams = false
    /// Several workers wait at this one descriptor.
    var isShared = false
  }

  let index: Int
  var datagrams: [Source] = []
  var listeners: [Source] = []
}

/// What a worker is to do.
enum WorkerOrder: UInt8, Sendable {
  case receive
  /// Give out streams, leave sockets alone, wait for the next order.
  case pause
  /// End; what waits at sockets that nobody goes on with is counted first.
  case leave
}

/// What all workers share.
final class WorkerShare: Sendable {
  /// Stream connections open over all workers.
  let streamConnections = Atomic<Int>(0)
  let streamConnectionLimit: Int
  /// Nanoseconds; nil: never.
  let streamIdle: Int64?
  /// One for each worker.
  let pulses: [Pulse]

  private let current = Atomic<UInt8>(WorkerOrder.receive.rawValue)
  /// What the workers do next; wake them afterwards.
  var order: WorkerOrder {
    // Release and acquire: who sees an order sees what was prepared for it.
    get { WorkerOrder(rawValue: current.load(ordering: .acquiring)) ?? .leave }
    set { current.store(newValue.rawValue, ordering: .releasing) }
  }

  // MARK: Handing over

  /// Workers that have paused since the order to, and who waits for them.
  let paused = Atomic<Int>(0)
  let hasPaused: WakeUp
  /// Streams that pausing workers have given out.
  let given = Mutex<[HandedStream]>([])
  /// Streams for workers to take up.
  let offered = Mutex<[HandedStream]>([])
  private let kept = Mutex(Kept())

  private struct Kept {
    /// Names of books.
    var listeners: Set<String> = []
    var streams = 0
  }

  init(workers: Int, streamConnectionLimit: Int, streamIdle: Int64?) throws(SystemError) {
    self.streamConnectionLimit = streamConnectionLimit
    self.streamIdle = streamIdle
    pulses = (0..<workers).map { _ in Pulse() }
    hasPaused = try WakeUp()
  }

  /// Says whose sockets another process goes on with, and how many streams it has room for. To be said before the order.
  func keep(_ listeners: Set<String>, streams: Int) {
    kept.withLock { $0 = Kept(listeners: listeners, streams: streams) }
  }

  /// Whether another process goes on with the socket.
  func isKept(_ source: WorkerPlan.Source) -> Bool { kept.withLock { $0.listeners.contains(source.books.name) } }

  /// Whether another process goes on with a stream of this listener: then it has one place less for others.
  func takesOver(_ books: ListenerBooks) -> Bool {
    kept.withLock { kept in
      guard kept.streams > 0, kept.listeners.contains(books.name) else { return false }
      kept.streams -= 1
      return true
    }
  }
}
