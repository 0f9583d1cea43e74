import Aggregation
import HTTPQuery
import Platform
import Protocol
import Synchronization

/// How a run ends.
///
///                         own sockets              manager's sockets        streams
///     for good            refuse, drained, closed  left as they are         drained, closed
///     leaving to a start  left in the store        left as they are         left in the store, with the bytes of cut lines
///     handed over         the other has them       the other has them       the other has them, likewise
///
/// What lies in the queue of a socket that is left belongs to the next process.
extension Service {
  enum Ending {
    /// SIGTERM, SIGINT.
    case forGood
    /// SIGUSR2, which the unit says is the signal of a restart (RestartKillSignal=): the next start finds the sockets in the store.
    case leavingToNextStart
    /// `--takeover`.
    case handedOver(TakeoverHost.Agreement)
  }

  static func end(_ running: Running, _ ending: Ending, _ log: Log) {
    running.state.phase = .draining
    tell(running.notify, log, .stopping)
    log.info("draining")
    let kept: Set<String>
    var streams: [HandedStream] = []
    switch ending {
    case .forGood:
      kept = running.listeners.managers
      running.share.keep(kept, streams: 0)
    case .leavingToNextStart:
      kept = Set(running.listeners.sockets.map(\.listener))
      running.share.keep(kept, streams: running.store?.streamRoom ?? 0)
      streams = pause(running)
    case .handedOver(let agreement):
      kept = agreement.kept
    }
    refuseArrivals(running, except: kept, log)
    order(.leave, running)
    for worker in running.workers { worker.join() }
    running.state.phase = .stopped
    running.query.join()
    running.takeover?.close()
    running.sharing?.0.close()
    if let (keeping, thread) = running.keeping { keeping.end(thread, log) }
    running.sharing?.thread.join()
    running.notices.end()
    running.noticesThread.join()
    for books in running.books { log.info("ledger", fields: ledger(of: books, isKept: kept.contains(books.name))) }
    conclude(running, ending, streams, log)
    for (listener, path) in running.listeners.paths where !kept.contains(listener) { File.remove(path) }
    log.info("stopped")
  }

  /// Lets the workers pause, and waits until all have.
  /// - Returns: the streams that they gave out.
  private static func pause(_ running: Running) -> [HandedStream] {
    order(.pause, running)
    if let poll = try? Poll(), (try? poll.add(running.share.hasPaused.descriptor, token: 0, for: .input)) != nil {
      while running.share.paused.load(ordering: .acquiring) < running.workers.count {
        // A tenth of a second, lest a lost wake-up matter.
        poll.wait(milliseconds: 100) { _ in running.share.hasPaused.clear() }
      }
    }
    return running.share.given.withLock { given in
      defer { given = [] }
      return given
    }
  }

  private static func order(_ order: WorkerOrder, _ running: Running) {
    if order == .pause { running.share.paused.store(0, ordering: .relaxed) }
    running.share.order = order
    for wakeUp in running.wakeUps { wakeUp.signal() }
  }

  private static func refuseArrivals(_ running: Running, except kept: Set<String>, _ log: Log) {
    let leaving = running.listeners.sockets.filter { !kept.contains($0.listener) }.flatMap(\.sockets)
    let numbers = Set(leaving.map(\.number))
    for socket in running.listeners.ownDatagramSockets where numbers.contains(socket.number) {
      do throws(SystemError) { try Socket.refuseArrivals(socket) } catch { log.warning(error.description) }
    }
  }

  /// The last word to who follows.
  private static func conclude(_ running: Running, _ ending: Ending, _ streams: [HandedStream], _ log: Log) {
    let drops = running.books.reduce(into: [:]) { $0.merge($1.bookedDrops) { first, _ in first } }
    do {
      switch ending {
      case .forGood: try running.store?.empty()
      case .leavingToNextStart: try running.store?.leave(streams, drops: drops)
      case .handedOver(let agreement): try agreement.conclude(drops: drops)
      }
    } catch {
      log.warning("\(error)", ["streams_cut": .integer(streams.count)])
    }
  }

  private static func ledger(of books: ListenerBooks, isKept: Bool) -> [(name: String, value: Log.Field)] {
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
    for reason in ListenerBooks.Rejection.allCases where books.rejected(reason) > 0 {
      fields.append(("connections_\(reason.label)", .integer(books.rejected(reason))))
    }
    // What the kernel holds, its own part included, is the next process's.
    if isKept && books.kind == .datagrams { fields.append(("left_to_next_bytes", .integer(books.queuedBytes))) }
    return fields
  }

  // MARK: Takeover

  /// Hands over to who has connected; nil if it came to nothing.
  static func handOver(_ running: Running, _ log: Log) -> TakeoverHost.Agreement? {
    guard let host = running.takeover else { return nil }
    return host.talk(running.listeners, log) { kept in
      running.state.phase = .draining
      running.share.keep(kept, streams: .max)
      return pause(running)
    } resume: { streams in
      running.share.offered.withLock { $0 += streams }
      order(.receive, running)
      running.state.phase = .serving
    } meanwhile: {
      running.watchdog.look()
    }
  }

  /// Asks who runs on the state directory for what it has; nil if nobody does, or nobody is to be asked.
  static func askToTakeOver(
    _ configuration: Configuration, _ environment: [String: String], _ log: Log
  ) throws(SystemError) -> TakeoverGuest? {
    guard configuration.takeover else { return nil }
    guard let place = StatePlace(configuration.stateDirectory, environment) else {
      log.warning("takeover: without a state directory there is nobody to ask; set --state-dir")
      return nil
    }
    return try TakeoverGuest.ask("\(place.path)/\(Takeover.socketName)", log)
  }

  static func listenForTakeover(_ stateDirectory: String, _ log: Log) -> TakeoverHost? {
    do throws(SystemError) { return try TakeoverHost(in: stateDirectory) } catch {
      log.warning("no takeover will be possible: \(error)")
      return nil
    }
  }

  /// Goes on with what another process has left: streams, and the number of drops from which this one counts. Returns when that process
  /// has let go of the state directory.
  static func goOn(
    with inheritance: inout Inheritance, from guest: TakeoverGuest?, _ listeners: Listeners, unwanted: [Descriptor],
    _ share: WorkerShare, _ wakeUps: [WakeUp], _ log: Log
  ) {
    if let guest {
      let left = Set(unwanted.map(\.number))
      let wanted = guest.sockets.indices.filter { !left.contains(guest.sockets[$0].descriptor) }
      let more = guest.takeStreams(wanted: wanted, log)
      inheritance.streams += more.streams
      inheritance.notes.streams.merge(more.notes.streams) { _, new in new }
    } else {
      discard(unwanted, log)
    }
    let (streams, lost) = HandedStream.inherited(inheritance, books: listeners.books, workers: wakeUps.count)
    if lost > 0 { log.warning("streams whose listener is no more are cut", ["streams": .integer(lost)]) }
    share.offered.withLock { $0 += streams }
    for wakeUp in wakeUps { wakeUp.signal() }
    let drops = guest?.awaitEnd(log).drops ?? inheritance.notes.drops
    for books in listeners.books { books.beginDrops(from: drops) }
    if guest != nil { log.info("taken over", ["streams": .integer(streams.count)]) }
  }

  /// Closes the books of sockets that came out of the store and that no address asks for any more.
  private static func discard(_ sockets: [Descriptor], _ log: Log) {
    for socket in sockets {
      try? Socket.refuseArrivals(socket)
      log.warning(
        "a socket of the last start is not asked for any more; what waited there is thrown away",
        [
          "address": .text(Socket.localAddress(socket)), "datagrams": .integer(Socket.discard(socket)),
          "dropped": .integer(Int(Socket.drops(socket))),
        ])
    }
  }
}
