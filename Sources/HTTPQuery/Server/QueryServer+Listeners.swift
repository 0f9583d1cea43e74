import Aggregation
import Platform
import Synchronization

/// A listening socket.
final class QueryListener {
  let descriptor: Descriptor
  let token: UInt64
  /// It is out of the poll, since no descriptor was to be had for its next connection.
  var isResting = false

  init(_ descriptor: Descriptor, token: UInt64) {
    self.descriptor = descriptor
    self.token = token
  }
}

/// How connections begin.
extension QueryServer {
  /// Connections taken in one turn, so that a flood of them does not starve those that are there.
  private static let acceptsInATurn = 64

  func accept(_ listener: QueryListener) {
    for _ in 0..<Self.acceptsInATurn {
      do throws(SystemError) {
        guard let (descriptor, peer) = try Socket.accept(listener.descriptor) else { return }
        if clients.count < state.settings.httpConnections {
          try welcome(descriptor, peer.sender)
        } else {
          turnAway(descriptor)
        }
      } catch {
        // Too many open files, as a rule. The connection stays in the queue, and a poll that is level-triggered would not come to
        // rest: the listener is left alone until the next sweep.
        listener.isResting = true
        return poll.remove(listener.descriptor)
      }
    }
  }

  /// Takes a listener up again.
  func wake(_ listener: QueryListener) {
    do throws(SystemError) {
      try poll.add(listener.descriptor, token: listener.token, for: .input)
      listener.isResting = false
    } catch {
      // It stays at rest until the next sweep.
    }
  }

  private func welcome(_ descriptor: Descriptor, _ address: SenderAddress) throws(SystemError) {
    let client = QueryClient(descriptor, from: address, token: nextToken, limits: limits, memo: memo, nanoseconds: now)
    try poll.add(descriptor, token: client.token, for: .input)
    Socket.sendAtOnce(descriptor)
    nextToken += 1
    clients[client.token] = client
    books.connections.wrappingAdd(1, ordering: .relaxed)
  }

  /// Answers 503 without waiting for the request, and closes.
  private func turnAway(_ descriptor: Descriptor) {
    books.rejectedConnections.wrappingAdd(1, ordering: .relaxed)
    let begin = now
    var connection = Connection(limits: limits, nanoseconds: begin)
    _ = connection.refuse(.serviceUnavailable)
    connection.answer(.fault(.serviceUnavailable, retryAfterSeconds: 1), stamp(since: begin))
    state.requests.add(route: RequestCounts.noRoute, .serviceUnavailable)
    _ = connection.withOutput { descriptor.write($0) }
    descriptor.shutdownWriting()
    // What is unread at the close resets the connection, and the answer would be lost.
    // Safe: read(2) fills no more than the room, and nobody looks at it.
    unsafe withUnsafeTemporaryAllocation(byteCount: 16_384, alignment: 16) { unsafe _ = descriptor.read(into: $0) }
  }
}
