import Aggregation
import Bytes
import Platform
import Protocol

/// The query thread: gathers what the workers counted, once every flush interval and whenever somebody asks, and answers over HTTP.
///
///     poll ─┬─ listeners ─▶ accept
///           ├─ clients ───▶ read ─▶ route ─┬─────────────────────────▶ answer ─▶ write
///           └─ wake-up                     └▶ gather … ─▶ work … ─────┘
///
/// One loop and one thread, which owns all of this. Everything long is cut into slices of about a millisecond, and between two of them
/// the loop looks at its sockets. A request that reads counts waits for a gather that began after it came, so that it sees what was
/// counted before it was sent; a flush serves all that wait.
package final class QueryServer {
  let state: QueryState
  let poll: Poll
  var listeners: [QueryListener] = []
  var clients: [UInt64: QueryClient] = [:]
  var nextToken: UInt64
  let books: ListenerBooks
  private(set) var limits: ConnectionLimits
  /// Tokens of the clients that came beyond the limit of connections, the eldest first.
  var reserved: [UInt64] = []
  /// What each client may still ask, if there is such a limit.
  var rate: RateLimiter?
  /// Whether the settings want each request looked at.
  private(set) var isGuarded: Bool
  var date = HTTPDate()
  /// When the event in hand was taken up; what is done for it is done at this time.
  var moment = UInt64(Clock.monotonic())
  /// What one read of a client brings.
  var room: StreamBuffer
  let memo = HeadMemo()
  /// The last answer that others may ask for again.
  var shared: SharedAnswer?
  /// The gather that is wanted most lately.
  var wantedGather = 0
  /// The gather that ends the flush under way; `max` when there is none.
  private var flushGather = Int.max
  /// In the order of their gathers.
  var waiting: [WaitingRequest] = []
  var jobs: [Job] = []
  private let workers: Int
  private let wakeWorker: @Sendable (Int) -> Void
  /// Says that a connection could not be taken.
  let reportShortage: @Sendable (SystemError) -> Void
  private var nextFlush: Int64
  private var nextSweep: Int64 = 0

  /// A request whose answer takes several turns: until a gather is done, and on from it.
  struct WaitingRequest {
    var client: UInt64
    var route: Route
    var call: Route.Call
    var gather: Int
  }

  /// The work of several turns towards an answer.
  struct Job {
    var request: WaitingRequest
    var step: () -> Route.Answer?
  }

  static let wakeUpToken: UInt64 = 0
  /// Nanoseconds for answers that waited, beside the gather: others are not kept longer, however many wait.
  private static let workInATurn: Int64 = 2_000_000
  /// Deadlines are looked after this often.
  private static let sweepInterval: Int64 = 1_000_000_000
  /// Milliseconds between two looks for what was kept, should nobody say that there is more.
  private static let restoringPatience = 20

  /// - Parameters:
  ///   - view: of the workers' tables and, behind them, of `table`.
  ///   - table: what comes over HTTP is counted here.
  ///   - listeners: listening sockets, never blocking.
  ///   - books: of all listeners; HTTP's own are among them.
  ///   - keeper: the journal; nil: counts live as long as the program.
  ///   - store: what several agents share; nil: this agent counts for itself.
  ///   - wakeWorker: wakes the worker of a table, which may sleep while records of its table wait for its verdict.
  ///   - reportShortage: called whenever a connection could not be taken, as when descriptors have run out: up to once a second.
  package init(
    view: consuming MergedView, table: consuming WorkerTable, listeners: [Descriptor], books: [ListenerBooks],
    state: AgentState,
    settings: QuerySettings,
    keeper: Keeper? = nil,
    store: SharedStore? = nil,
    wakeWorker: @escaping @Sendable (Int) -> Void,
    reportShortage: @escaping @Sendable (SystemError) -> Void = { _ in }
  ) throws(SystemError) {
    workers = view.tableCount - 1
    self.wakeWorker = wakeWorker
    self.reportShortage = reportShortage
    self.books = books.first { $0.kind == .http } ?? ListenerBooks(name: "http", kind: .http, workers: 1)
    let others = books.filter { $0.kind != .http }
    self.state = QueryState(
      view: view, table: table, books: others + [self.books], httpBooks: self.books,
      addresses: listeners.map { Socket.localAddress($0).description }, agent: state, settings: settings,
      keeper: keeper, store: store)
    limits = ConnectionLimits(settings)
    rate = settings.httpRate.map { RateLimiter(perSecond: $0) }
    isGuarded = settings.guardsRequests
    nextFlush = Clock.monotonic() + settings.flushIntervalNanoseconds
    nextToken = UInt64(listeners.count) + 1
    poll = try Poll()
    room = try StreamBuffer(roomForRest: 0)
    try poll.add(state.wakeUp.descriptor, token: Self.wakeUpToken, for: .input)
    for (place, descriptor) in listeners.enumerated() {
      let listener = QueryListener(descriptor, token: UInt64(place) + 1)
      Socket.guardConnections(of: descriptor, unsentBytes: 65_536)
      try poll.add(descriptor, token: listener.token, for: .input)
      self.listeners.append(listener)
    }
  }

  /// Answers until the program has stopped; then gathers for the last time, finishes the answers that are under way, and returns.
  package func run() {
    while state.agent.phase != .stopped { turn() }
    finish()
  }

  private func finish() {
    for listener in listeners { poll.remove(listener.descriptor) }
    if let keeping = state.keeping { finishRestoring(keeping) }
    // What was kept must not be counted on top of what has come since.
    if isRestoring { return clients.removeAll() }
    wantedGather = state.nextGather
    while state.gathersDone < wantedGather { work() }
    state.keeping?.isDraining = true
    moment = now
    for client in Array(clients.values) {
      client.connection.retire(nanoseconds: moment)
      advance(client)
    }
    state.events.end()
    publish()
    let end = Clock.monotonic() + 1_000_000_000
    while clients.values.contains(where: { $0.connection.phase == .open }), Clock.monotonic() < end {
      nextSweep = min(nextSweep, end)
      turn()
    }
    if let keeping = state.keeping { finishKeeping(keeping) }
    if let sharing = state.sharing { finishSharing(sharing) }
    clients.removeAll()
  }

  var isRestoring: Bool { state.keeping?.isRestoring ?? false }

  // MARK: A turn

  private func turn() {
    poll.wait(milliseconds: patience) { handle($0) }
    if let keeping = state.keeping, keeping.isRestoring { restoreSome(keeping) }
    if !isRestoring {
      beginFlushIfDue()
      work()
      if let keeping = state.keeping { keep(keeping) }
      if let sharing = state.sharing { share(sharing) }
    }
    if Clock.monotonic() >= nextSweep { sweep() }
    if flushGather == .max { state.agent.pulse.beat() }
  }

  private func beginFlushIfDue() {
    if Clock.monotonic() >= nextFlush {
      wantedGather = max(wantedGather, state.currentGather)
      flushGather = min(flushGather, state.currentGather)
      nextFlush = Clock.monotonic() + state.settings.flushIntervalNanoseconds
    }
  }

  /// Milliseconds until something is due: none while there is work.
  private var patience: Int {
    if let keeping = state.keeping {
      // Whoever keeps says when there is more.
      if keeping.isRestoring { return Self.restoringPatience }
      if isKeeping(keeping) { return 0 }
    }
    if state.gathersDone < wantedGather || !jobs.isEmpty || !waiting.isEmpty || state.events.isMaking { return 0 }
    let isSweeping = !clients.isEmpty || listeners.contains { $0.isResting }
    var due = isSweeping ? min(nextFlush, nextSweep) : nextFlush
    if let sharing = state.sharing { due = min(due, dueTime(of: sharing)) }
    // Rounded up, lest the last millisecond be spent in turning.
    return Int(clamping: max(0, due - Clock.monotonic() + 999_999) / 1_000_000)
  }

  func handle(_ event: Poll.Event) {
    moment = now
    if event.token == Self.wakeUpToken {
      state.agent.wakeUp.clear()
      state.sharing?.isAwake = true
      if let settings = state.agent.takeReplacement() { adopt(settings) }
    } else if event.token <= UInt64(listeners.count) {
      accept(listeners[Int(event.token) - 1])
    } else if let client = clients[event.token] {
      serve(client, event)
    }
  }

  /// One slice of everything that is under way.
  private func work() {
    moment = now
    if state.gathersDone < wantedGather && state.readers == 0 && state.gatherSome() {
      for worker in 0..<workers where state.view.hasCondemned(worker) { wakeWorker(worker) }
      if state.view.hasCondemned(workers) { state.count { _ in } }
      if state.gathersDone >= flushGather {
        flushGather = .max
        state.agent.pulse.beat()
        state.events.flushed(state)
        state.keeping?.isDraining = true
      }
    }
    if state.events.isMaking && state.events.step(state) { publish() }
    let end = Clock.monotonic() + Self.workInATurn
    while let request = waiting.first, request.gather <= state.gathersDone, Clock.monotonic() < end {
      waiting.removeFirst()
      guard let client = clients[request.client] else { continue }
      moment = now
      call(request.route, request.call, client)
      advance(client)
    }
    // Those that are not done go to the end of the queue.
    for _ in jobs.indices where Clock.monotonic() < end { goOn(jobs.removeFirst()) }
  }

  private func goOn(_ job: Job) {
    guard let client = clients[job.request.client] else { return }
    if let next = job.step() {
      proceed(next, job.request)
      advance(client)
    } else {
      jobs.append(job)
    }
  }

  /// What is due by the clock: deadlines of connections, and listeners that rested.
  private func sweep() {
    moment = now
    let now = moment
    nextSweep = Int64(now) + Self.sweepInterval
    for listener in listeners where listener.isResting { wake(listener) }
    publish()
    rate?.forgetFull(nanoseconds: now)
    for client in Array(clients.values) {
      guard let timeout = client.connection.timeout else { continue }
      if timeout.kind == .idle && now - timeout.since > UInt64(Self.sweepInterval) {
        client.connection.releaseBuffers()
      }
      if now < timeout.deadline { continue }
      if case .refused(let status) = client.connection.expire(nanoseconds: now) {
        refuse(client, status)
      }
      advance(client)
    }
  }

  /// Goes on by other settings, as far as they may change in a run (`AgentState.replace`).
  private func adopt(_ settings: QuerySettings) {
    // A rate that stays goes on from where each client is.
    if state.settings.httpRate != settings.httpRate { rate = settings.httpRate.map { RateLimiter(perSecond: $0) } }
    state.takeUp(settings)
    nextFlush = min(nextFlush, Clock.monotonic() + settings.flushIntervalNanoseconds)
    isGuarded = settings.guardsRequests
    // Of the connections to come; those that are there keep what they were promised.
    limits = ConnectionLimits(settings)
  }

  var now: UInt64 { UInt64(Clock.monotonic()) }
}

extension QuerySettings {
  fileprivate var guardsRequests: Bool { httpRate != nil || access.tokens != nil || !access.origins.isEmpty }
}

extension ConnectionLimits {
  fileprivate init(_ settings: QuerySettings) {
    self.init()
    // A century stands for never: far beyond any uptime, and no sum with it overflows.
    idle = settings.httpIdleNanoseconds.map { UInt64(max(0, $0)) } ?? 100 * 365 * 86_400_000_000_000
  }
}
