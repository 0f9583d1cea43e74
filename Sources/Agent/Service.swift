import Aggregation
import Bytes
import HTTPQuery
import Platform
import Protocol
import Synchronization

/// `footfall serve`: starts the threads, waits for signals, and ends in order.
///
///     main     signals, start and end
///     worker-N receive and count                 (ReceiveWorker)
///     query    merge, answer, flush              (QueryServer)
///
/// The end: ready no more ─ sockets refuse arrivals ─ workers read what the kernel holds and stop ─ last gather ─ ledger ─ exit.
enum Service {
  /// EX_OSERR of sysexits(3): a socket, a thread or memory was not to be had.
  private static let systemStatus: Int32 = 71
  /// EX_CONFIG: what the configuration names is not as it should be.
  static let configurationStatus: Int32 = 78

  /// Runs until a signal ends it.
  /// - Returns: the exit status.
  static func run(_ configuration: Configuration, environment: [String: String]) -> Int32 {
    let log = Log(
      level: configuration.logLevel, format: configuration.logFormat, journalStream: environment["JOURNAL_STREAM"])
    let tokens: BearerTokens?
    do throws(TokenFile.Fault) { tokens = try TokenFile.read(configuration) } catch {
      log.error(error.description)
      return configurationStatus
    }
    TokenFile.warnIfOpen(configuration, log)
    do throws(SystemError) {
      let signals = try Signals()
      let running = try start(configuration, tokens, environment, log)
      waitForEnd(signals, running, configuration, environment, log)
      end(running, log)
      return 0
    } catch {
      log.error(error.description)
      return systemStatus
    }
  }

  /// What has been started and must be ended.
  private struct Running {
    let listeners: Listeners
    let books: [ListenerBooks]
    let share: WorkerShare
    let wakeUps: [WakeUp]
    let workers: [Thread]
    let query: Thread
    let state: AgentState
    let notify: NotifySocket
  }

  private static func start(
    _ configuration: Configuration, _ tokens: BearerTokens?, _ environment: [String: String], _ log: Log
  ) throws(SystemError) -> Running {
    Program.raiseDescriptorLimit()
    let activated = try ActivatedSocket.handedOver { environment[$0] }
    let workerCount = configuration.workers ?? ProcessFacts.processors
    let listeners = try Listeners(configuration, workers: workerCount, activated: activated)
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
    // Each series may have another spelling, and each metric an `__other__` and a count of what went there.
    let capacity = min(configuration.maxSeries * 3 + 4_096, 1 << 30)
    // Bounds are given in the exported unit, which is seconds for what comes in milliseconds.
    let timerBounds = TimerBounds(configuration.buckets.map { $0 * 1_000 })
    let histogramBounds = TimerBounds(configuration.buckets)
    var memories: [TableMemory] = []
    // One more for what comes over HTTP.
    for _ in 0...workerCount {
      memories.append(try TableMemory(capacity: capacity, timerBounds: timerBounds, histogramBounds: histogramBounds))
    }

    let share = WorkerShare(
      streamConnectionLimit: configuration.streamConnections, streamIdle: configuration.streamIdle?.nanoseconds)
    let state = try AgentState()
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
            var worker = try ReceiveWorker(plan: plan, share: share, wakeUp: wakeUp, table: table)
            worker.run()
          }
        })
    }
    let tables = memories
    let wakers = wakeUps
    let settings = QuerySettings(configuration, tokens)
    let shortage = ShortageLog(log)
    let query = try Thread("query") {
      runOrExit(log) { () throws(SystemError) in
        let view = try MergedView(
          tables: tables, hasher: hasher, keyLabels: configuration.protocolKeyLabels, budget: budget,
          settings: .init(
            seriesTTL: configuration.seriesTTL?.wholeSeconds, counterTTL: configuration.counterTTL?.wholeSeconds,
            quantileWindow: configuration.quantileWindow.wholeSeconds, historyBytes: configuration.historyBytes))
        let table = try WorkerTable(
          memory: tables[workerCount], hasher: hasher, reader: configuration.lineReader,
          keyLabels: configuration.protocolKeyLabels, budget: budget)
        let server = try QueryServer(
          view: view, table: table, listeners: listeners.http, books: books, state: state, settings: settings,
          wakeWorker: { wakers[$0].signal() }, reportShortage: { shortage.note($0) })
        server.run()
      }
    }
    state.phase = .serving
    let notify = NotifySocket(name: environment["NOTIFY_SOCKET"])
    tell(notify, log, .ready)
    return Running(
      listeners: listeners, books: books, share: share, wakeUps: wakeUps, workers: workers, query: query, state: state,
      notify: notify
    )
  }

  /// Whoever knew the seeds could send keys that collide. They differ by process; what is said of them does not lead back to them.
  private static func sayHowKeysAreHashed(_ seed: UInt64, _ environment: [String: String], _ log: Log) {
    if environment["SWIFT_DETERMINISTIC_HASHING"] != nil {
      log.warning("SWIFT_DETERMINISTIC_HASHING is set: clients can send keys that collide and take long to find; unset it")
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

  private static func waitForEnd(
    _ signals: Signals, _ running: Running, _ configuration: Configuration, _ environment: [String: String], _ log: Log
  ) {
    while true {
      switch signals.next() {
      case .terminate, .interrupt:
        return exitAtOnce(onSecondOf: signals, log)
      case .hangUp:
        tell(running.notify, log, .reloading)
        Reload.check(against: configuration, environment: environment, running.state, log)
        tell(running.notify, log, .ready)
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

  private static func end(_ running: Running, _ log: Log) {
    running.state.phase = .draining
    tell(running.notify, log, .stopping)
    log.info("draining")
    for socket in running.listeners.ownDatagramSockets {
      do throws(SystemError) { try Socket.refuseArrivals(socket) } catch {
        log.warning(error.description)
      }
    }
    running.share.isDraining.store(true, ordering: .releasing)
    for wakeUp in running.wakeUps { wakeUp.signal() }
    for worker in running.workers { worker.join() }
    running.state.phase = .stopped
    running.query.join()
    for books in running.books { log.info("ledger", fields: ledger(of: books)) }
    for path in running.listeners.paths { File.remove(path) }
    log.info("stopped")
  }

  private static func ledger(of books: ListenerBooks) -> [(name: String, value: Log.Field)] {
    let tally = books.read()
    var fields: [(name: String, value: Log.Field)] = [("listener", .text(books.name))]
    if books.kind == .datagrams {
      fields.append(("datagrams", .integer(tally.datagrams)))
      fields.append(("dropped", .integer(books.kernelDrops())))
    }
    fields.append(("bytes", .integer(tally.bytes)))
    fields.append(("lines", .integer(tally.lines)))
    fields.append(("accepted", .integer(tally.accepted)))
    fields.append(("refused", .integer(tally.lines - tally.accepted)))
    for reason in Refusal.allCases where tally.refused[Int(reason.rawValue)] > 0 {
      fields.append(("refused_\(reason.label)", .integer(tally.refused[Int(reason.rawValue)])))
    }
    let rejected = books.rejectedConnections.load(ordering: .relaxed)
    if rejected > 0 { fields.append(("connections_rejected", .integer(rejected))) }
    return fields
  }

  private static func tell(_ notify: NotifySocket, _ log: Log, _ state: NotifySocket.State) {
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
  init(_ configuration: Configuration, _ tokens: BearerTokens?) {
    self.init(
      flushIntervalNanoseconds: configuration.flushInterval.nanoseconds, httpConnections: configuration.httpConnections,
      httpIdleNanoseconds: configuration.httpIdle?.nanoseconds, quantiles: configuration.quantiles,
      buckets: configuration.buckets, version: Footfall.version, reader: configuration.lineReader,
      keyLabels: configuration.protocolKeyLabels, pageSource: configuration.pageFrom,
      trustedProxies: configuration.trustedProxies, httpRate: configuration.httpRate,
      access: AccessRules(
        tokens: tokens, hostNames: configuration.httpHosts, origins: configuration.corsOrigins))
  }
}
