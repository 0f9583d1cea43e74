import Aggregation
import Platform
import Synchronization

/// What a request may be refused for before its route is asked: the place it came to, the client's rate, what all clients hold, and who
/// may write.
extension QueryServer {
  /// Bytes that may be held for all clients together, in requests that are coming or waiting and in answers that are going out. Beyond
  /// it nothing is begun but `/health` and `/ready`, and no body is read on that is longer than `smallBytes`: so what is held ends near
  /// this and `smallBytes` a connection.
  static let heldBytesMost = 128 << 20
  /// What a client may hold in any case.
  private static let smallBytes = 65_536

  /// The answer to a request that is refused whatever its route would say; nil: none is. Takes note of which pages may read the answer.
  ///
  /// Not asked where nobody is watched and the request neither deletes nor names a page.
  func judge(_ request: borrowing Request, _ client: QueryClient) -> Response? {
    client.sharing = state.settings.access.sharingFields(for: request)
    if Self.isAlwaysAnswered(request) { return nil }
    if client.isReserved {
      books.rejectedConnections.wrappingAdd(1, ordering: .relaxed)
      return .fault(.serviceUnavailable, retryAfterSeconds: 1)
    }
    if let seconds = rate?.take(address(of: request, client), nanoseconds: moment) {
      state.limitedRequests += 1
      return .fault(.tooManyRequests, retryAfterSeconds: seconds)
    }
    if let refusal = refusal(ofWrite: request, client) { return refusal }
    return isFull || request.isBodyRefused ? .fault(.serviceUnavailable, retryAfterSeconds: 1) : nil
  }

  /// The longest body that the request may bring; nil: it will be refused whatever the body says, so that none is read.
  func bodyLimit(for head: borrowing Request, _ client: QueryClient) -> Int? {
    if client.isReserved || isFull || refusal(ofWrite: head, client) != nil { return nil }
    return Routes.bodyLimit(for: head)
  }

  /// Whose request it is: the connection's peer, or whom a trusted proxy names.
  func address(of request: borrowing Request, _ client: QueryClient) -> SenderAddress {
    ClientAddress.of(request.headers, peer: client.address, trusted: state.settings.trustedProxies)
  }

  /// Gives up a body that is coming when there is no room for it.
  func shedIfFull(_ client: QueryClient) {
    guard isFull, client.connection.needs.heldCount > Self.smallBytes else { return }
    if case .refused(let status) = client.connection.shed() { refuse(client, status) }
  }

  /// Books what a client holds now.
  /// - Parameter count: what its connection holds.
  func account(_ client: QueryClient, _ count: Int) {
    let held = count + client.requestBytes
    if held == client.heldBytes { return }
    state.heldBytes += held - client.heldBytes
    client.heldBytes = held
  }

  private var isFull: Bool { state.heldBytes > Self.heldBytesMost }

  /// Whether each request of a client is to be judged, before its body is read too.
  func isWatched(_ client: QueryClient) -> Bool { isGuarded || isFull || client.isReserved }

  private func refusal(ofWrite request: borrowing Request, _ client: QueryClient) -> Response? {
    switch request.method {
    case .get, .head, .options, .trace, .query: nil
    case .post, .put, .patch, .delete:
      state.settings.access.refusal(ofWrite: request, isBeyondLoopback: client.isBeyondLoopback)
    }
  }

  /// How the server is must be told to whoever asks.
  private static func isAlwaysAnswered(_ request: borrowing Request) -> Bool {
    request.path == ["health"] || request.path == ["ready"]
  }
}
