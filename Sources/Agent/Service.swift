import Aggregation
import Bytes
import HTTPQuery
import Platform
import Protocol
import Storage
import Synchronization

/// `footfall serve`: starts the threads, waits for signals, and ends in order.
///
///     main     signals, start and end
///     worker-N receive and count                 (ReceiveWorker)
///     query    merge, answer, flush              (QueryServer)
///     store    keep what was counted             (Keeping)
///     redis    share it with other agents        (Sharing)
///
/// The start: the journal's lock ─ sockets ─ workers count while the query thread restores what was kept ─ /ready.
/// The end: ready no more ─ sockets refuse arrivals ─ workers read what the kernel holds and stop ─ last gather ─ journal and
/// Redis end with it ─ ledger ─ exit.
/// With another process to follow, sockets and streams stay as they are instead: Service+Ending.swift.
enum Service {
  /// EX_OSERR of sysexits(3): a socket, a thread or memory was not to be had.
  private static let systemStatus: Int32 = 71
  /// EX_CONFIG: what the configuration names is not as it should be; a start would fail again in the same way.
  static let configurationStatus: Int32 = 78

  /// Series that tables have room for at least: address space, which costs nothing until it is used.
  private static let leastSeriesRoom = 1_000_000

  /// Runs until a signal ends it.
  /// - Returns: the exit status.
  static func run(_ configuration: Configuration, environment: [String: String]) -> Int32 {
    let log = Log(
      level: configuration.logLevel, format: configuration.logFormat, journalStream: environment["JOURNAL_STREAM"])
    let secrets: Secrets
    do throws(SecretFault) {
      secrets = (try TokenFile.read(configuration), try PasswordFile.read(configuration))
    } catch {
      log.error(error.description)
      return configurationStatus
    }
    SecretFault.warnIfOpen(configuration, log)
    if !configuration.unheeded.isEmpty {
      let names = configuration.unheeded.joined(separator: ",")
      log.info("settings of another program that mean nothing here", ["names": .text(names)])
    }
    do {
      let signals = try Signals()
      let running = try start(configuration, secrets, environment, log)
      end(running, try waitForEnd(signals, running, configuration, environment, log), log)
      return 0
    } catch {
      log.error("\(error)")
      if case StateDirectory.Fault.newer = error { return configurationStatus }
      return systemStatus
    }
  }

  /// What the files of secrets hold.
  private typealias Secrets = (tokens: BearerTokens?, redisPassword: String?)

  /// What has been started and must be ended.
  struct Running {
    let listeners: Listeners
    let books: [ListenerBooks]
    let share: WorkerShare
    let wakeUps: [WakeUp]
    let workers: [Thread]
    let query: Thread
    let state: AgentState
    let keeping: (Keeping, thread: Thread)?
    let sharing: (Sharing, thread: Thread)?
    let notify: NotifySocket
    /// Where sockets outlive the program.
    let store: DescriptorStore?
    /// Where another may ask to take over.
    let takeover: TakeoverHost?
    let watchdog: Watchdog
    let reload: Reload
    let notices: Notices
    let noticesThread: Thread
  }

  private static func start(
    _ configuration: Configuration, _ secrets: Secrets, _ environment: [String: String], _ log: Log
  ) throws -> Running {
    Program.raiseDescriptorLimit()
    let state = try AgentState()
    var inheritance = try Inheritance.fromManager(environment)
    let guest = try askToTakeOver(configuration, environment, log)
    inheritance.sockets += guest?.sockets ?? []
    // Before the sockets: an agent that may not use the folder must not take a datagram from the one that does. With one to take over
    // from, the folder is free only when that one has ended.
    var keeping = guest == nil ? try Keeping.open(configuration, environment, log, wake: state.wake) : nil
    let workerCount = configuration.workers ?? ProcessFacts.processors
    var bound = try Listeners(
      configuration, workers: workerCount, inherited: inheritance.sockets, waitsForDrops: guest != nil)
    let unwanted = bound.letGo()
    let listeners = bound
    let books = listeners.books + [ListenerBooks(name: "http", kind: .http, workers: 1)]
    log.info(
      "listening",
      fields: listeners.fields + [("workers", .integer(workerCount)), ("version", .text(Footfall.version))])
    if let granted = listeners.grantedReceiveBuffer {
      log.warning(
        "the kernel granted a smaller receive buffer than asked: raise it with sysctl -w net.core.rmem_max=\(configuration.receiveBufferBytes)",
        ["asked": .integer(configuration.receiveBufferBytes), "granted": .integer(granted)])
    }

    let seed = UInt64.random(in: .min ... .max)
    let hasher = SpellingHash(seed: seed)
    sayHowKeysAreHashed(seed, environment, log)
    let budget = SeriesBudget(
      limit: configuration.maxSeries, limitPerMetric: configuration.maxSeriesPerMetric ?? configuration.maxSeries)
    // A reload may ask for more series than this start does.
    let seriesRoom = max(configuration.maxSeries, leastSeriesRoom)
    // Each series may have another spelling, and each metric an `__other__` and a count of what went there.
    let capacity = min(seriesRoom * 3 + 4_096, 1 << 30)
    // Bounds are given in the exported unit, which is seconds for what comes in milliseconds.
    let timerBounds = TimerBounds(configuration.buckets.map { $0 * 1_000 })
    let histogramBounds = TimerBounds(configuration.buckets)
    var memories: [TableMemory] = []
    // One more for what comes over HTTP.
    for _ in 0...workerCount {
      memories.append(try TableMemory(capacity: capacity, timerBounds: timerBounds, histogramBounds: histogramBounds))
    }

    let share = try WorkerShare(agent: state, workers: workerCount)
    var wakeUps: [WakeUp] = []
    var workers: [Thread] = []
    for plan in listeners.plans {
      let wakeUp = try WakeUp()
      wakeUps.append(wakeUp)
      let memory = memories[plan.index]
      workers.append(
        try Thread("worker-\(plan.index)") {
          runOrExit(log) { () throws(SystemError) in
            let table = try WorkerTable(
              memory: memory, hasher: hasher, reader: configuration.lineReader,
              keyLabels: configuration.protocolKeyLabels, budget: budget)
            var worker = try ReceiveWorker(
              plan: plan, share: share, settings: configuration.workerSettings, wakeUp: wakeUp, table: table)
            worker.run()
          }
        })
    }
    let tables = memories
    let wakers = wakeUps
    let settings = QuerySettings(configuration, secrets.tokens, workers: workerCount)
    let pending = guest == nil ? nil : PendingKeeper(holdsAnswers: configuration.journalSync == .always)
    let keeper = keeping?.keeper ?? pending?.keeper
    // The other's name is this one's, too, once the folder is.
    let handed = guest.flatMap { _ in StatePlace(configuration.stateDirectory, environment) }
      .flatMap { StateDirectory.agent(in: $0.path) }
    let sharing = try Sharing(
      configuration, password: secrets.redisPassword, agent: keeping?.agent ?? handed ?? .random(), log,
      wake: state.wake)
    let query = try Thread("query") {
      runOrExit(log) { () throws(SystemError) in
        let view = try MergedView(
          tables: tables, hasher: hasher, keyLabels: configuration.protocolKeyLabels, budget: budget,
          settings: configuration.viewSettings)
        let table = try WorkerTable(
          memory: tables[workerCount], hasher: hasher, reader: configuration.lineReader,
          keyLabels: configuration.protocolKeyLabels, budget: budget)
        let server = try QueryServer(
          view: view, table: table, listeners: listeners.http, books: books, state: state, settings: settings,
          keeper: keeper, wakeWorker: { wakers[$0].signal() },
          reportShortage: { _ in state.notices.signal() })
        server.run()
      }
    }
    let notices = Notices(log: log, books: books, agent: state)
    let noticesThread = try Thread("notices") { runOrExit(log) { () throws(SystemError) in try notices.run() } }
    let notify = NotifySocket(name: environment["NOTIFY_SOCKET"])
    let store = DescriptorStore(environment, notify, listeners, inheritance, log)
    goOn(with: &inheritance, from: guest, listeners, unwanted: unwanted, share, wakeUps, log)
    if let pending {
      keeping = try Keeping.open(configuration, environment, log, wake: state.wake)
      pending.resolve(keeping?.keeper)
      state.wake()
    }
    let kept = try keeping.map { ($0, thread: try $0.start()) }
    let shared = try sharing.map { ($0, thread: try $0.start()) }
    let takeover = keeping.flatMap { listenForTakeover($0.path, log) }
    state.phase = .serving
    tell(notify, log, .ready)
    let watched =
      wakeUps.indices.map { index in
        Watchdog.Subject(name: "worker-\(index)", pulse: share.pulses[index]) { wakeUps[index].signal() }
      } + [.init(name: "query", pulse: state.pulse) { state.wake() }]
      + (keeping.map { [$0.watched] } ?? [])
    return Running(
      listeners: listeners, books: books, share: share, wakeUps: wakeUps, workers: workers, query: query, state: state,
      keeping: kept, sharing: shared, notify: notify, store: store, takeover: takeover,
      watchdog: Watchdog(environment, process: Program.process, watched, notify, state, log),
      reload: Reload(
        share: share, wakeUps: wakeUps, budget: budget, seriesRoom: seriesRoom, workers: workerCount, log: log),
      notices: notices, noticesThread: noticesThread)
  }

  /// Whoever knew the seeds could send keys that collide. They differ by process; what is said of them does not lead back to them.
  private static func sayHowKeysAreHashed(_ seed: UInt64, _ environment: [String: String], _ log: Log) {
    if environment["SWIFT_DETERMINISTIC_HASHING"] != nil {
      log.warning(
        "SWIFT_DETERMINISTIC_HASHING is set: clients can send keys that collide and take long to find; unset it")
    }
    log.debug(
      "hash seeds", ["dictionaries": .text("\("footfall".hashValue)"), "series": .text("\([seed].hashValue)")])
  }

  /// A thread that cannot start leaves a program that cannot serve.
  private static func runOrExit(_ log: Log, _ body: () throws(SystemError) -> Void) {
    do throws(SystemError) { try body() } catch {
      log.error(error.description)
      Program.exit(status: systemStatus)
    }
  }

  private enum Token {
    static let signal: UInt64 = 0
    static let takeover: UInt64 = 1
  }

  /// Heeds signals, who wants to take over, and the watchdog's clock.
  private static func waitForEnd(
    _ signals: Signals, _ running: Running, _ configuration: Configuration, _ environment: [String: String], _ log: Log
  ) throws(SystemError) -> Ending {
    var current = configuration
    let poll = try Poll()
    try poll.add(signals.descriptor, token: Token.signal, for: .input)
    if let takeover = running.takeover { try poll.add(takeover.listener, token: Token.takeover, for: .input) }
    while true {
      var tokens: Set<UInt64> = []
      poll.wait(milliseconds: running.watchdog.milliseconds) { tokens.insert($0.token) }
      running.watchdog.look()
      if tokens.contains(Token.signal) {
        let signal = signals.next()
        switch signal {
        case .terminate, .interrupt, .restart:
          exitAtOnce(onSecondOf: signals, log)
          return signal == .restart && running.store != nil ? .leavingToNextStart : .forGood
        case .hangUp:
          tell(running.notify, log, .reloading)
          current = running.reload.run(current, environment: environment)
          tell(running.notify, log, .ready)
        }
      } else if tokens.contains(Token.takeover), let agreement = handOver(running, log) {
        exitAtOnce(onSecondOf: signals, log)
        return .handedOver(agreement)
      }
    }
  }

  /// Whoever signals twice does not want to wait.
  private static func exitAtOnce(onSecondOf signals: Signals, _ log: Log) {
    // Without this thread a second signal would only wait: nothing is lost but the shortcut.
    _ = try? Thread("signals") {
      while true {
        if signals.next() == .hangUp { continue }
        log.warning("second signal: exit without a last flush")
        Program.exit(status: 1)
      }
    }
  }

  static func tell(_ notify: NotifySocket, _ log: Log, _ state: NotifySocket.State) {
    do throws(SystemError) { try notify.send(state) } catch { log.warning(error.description) }
  }
}

extension Duration {
  /// Rounded down; what does not fit is the most that does.
  var nanoseconds: Int64 {
    let (seconds, attoseconds) = components
    let whole = seconds.multipliedReportingOverflow(by: 1_000_000_000)
    return whole.overflow ? .max : whole.partialValue + attoseconds / 1_000_000_000
  }
  var wholeSeconds: Int64 { components.seconds }
}

extension QuerySettings {
  /// - Parameter tokens: what the token file holds.
  init(_ configuration: Configuration, _ tokens: BearerTokens?, workers: Int) {
    self.init(
      flushIntervalNanoseconds: configuration.flushInterval.nanoseconds, httpConnections: configuration.httpConnections,
      httpIdleNanoseconds: configuration.httpIdle?.nanoseconds, quantiles: configuration.quantiles,
      buckets: configuration.buckets, version: Footfall.version, reader: configuration.lineReader,
      keyLabels: configuration.protocolKeyLabels, pageSource: configuration.pageFrom,
      trustedProxies: configuration.trustedProxies, httpRate: configuration.httpRate,
      access: AccessRules(
        tokens: tokens, hostNames: configuration.httpHosts, origins: configuration.corsOrigins),
      view: configuration.viewSettings, memoryLimit: configuration.memoryLimit,
      fixedBytes: MemoryNeeds.fixed(configuration, workers: workers))
  }
}

extension Configuration {
  var viewSettings: MergedView.Settings {
    .init(
      seriesTTL: seriesTTL?.wholeSeconds, counterTTL: counterTTL?.wholeSeconds,
      quantileWindow: quantileWindow.wholeSeconds, historyBytes: historyBytes)
  }

  var workerSettings: WorkerSettings {
    .init(
      connectionLimit: streamConnections, connectionsPerAddress: streamConnectionsPerAddress,
      streamIdle: streamIdle?.nanoseconds, lineTime: streamLineTime?.nanoseconds, allowed: allowed)
  }
}
