import Aggregation
import HTTPQuery
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

/// What the options say of receiving that may change while the program runs. Each worker has a copy of its own.
struct WorkerSettings: Equatable, Sendable {
  /// Stream connections open over all workers, and those of one address among them; nil: no bound of its own.
  var connectionLimit: Int
  var connectionsPerAddress: Int?
  /// Nanoseconds of silence, and from the beginning of a line to its end; nil: any.
  var streamIdle: Int64?
  var lineTime: Int64?
  /// Senders that are heard; empty: all.
  var allowed: [AddressRange]
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
  /// Who hears of what goes wrong.
  let agent: AgentState
  /// One a worker: settings that it has not taken up yet.
  let newSettings: [SettingsBox<WorkerSettings>]
  /// Open connections by address. An entry is one that is open, so there are no more than connections.
  private let byAddress = Guarded<[SenderAddress: Int]>([:])

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
  let given = Guarded<[HandedStream]>([])
  /// Streams for workers to take up.
  let offered = Guarded<[HandedStream]>([])
  private let kept = Guarded(Kept())

  private struct Kept {
    /// Names of books.
    var listeners: Set<String> = []
    var streams = 0
  }

  init(agent: AgentState, workers: Int) throws(SystemError) {
    self.agent = agent
    newSettings = (0..<workers).map { _ in SettingsBox() }
    pulses = (0..<workers).map { _ in Pulse() }
    hasPaused = try WakeUp()
  }

  // MARK: Places

  /// Books a connection, if neither limit is reached.
  /// - Returns: why it may not be; nil: it may, and `leave` must follow.
  func enter(_ sender: SenderAddress, _ settings: WorkerSettings) -> ListenerBooks.Rejection? {
    if streamConnections.wrappingAdd(1, ordering: .relaxed).newValue > settings.connectionLimit {
      streamConnections.wrappingSubtract(1, ordering: .relaxed)
      return .limit
    }
    // Whoever is on this machine has no address to tell it by.
    if sender == .local { return nil }
    let isRoom = byAddress.withLock { open in
      let count = open[sender.network, default: 0]
      if let limit = settings.connectionsPerAddress, count >= limit { return false }
      open[sender.network] = count + 1
      return true
    }
    if isRoom { return nil }
    streamConnections.wrappingSubtract(1, ordering: .relaxed)
    return .addressLimit
  }

  /// Books that a connection is no more.
  func leave(_ sender: SenderAddress) {
    streamConnections.wrappingSubtract(1, ordering: .relaxed)
    if sender == .local { return }
    byAddress.withLock { open in
      let count = open[sender.network, default: 0]
      open[sender.network] = count > 1 ? count - 1 : nil
    }
  }

  /// Books a connection that another process or worker had; it keeps its place, whatever the limits say.
  func goOn(with sender: SenderAddress) {
    streamConnections.wrappingAdd(1, ordering: .relaxed)
    if sender != .local { byAddress.withLock { $0[sender.network, default: 0] += 1 } }
  }

  // MARK: What another process goes on with

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
