import Aggregation
import Platform
import Protocol
import Synchronization

/// Sockets and streams that another process goes on with.
extension ReceiveWorker {
  /// Lets go of everything, whole batches counted, and waits for what comes of it: streams are given out with the bytes that were left of
  /// them, sockets are read no more.
  ///
  ///     receive ── pause ──▶ paused ─┬─ receive: it came to nothing, all is taken up again
  ///                                  └─ leave: the process ends
  mutating func pause() {
    let poll = poll
    // Those that were offered before the order was given are this worker's to give on.
    takeStreams()
    for source in plan.datagrams + plan.listeners { poll.remove(source.descriptor) }
    for index in inlets.indices { inlets[index].isBusy = false }
    for stream in streams.values { poll.remove(stream.descriptor) }
    giveStreams()
    share.paused.wrappingAdd(1, ordering: .releasing)
    share.hasPaused.signal()
    while share.order == .pause {
      poll.wait(milliseconds: nil) { _ in
        wakeUp.clear()
        // A table looks at what shall leave when a batch begins.
        batch { _ in }
      }
      share.pulses[plan.index].beat()
    }
    if share.order == .receive { resume() }
  }

  private mutating func giveStreams() {
    var given: [HandedStream] = []
    for (token, stream) in streams where share.takesOver(stream.books) {
      given.append(
        HandedStream(
          descriptor: stream.descriptor, sender: stream.sender, books: stream.books, framer: stream.framer,
          rest: stream.rest, worker: plan.index))
      forget(token)
    }
    if !given.isEmpty { share.given.withLock { $0 += given } }
  }

  private mutating func resume() {
    let poll = poll
    for index in plan.datagrams.indices {
      // Without a place in the poll the worker comes back by itself.
      inlets[index].isBusy = (try? Self.watchDatagrams(index, of: plan, in: poll)) == nil
    }
    pausedListeners = []
    for index in plan.listeners.indices where (try? Self.watchListener(index, of: plan, in: poll)) == nil {
      pausedListeners.insert(index)
    }
    for (token, stream) in streams where (try? poll.add(stream.descriptor, token: token, for: .input)) == nil {
      drainStream(token)
    }
    if !streams.isEmpty || !pausedListeners.isEmpty { nextSweep = Clock.monotonic() }
    takeStreams()
  }

  /// Takes the streams up that have been put before this worker.
  mutating func takeStreams() {
    let mine = share.offered.withLock { offered in
      let mine = offered.filter { $0.worker == plan.index }
      offered.removeAll { $0.worker == plan.index }
      return mine
    }
    for handed in mine {
      let now = Clock.monotonic()
      let stream = StreamConnection(handed, now: now)
      lastStream += 1
      streams[lastStream] = stream
      share.goOn(with: handed.sender)
      handed.books.connections.wrappingAdd(1, ordering: .relaxed)
      handed.books.keptBytes.wrappingAdd(handed.rest.count, ordering: .relaxed)
      if nextSweep == .max { nextSweep = now }
      // What cannot be waited for is read to the end of what there is, as at the program's end.
      if (try? poll.add(handed.descriptor, token: lastStream, for: .input)) == nil { drainStream(lastStream) }
    }
  }

  /// Before the thread ends: takes what waits at the sockets that nobody goes on with. Those refuse arrivals by now.
  mutating func drainWhatNobodyTakes() {
    takeStreams()
    let share = share
    drainDatagrams { !share.isKept($0) }
    for index in plan.listeners.indices where !share.isKept(plan.listeners[index]) { accept(index) }
    for token in streams.keys.sorted() { drainStream(token) }
  }
}
