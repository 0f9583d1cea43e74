import Aggregation
import Bytes
import Platform
import Protocol
import Synchronization

/// One receiving thread: its sockets, its connections, its table.
///
///     epoll ─┬─ datagram socket ─ recvmmsg ─ arena ─┬─▶ table ─▶ ledger       (ReceiveWorker+Datagrams.swift)
///            ├─ connection ────── read ──── buffer ─┘
///            ├─ listener ── accept ─▶ connection        (ReceiveWorker+Streams.swift)
///            └─ wake-up: look at what shall leave, or drain and end
///
/// At its end another process may go on with the sockets and the connections: ReceiveWorker+Handover.swift.
/// It shares nothing but what the types say that they share, never waits for another thread and never logs.
struct ReceiveWorker: ~Copyable {
  let plan: WorkerPlan
  let share: WorkerShare
  let wakeUp: WakeUp
  let poll: Poll
  var table: WorkerTable
  var arena: DatagramArena
  /// One for each of the plan's datagram sockets.
  var inlets: [DatagramInlet]
  var buffer: StreamBuffer
  var settings: WorkerSettings
  /// By `settings`.
  var filter: AddressFilter
  var streams: [UInt64: StreamConnection] = [:]
  var lastStream = Token.firstStream
  var nextSweep: Int64 = .max
  /// Listeners that are out of the poll because no descriptor was free when they last accepted.
  var pausedListeners: Set<Int> = []

  /// What an event is about.
  enum Token {
    static let wakeUp: UInt64 = 0
    static let firstDatagram: UInt64 = 1
    static let firstListener: UInt64 = 1 << 16
    static let firstStream: UInt64 = 1 << 32
  }

  init(
    plan: WorkerPlan, share: WorkerShare, settings: WorkerSettings, wakeUp: WakeUp, table: consuming WorkerTable
  ) throws(SystemError) {
    // All that can fail comes before the first member is set.
    let arena = try DatagramArena()
    let buffer = try StreamBuffer(roomForRest: StreamFramer.longestRest)
    let poll = try Poll()
    try poll.add(wakeUp.descriptor, token: Token.wakeUp, for: .input)
    for index in plan.datagrams.indices { try Self.watchDatagrams(index, of: plan, in: poll) }
    for index in plan.listeners.indices { try Self.watchListener(index, of: plan, in: poll) }
    self.arena = arena
    inlets = plan.datagrams.map {
      var inlet = DatagramInlet(bufferBytes: $0.receiveBufferBytes)
      // The socket may have had another owner before.
      inlet.noteDrops(Socket.drops($0.descriptor))
      return inlet
    }
    self.buffer = buffer
    self.poll = poll
    self.plan = plan
    self.share = share
    self.settings = settings
    filter = AddressFilter(settings.allowed)
    self.wakeUp = wakeUp
    self.table = table
  }

  /// Receives until it is told to leave; returns when nothing is left of what had arrived by then at sockets that nobody goes on with.
  mutating func run() {
    let poll = poll
    let pulse = share.pulses[plan.index]
    while true {
      switch share.order {
      case .receive: break
      case .pause:
        pause()
        continue
      case .leave: return drainWhatNobodyTakes()
      }
      pulse.beat()
      let isBusy = inlets.contains { $0.isBusy }
      let events = poll.wait(milliseconds: isBusy ? 0 : millisecondsToSweep()) { event in handle(event) }
      if isBusy { takeInTurns(mayNap: events == 0) }
      if Clock.monotonic() >= nextSweep { sweep() }
    }
  }

  private mutating func handle(_ event: Poll.Event) {
    switch event.token {
    case Token.wakeUp:
      wakeUp.clear()
      if let settings = share.newSettings[plan.index].take() { takeUp(settings) }
      // An empty batch: a table looks at what shall leave when a batch begins.
      batch { _ in }
      if share.order == .receive { takeStreams() }
    case Token.firstDatagram..<Token.firstListener:
      wake(Int(event.token - Token.firstDatagram))
    case Token.firstListener..<Token.firstStream:
      accept(Int(event.token - Token.firstListener))
    default:
      readStream(event.token)
    }
  }

  /// Runs `body` in one epoch of the table.
  mutating func batch(_ body: (inout WorkerTable) -> Void) {
    table.beginBatch(monotonic: Clock.monotonic(), wall: Clock.wall() / 1_000_000_000)
    body(&table)
    table.endBatch()
  }
}
