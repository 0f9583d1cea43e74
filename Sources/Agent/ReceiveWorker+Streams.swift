import Aggregation
import Bytes
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
        if share.streamConnections.wrappingAdd(1, ordering: .relaxed).newValue > share.streamConnectionLimit {
          share.streamConnections.wrappingSubtract(1, ordering: .relaxed)
          source.books.rejectedConnections.wrappingAdd(1, ordering: .relaxed)
          continue
        }
        lastStream += 1
        let now = Clock.monotonic()
        let stream = StreamConnection(
          descriptor, from: peer.sender, books: source.books, mayBePrefixed: source.mayBePrefixed, now: now)
        try poll.add(descriptor, token: lastStream, for: .input)
        streams[lastStream] = stream
        source.books.connections.wrappingAdd(1, ordering: .relaxed)
        if nextSweep == .max { nextSweep = now + sweepInterval }
      }
    } catch {
      // No descriptor is free: a listener that stays readable would spin. The next sweep tries again.
      poll.remove(source.descriptor)
      pausedListeners.append(index)
      nextSweep = min(nextSweep, Clock.monotonic() + Self.sweepNanoseconds)
    }
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

  private mutating func countLines(of stream: StreamConnection, bytesRead: Int) {
    table.beginBatch(monotonic: Clock.monotonic(), wall: Clock.wall() / 1_000_000_000)
    table.tally = LineTally()
    table.tally.bytes = UInt64(bytesRead)
    var start = 0
    var rest: [UInt8]?
    while rest == nil {
      switch buffer.withBytes({ stream.framer.next($0, from: &start) }) {
      case .lines(let range), .packet(let range): buffer.withLines(range) { table.count($0, from: stream.sender) }
      case .tooLong: table.refuse(.tooLong, from: stream.sender)
      case .rest(let from): rest = copyRest(from)
      }
    }
    stream.rest = rest ?? []
    table.endBatch()
    stream.books.ledgers[plan.index].add(table.tally)
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
    stream.books.connections.wrappingSubtract(1, ordering: .relaxed)
    share.streamConnections.wrappingSubtract(1, ordering: .relaxed)
  }

  // MARK: Time

  /// How often idle streams are looked for: often enough to be at most a quarter late.
  private var sweepInterval: Int64 { max(50_000_000, min(Self.sweepNanoseconds, (share.streamIdle ?? .max) / 4)) }

  func millisecondsToSweep() -> Int? {
    if nextSweep == .max { return nil }
    return Int(max(0, nextSweep - Clock.monotonic()) / 1_000_000) + 1
  }

  /// Closes idle streams and takes paused listeners up again.
  mutating func sweep() {
    let now = Clock.monotonic()
    if let idle = share.streamIdle {
      for (token, stream) in streams where now - stream.lastActive > idle { close(token, countsRest: true) }
    }
    let paused = pausedListeners
    pausedListeners = []
    for index in paused {
      if (try? Self.watchListener(index, of: plan, in: poll)) == nil { pausedListeners.append(index) }
    }
    nextSweep = streams.isEmpty && pausedListeners.isEmpty ? .max : now + sweepInterval
  }
}
