import Aggregation
import Platform
import Synchronization

/// What happens to one client.
extension QueryServer {
  /// Bytes read at a time.
  private static let readBytes = 16_384

  /// Takes up what the poll says of a client.
  func serve(_ client: QueryClient, _ event: Poll.Event) {
    if event.isReadable {
      // Nobody asked whether there is input: then it is an error or a hang-up, and nothing can be answered any more.
      if !client.interest.contains(.input) { return drop(client) }
      if !read(client) { return drop(client) }
    }
    advance(client)
  }

  /// - Returns: false if the connection is broken.
  private func read(_ client: QueryClient) -> Bool {
    unsafe withUnsafeTemporaryAllocation(byteCount: Self.readBytes, alignment: 16) { room in
      switch unsafe client.descriptor.read(into: room) {
      case .bytes(let count):
        // Safe: the kernel has written so many.
        let bytes = unsafe UnsafeRawBufferPointer(rebasing: room[..<count])
        unsafe bytes.withMemoryRebound(to: UInt8.self) { unsafe client.connection.receive($0.span) }
        return true
      case .end:
        client.connection.receiveEnd()
        return true
      case .wouldBlock: return true
      case .failed: return false
      }
    }
  }

  /// Brings a client as far as it gets now: requests answered, output written, one piece of a stream made.
  func advance(_ client: QueryClient) {
    answerRequests(client)
    guard write(client) else { return drop(client) }
    if client.connection.wantsProduce {
      client.connection.produce(nanoseconds: now)
      guard write(client) else { return drop(client) }
    }
    // Behind what has gone out requests may wait.
    answerRequests(client)
    settle(client)
  }

  /// Has every stream that waits for news look whether there is some. One whose client has not taken the last piece is passed over.
  func publish() {
    for client in Array(clients.values) where client.connection.awaitsNews {
      client.connection.produce(nanoseconds: now)
      advance(client)
    }
  }

  private func answerRequests(_ client: QueryClient) {
    while true {
      switch client.connection.next(nanoseconds: now, bodyLimit: { Routes.bodyLimit(for: $0) }) {
      case .none: return
      case .request(let request): take(request, client)
      case .refused(let status): refuse(client, status)
      }
    }
  }

  private func take(_ request: Request, _ client: QueryClient) {
    client.arrived = now
    client.route = RequestCounts.noRoute
    let routes = Routes.matching(request.path)
    guard let pattern = routes.first?.route.pattern, !request.isAboutServer else {
      return answer(client, request.isAboutServer ? .options(allow: [.get, .head, .options]) : .fault(.notFound))
    }
    client.route = pattern
    let method: Method = request.method == .head ? .get : request.method
    guard let (route, values) = routes.first(where: { $0.route.method == method }) else {
      let methods = Routes.methods(of: routes.map(\.route))
      return answer(client, method == .options ? .options(allow: methods) : .methodNotAllowed(allow: methods))
    }
    let call = Route.Call(
      request: request, values: values,
      client: ClientAddress.of(request.headers, peer: client.address, trusted: state.settings.trustedProxies))
    if !route.readsCounts { return self.call(route, call, client) }
    wantedGather = state.nextGather
    waiting.append(WaitingRequest(client: client.token, route: route, call: call, gather: wantedGather))
  }

  /// Asks a route for its answer.
  func call(_ route: Route, _ call: Route.Call, _ client: QueryClient) {
    switch route.handler(state, call) {
    case .ready(let response): answer(client, response)
    case .work(let step): jobs.append(Job(client: client.token, step: step))
    }
  }

  /// Answers what was no request.
  func refuse(_ client: QueryClient, _ status: Status) {
    client.arrived = now
    client.route = RequestCounts.noRoute
    answer(client, .fault(status))
  }

  func answer(_ client: QueryClient, _ response: Response) {
    state.requests.add(route: client.route, code: response.status.rawValue)
    client.connection.answer(response, stamp(since: client.arrived))
  }

  /// What an answer tells of the moment, to a request that came at `arrived`.
  func stamp(since arrived: UInt64) -> AnswerStamp {
    let now = now
    return AnswerStamp(nanoseconds: now, processNanoseconds: now - arrived, date: date.bytes(wall: Clock.wall()))
  }

  /// Writes until the kernel takes no more.
  /// - Returns: false if the connection is broken.
  private func write(_ client: QueryClient) -> Bool {
    while client.connection.pendingCount > 0 {
      switch client.connection.withOutput({ client.descriptor.write($0) }) {
      case .bytes(let count): client.connection.didWrite(count, nanoseconds: now)
      case .wouldBlock: return true
      case .end, .failed: return false
      }
    }
    return true
  }

  /// Does what the connection's phase asks for, and tells the poll what to wait for.
  private func settle(_ client: QueryClient) {
    switch client.connection.phase {
    case .closed: return drop(client)
    case .draining where !client.hasShutDown:
      client.hasShutDown = true
      client.descriptor.shutdownWriting()
    case .draining, .open: break
    }
    var interest: Poll.Interest = []
    if client.connection.wantsInput { interest.insert(.input) }
    if client.connection.pendingCount > 0 || client.connection.wantsProduce { interest.insert(.output) }
    if interest == client.interest { return }
    client.interest = interest
    do throws(SystemError) {
      try poll.modify(client.descriptor, token: client.token, for: interest)
    } catch {
      drop(client)
    }
  }

  /// Closes a connection. The poll forgets a descriptor that is closed.
  func drop(_ client: QueryClient) {
    if clients.removeValue(forKey: client.token) == nil { return }
    poll.remove(client.descriptor)
    books.connections.wrappingSubtract(1, ordering: .relaxed)
  }
}
