import Aggregation
import Bytes
import Platform
import Protocol
import Synchronization

/// One receiving thread: its sockets, its connections, its table.
///
///     epoll ─┬─ datagram socket ─ recvmmsg ─ arena ─┬─▶ table ─▶ ledger
///            ├─ connection ────── read ──── buffer ─┘
///            ├─ listener ── accept ─▶ connection        (ReceiveWorker+Streams.swift)
///            └─ wake-up: look at what shall leave, or drain and end
///
/// It shares nothing but what the types say that they share, never waits for another thread and never logs.
struct ReceiveWorker: ~Copyable {
  /// Datagrams a batch below which a busy socket is left alone for a moment: an ordinary sender that finds nobody asleep does not pay
  /// for a wake-up, which is most of what a datagram costs it.
  private static let napBelow = DatagramArena.slots / 2
  /// Long enough that a few dozen datagrams gather at a million a second, short against the receive buffer: 8 MiB hold some 10,000 small
  /// datagrams.
  private static let napNanoseconds = 20_000
  /// Batches taken from one socket before the others get their turn.
  private static let batchesInARow = 16

  let plan: WorkerPlan
  let share: WorkerShare
  let wakeUp: WakeUp
  let poll: Poll
  var table: WorkerTable
  let arena: DatagramArena
  var buffer: StreamBuffer
  var streams: [UInt64: StreamConnection] = [:]
  var lastStream = Token.firstStream
  var nextSweep: Int64 = .max
  /// Listeners that are out of the poll because no descriptor was free.
  var pausedListeners: [Int] = []

  /// What an event is about.
  enum Token {
    static let wakeUp: UInt64 = 0
    static let firstDatagram: UInt64 = 1
    static let firstListener: UInt64 = 1 << 16
    static let firstStream: UInt64 = 1 << 32
  }

  init(plan: WorkerPlan, share: WorkerShare, wakeUp: WakeUp, table: consuming WorkerTable) throws(SystemError) {
    // All that can fail comes before the first member is set.
    let arena = try DatagramArena()
    let buffer = try StreamBuffer(roomForRest: StreamFramer.longestRest)
    let poll = try Poll()
    try poll.add(wakeUp.descriptor, token: Token.wakeUp, for: .input)
    for (index, source) in plan.datagrams.enumerated() {
      try poll.add(source.descriptor, token: Token.firstDatagram + UInt64(index), for: .input)
    }
    for index in plan.listeners.indices { try Self.watchListener(index, of: plan, in: poll) }
    self.arena = arena
    self.buffer = buffer
    self.poll = poll
    self.plan = plan
    self.share = share
    self.wakeUp = wakeUp
    self.table = table
  }

  /// Receives until it is told to drain; returns when nothing that had arrived by then is left.
  mutating func run() {
    let poll = poll
    while !share.isDraining.load(ordering: .acquiring) {
      poll.wait(milliseconds: millisecondsToSweep()) { event in handle(event) }
      if Clock.monotonic() >= nextSweep { sweep() }
    }
    drain()
  }

  private mutating func handle(_ event: Poll.Event) {
    switch event.token {
    case Token.wakeUp:
      wakeUp.clear()
      // An empty batch: a table looks at what shall leave when a batch begins.
      batch { _ in }
    case Token.firstDatagram..<Token.firstListener:
      receive(plan.datagrams[Int(event.token - Token.firstDatagram)])
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

  private mutating func receive(_ source: WorkerPlan.Source) {
    for _ in 0..<Self.batchesInARow {
      let count = receiveBatch(source)
      if count == 0 { return }
      if count < Self.napBelow && !source.holdsFew { Clock.sleep(nanoseconds: Self.napNanoseconds) }
    }
  }

  /// Takes and counts one batch of datagrams.
  private mutating func receiveBatch(_ source: WorkerPlan.Source) -> Int {
    let count = arena.receive(source.descriptor)
    if count == 0 { return 0 }
    table.beginBatch(monotonic: Clock.monotonic(), wall: Clock.wall() / 1_000_000_000)
    table.tally = LineTally()
    for slot in 0..<count {
      let datagram = arena.datagram(slot)
      table.tally.datagrams &+= 1
      table.tally.bytes &+= UInt64(datagram.count)
      let sender = arena.sender(slot)
      if _fastPath(!arena.isTruncated(slot)) {
        table.count(datagram, from: sender)
      } else {
        countTruncated(datagram, from: sender)
      }
    }
    table.endBatch()
    source.books.ledgers[plan.index].add(table.tally)
    return count
  }

  /// The lines before the cut are whole; the cut one is refused.
  private mutating func countTruncated(_ datagram: PaddedBytes, from sender: SenderAddress) {
    var end = datagram.count
    while end > 0 && datagram[end - 1] != UInt8(ascii: "\n") { end -= 1 }
    // Safe: the byte behind the shorter view is the LF just found, and what follows it is the rest of the slot.
    if end > 0 { unsafe table.count(PaddedBytes(unsafeBase: datagram.address(of: 0), count: end - 1), from: sender) }
    table.refuse(.truncated, from: sender)
  }

  /// Takes what has arrived and nothing more. The sockets refuse arrivals by now (`Socket.refuseArrivals`), so it ends.
  private mutating func drain() {
    for source in plan.datagrams { while receiveBatch(source) > 0 {} }
    for index in plan.listeners.indices { accept(index) }
    for token in streams.keys.sorted() { drainStream(token) }
  }
}
