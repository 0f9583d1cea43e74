import Aggregation
import Bytes
import HTTPQuery
import Platform
import Protocol
import Synchronization

/// Connections: accepted, read, idle, closed.
extension ReceiveWorker {
  /// Reads of one stream before the others get their turn.
  private static var readsInARow: Int { 4 }
  private static var sweepNanoseconds: Int64 { 1_000_000_000 }

  static func watchListener(_ index: Int, of plan: WorkerPlan, in poll: Poll) throws(SystemError) {
    let source = plan.listeners[index]
    try poll.add(
      source.descriptor, token: Token.firstListener + UInt64(index),
      for: source.isShared ? [.input, .exclusive] : .input)
  }

  /// Takes every connection that waits. One beyond the limit is closed at once and counted.
  mutating func accept(_ index: Int) {
    let source = plan.listeners[index]
    do throws(SystemError) {
      while let (descriptor, peer) = try Socket.accept(source.descriptor) {
        let sender = peer.sender
        if let reason = filter.hears(sender) ? share.enter(sender, settings) : .refusedSource {
          reject(source.books, reason)
          continue
        }
        lastStream += 1
        let now = Clock.monotonic()
        let stream = StreamConnection(
          descriptor, from: sender, books: source.books, mayBePrefixed: source.mayBePrefixed, now: now)
        do throws(SystemError) { try poll.add(descriptor, token: lastStream, for: .input) } catch {
          share.leave(sender)
          throw error
        }
        streams[lastStream] = stream
        source.books.connections.wrappingAdd(1, ordering: .relaxed)
        nextSweep = min(nextSweep, now + sweepInterval)
      }
      pausedListeners.remove(index)
    } catch {
      // No descriptor is free: a listener that stays readable would spin. The next sweep tries again.
      poll.remove(source.descriptor)
      pausedListeners.insert(index)
      source.books.noteFailedAccept(monotonic: Clock.monotonic())
      share.agent.notices.signal()
      nextSweep = min(nextSweep, Clock.monotonic() + Self.sweepNanoseconds)
    }
  }

  private func reject(_ books: ListenerBooks, _ reason: ListenerBooks.Rejection) {
    books.reject(reason)
    share.agent.notices.signal()
  }

  /// Reads what a stream has, up to a share; counts its lines.
  mutating func readStream(_ token: UInt64) {
    guard let stream = streams[token] else { return }
    for _ in 0..<Self.readsInARow {
      switch buffer.fill(stream.rest, from: stream.descriptor) {
      case .bytes(let count):
        countLines(of: stream, bytesRead: count)
        // A read that did not fill the buffer took all there was.
        if count < StreamBuffer.readSize {
          stream.lastActive = Clock.monotonic()
          return
        }
      case .wouldBlock: return
      case .end: return close(token, countsRest: true)
      case .failed: return close(token, countsRest: true)
      }
    }
    stream.lastActive = Clock.monotonic()
  }

  /// Reads what the kernel still holds of a stream. A line that has no end yet is not a line: the client may be about to send the rest
  /// of it, and half a line would count something else. It is refused as cut.
  mutating func drainStream(_ token: UInt64) {
    guard let stream = streams[token] else { return }
    while case .bytes(let count) = buffer.fill(stream.rest, from: stream.descriptor) {
      countLines(of: stream, bytesRead: count)
    }
    if !stream.rest.isEmpty {
      batch { table in
        table.tally = LineTally()
        table.refuse(.truncated, from: stream.sender)
      }
      stream.books.ledgers[plan.index].add(table.tally)
    }
    close(token, countsRest: false)
  }

  /// Closes a stream whose line takes too long. Half a line would count something else, so it is refused as cut; of one too long it has
  /// been booked already.
  private mutating func closeSlow(_ token: UInt64) {
    guard let stream = streams[token] else { return }
    if !stream.rest.isEmpty {
      batch { table in
        table.tally = LineTally()
        table.refuse(.truncated, from: stream.sender)
      }
      stream.books.ledgers[plan.index].add(table.tally)
    }
    reject(stream.books, .slowLine)
    close(token, countsRest: false)
  }

  private mutating func countLines(of stream: StreamConnection, bytesRead: Int) {
    table.beginBatch(monotonic: Clock.monotonic(), wall: Clock.wall() / 1_000_000_000)
    table.tally = LineTally()
    table.tally.bytes = UInt64(bytesRead)
    var start = 0
    var rest: [UInt8]?
    while rest == nil {
      switch buffer.withBytes({ stream.framer.next($0, from: &start) }) {
      case .lines(let range), .packet(let range):
        buffer.withLines(range) { table.count($0, from: stream.sender) }
        stream.lineBegan = nil
      case .tooLong: table.refuse(.tooLong, from: stream.sender)
      case .rest(let from): rest = copyRest(from)
      }
    }
    keep(rest ?? [], of: stream)
    table.endBatch()
    stream.books.ledgers[plan.index].add(table.tally)
  }

  private func keep(_ rest: [UInt8], of stream: StreamConnection) {
    if rest.isEmpty && !stream.framer.isSkipping {
      stream.lineBegan = nil
    } else if stream.lineBegan == nil {
      stream.lineBegan = Clock.monotonic()
    }
    if rest.count != stream.rest.count {
      stream.books.keptBytes.wrappingAdd(rest.count - stream.rest.count, ordering: .relaxed)
    }
    stream.rest = rest
  }

  private func copyRest(_ from: Int) -> [UInt8] {
    buffer.withBytes { bytes in
      if from == bytes.count { return [] }
      // Safe: exactly the announced number of elements is set.
      return unsafe [UInt8](unsafeUninitializedCapacity: bytes.count - from) { room, count in
        for index in from..<bytes.count { unsafe room.initializeElement(at: index - from, to: bytes[index]) }
        count = bytes.count - from
      }
    }
  }

  private mutating func close(_ token: UInt64, countsRest: Bool) {
    guard let stream = streams.removeValue(forKey: token) else { return }
    if countsRest, !stream.rest.isEmpty {
      let left = stream.rest
      if case .packet(let range)? = stream.framer.finish(left.span, from: 0) {
        PaddedText(left[range]).read { bytes in
          table.beginBatch(monotonic: Clock.monotonic(), wall: Clock.wall() / 1_000_000_000)
          table.tally = LineTally()
          table.count(bytes, from: stream.sender)
          table.endBatch()
        }
        stream.books.ledgers[plan.index].add(table.tally)
      }
    }
    leaveBooks(of: stream)
  }

  /// Lets go of a stream that is not closed here.
  mutating func forget(_ token: UInt64) {
    if let stream = streams.removeValue(forKey: token) { leaveBooks(of: stream) }
  }

  private func leaveBooks(of stream: StreamConnection) {
    if !stream.rest.isEmpty { stream.books.keptBytes.wrappingSubtract(stream.rest.count, ordering: .relaxed) }
    stream.books.connections.wrappingSubtract(1, ordering: .relaxed)
    share.leave(stream.sender)
  }

  // MARK: Time

  /// How often idle and slow streams are looked for: often enough to be at most a quarter late.
  private var sweepInterval: Int64 {
    let shortest = min(settings.streamIdle ?? .max, settings.lineTime ?? .max)
    return max(50_000_000, min(Self.sweepNanoseconds, shortest / 4))
  }

  func millisecondsToSweep() -> Int? {
    if nextSweep == .max { return nil }
    return Int(max(0, nextSweep - Clock.monotonic()) / 1_000_000) + 1
  }

  /// Closes idle and slow streams and takes paused listeners up again.
  mutating func sweep() {
    let now = Clock.monotonic()
    for (token, stream) in streams {
      if let longest = settings.lineTime, let began = stream.lineBegan, now - began > longest {
        closeSlow(token)
      } else if let idle = settings.streamIdle, now - stream.lastActive > idle {
        reject(stream.books, .idle)
        close(token, countsRest: true)
      }
    }
    for index in pausedListeners where (try? Self.watchListener(index, of: plan, in: poll)) != nil {
      // It is paused until it has accepted what waits, or nothing does.
      accept(index)
    }
    nextSweep = streams.isEmpty && pausedListeners.isEmpty ? .max : now + sweepInterval
  }

  /// Takes up settings that have changed. Whoever is not heard any more is closed.
  mutating func takeUp(_ new: WorkerSettings) {
    settings = new
    filter = AddressFilter(new.allowed)
    for (token, stream) in streams where !filter.hears(stream.sender) {
      reject(stream.books, .refusedSource)
      close(token, countsRest: true)
    }
    if nextSweep != .max { nextSweep = min(nextSweep, Clock.monotonic() + sweepInterval) }
  }
}
