import Aggregation
import Platform
import Synchronization

/// A listening socket.
final class QueryListener {
  let descriptor: Descriptor
  let token: UInt64
  /// Others than this machine may reach it.
  let isBeyondLoopback: Bool
  /// It is out of the poll, since no descriptor was to be had for its next connection.
  var isResting = false

  init(_ descriptor: Descriptor, token: UInt64) {
    self.descriptor = descriptor
    self.token = token
    isBeyondLoopback = !Socket.localAddress(descriptor).sender.isLoopback
  }
}

/// How connections begin.
extension QueryServer {
  /// Connections taken in one turn, so that a flood of them does not starve those that are there.
  private static let acceptsInATurn = 64

  /// Places beyond the limit of connections.
  ///
  /// Who comes to one may ask for `/health` or `/ready`, so that a full server can still be told from a dead one; whatever else is asked
  /// is answered with 503, and either way that is all. When these are taken too, the eldest of them goes: as many as twice one turn's
  /// accepts, so that each is read at least once before.
  static let reservedPlaces = 2 * acceptsInATurn

  func accept(_ listener: QueryListener) {
    for _ in 0..<Self.acceptsInATurn {
      do throws(SystemError) {
        guard let (descriptor, peer) = try Socket.accept(listener.descriptor) else { return }
        try welcome(descriptor, peer.sender, listener)
      } catch {
        // Too many open files, as a rule. The connection stays in the queue, and a poll that is level-triggered would not come to
        // rest: the listener is left alone until the next sweep.
        listener.isResting = true
        noteShortage(error)
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
      noteShortage(error)
    }
  }

  private func noteShortage(_ error: SystemError) {
    books.noteFailedAccept(monotonic: Clock.monotonic())
    reportShortage(error)
  }

  private func welcome(
    _ descriptor: Descriptor, _ address: SenderAddress, _ listener: QueryListener
  ) throws(SystemError) {
    let isReserved = clients.count - reserved.count >= state.settings.httpConnections
    if isReserved && reserved.count >= Self.reservedPlaces, let eldest = clients[reserved[0]] {
      turnAway(eldest)
    }
    let client = QueryClient(
      descriptor, from: address, token: nextToken, isReserved: isReserved, isBeyondLoopback: listener.isBeyondLoopback,
      limits: isReserved ? limits.hurried : limits, memo: memo, nanoseconds: now)
    try poll.add(descriptor, token: client.token, for: .input)
    Socket.sendAtOnce(descriptor)
    nextToken += 1
    clients[client.token] = client
    if isReserved { reserved.append(client.token) }
    books.connections.wrappingAdd(1, ordering: .relaxed)
  }

  /// Answers 503 to who has not asked yet, and closes.
  private func turnAway(_ client: QueryClient) {
    books.rejectedConnections.wrappingAdd(1, ordering: .relaxed)
    if case .refused(let status) = client.connection.shed() {
      refuse(client, status)
      _ = write(client)
      client.descriptor.shutdownWriting()
    }
    drop(client)
  }
}
