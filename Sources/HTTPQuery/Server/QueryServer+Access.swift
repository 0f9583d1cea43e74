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
  func judge(_ request: borrowing Request, _ client: QueryClient) -> Response? {
    if !client.sharing.isEmpty { client.sharing = [] }
    if !request.isBodyRefused && isUsual(request, client) { return nil }
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
    if !isUsual(head, client) && (client.isReserved || isFull || refusal(ofWrite: head, client) != nil) { return nil }
    return Routes.bodyLimit(for: head)
  }

  /// Whose request it is: the connection's peer, or whom a trusted proxy names.
  func address(of request: borrowing Request, _ client: QueryClient) -> SenderAddress {
    ClientAddress.of(request.headers, peer: client.address, trusted: state.settings.trustedProxies)
  }

  /// Gives up a body that is coming when there is no room for it.
  func shedIfFull(_ client: QueryClient) {
    guard isFull, client.connection.heldCount > Self.smallBytes else { return }
    if case .refused(let status) = client.connection.shed() { refuse(client, status) }
  }

  /// Books what a client holds now.
  func account(_ client: QueryClient) {
    let held = client.connection.heldCount + client.requestBytes
    state.heldBytes += held - client.heldBytes
    client.heldBytes = held
  }

  private var isFull: Bool { state.heldBytes > Self.heldBytesMost }

  /// Whether nothing has to be asked: somebody reads, or writes from no page, where nothing is limited.
  private func isUsual(_ request: borrowing Request, _ client: QueryClient) -> Bool {
    !isGuarded && !isFull && !request.namesOrigin && !client.isReserved
      && (request.method != .delete || !client.isBeyondLoopback)
  }

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
