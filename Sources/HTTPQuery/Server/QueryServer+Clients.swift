import Aggregation
import Platform
import Synchronization

/// What happens to one client.
extension QueryServer {
  /// Takes up what the poll says of a client.
  func serve(_ client: QueryClient, _ event: Poll.Event) {
    if event.isReadable {
      // Nobody asked whether there is input: then it is an error or a hang-up, and nothing can be answered any more.
      if !client.wantsInput { return drop(client) }
      if !read(client) { return drop(client) }
      shedIfFull(client)
    }
    advance(client)
  }

  /// - Returns: false if the connection is broken.
  private func read(_ client: QueryClient) -> Bool {
    switch room.fill([], from: client.descriptor, atMost: client.readSize) {
    case .bytes:
      room.withBytes { client.connection.receive($0) }
      return true
    case .end:
      client.connection.receiveEnd()
      return true
    case .wouldBlock: return true
    case .failed: return false
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

  /// Takes up requests as long as there is room for answers.
  ///
  /// Two calls, since the compiler makes the usual one, whose closure holds nothing, a tenth cheaper.
  private func answerRequests(_ client: QueryClient) {
    var isDone = false
    while !isDone {
      isDone =
        isWatched(client)
        ? take(client.connection.next(nanoseconds: moment, bodyLimit: { bodyLimit(for: $0, client) }), client)
        : take(client.connection.next(nanoseconds: moment, bodyLimit: { Routes.bodyLimit(for: $0) }), client)
    }
  }

  /// - Returns: true if there was nothing to answer.
  private func take(_ event: consuming Connection.Event, _ client: QueryClient) -> Bool {
    switch consume event {
    case .none: return true
    case .request(let request): take(request, client)
    case .refused(let status): refuse(client, status)
    }
    return false
  }

  private func take(_ request: Request, _ client: QueryClient) {
    client.arrived = moment
    client.route = RequestCounts.noRoute
    client.requestBytes = request.body.count
    if !client.sharing.isEmpty { client.sharing = [] }
    let isSuspect = isWatched(client) || !request.isHarmless || request.method == .delete
    guard !request.isAboutServer, let (group, values) = Routes.find(request.path) else {
      if isSuspect, let refusal = judge(request, client) { return answer(client, refusal) }
      return answer(client, request.isAboutServer ? .options(allow: [.get, .head, .options]) : .fault(.notFound))
    }
    client.route = group.number
    if isSuspect, let refusal = judge(request, client) { return answer(client, refusal) }
    guard let route = group.route(for: request.method) else {
      return answer(
        client,
        request.method == .options ? .options(allow: group.methods) : .methodNotAllowed(allow: group.methods))
    }
    let call = Route.Call(
      request: request, values: values,
      client: address(of: request, client))
    if !route.readsCounts && !(route.writes && isRestoring) { return self.call(route, call, client) }
    wantedGather = state.nextGather
    waiting.append(WaitingRequest(client: client.token, route: route, call: call, gather: wantedGather))
  }

  /// Asks a route for its answer.
  func call(_ route: Route, _ call: Route.Call, _ client: QueryClient) {
    if route.sharesAnswers, let shared = shared?.answer(route, call, gather: state.gathersDone) {
      return answer(client, shared)
    }
    if route.writes, let keeping = state.keeping, keeping.refusesWrites { return answer(client, .cannotKeep) }
    let answer = route.handler(state, call)
    if case .ready(let response) = answer, !route.sharesAnswers { return deliver(response, to: client, route) }
    proceed(
      answer, WaitingRequest(client: client.token, route: route, call: call, gather: state.gathersDone))
  }

  /// Goes on towards an answer, whose client may have gone.
  func proceed(_ answer: Route.Answer, _ request: WaitingRequest) {
    switch answer {
    case .ready(let response):
      if request.route.sharesAnswers {
        shared = SharedAnswer(route: request.route, call: request.call, gather: request.gather, response: response)
      }
      if let client = clients[request.client] { deliver(response, to: client, request.route) }
    case .work(let step):
      // Most work is done in one step.
      if let next = step() { proceed(next, request) } else { jobs.append(Job(request: request, step: step)) }
    case .shared(let asks, let then): park(request, asks, then)
    }
  }

  /// Answers what was no request.
  func refuse(_ client: QueryClient, _ status: Status) {
    client.arrived = moment
    client.route = RequestCounts.noRoute
    client.sharing = []
    answer(client, status == .serviceUnavailable ? .fault(status, retryAfterSeconds: 1) : .fault(status))
  }

  func answer(_ client: QueryClient, _ response: Response) {
    state.requests.add(route: client.route, response.status)
    client.requestBytes = 0
    if client.sharing.isEmpty {
      client.connection.answer(response, stamp(since: client.arrived))
    } else {
      var response = response
      response.fields += client.sharing
      client.connection.answer(response, stamp(since: client.arrived))
    }
  }

  /// What an answer tells of the moment, to a request that came at `arrived`.
  func stamp(since arrived: UInt64) -> AnswerStamp {
    let now = now
    return AnswerStamp(nanoseconds: now, processNanoseconds: now - arrived, date: date.bytes(at: Int64(now)))
  }

  /// Writes until the kernel takes no more.
  /// - Returns: false if the connection is broken.
  func write(_ client: QueryClient) -> Bool {
    while client.connection.pendingCount > 0 {
      switch client.connection.withOutput({ client.descriptor.write($0) }) {
      case .bytes(let count): client.connection.didWrite(count, nanoseconds: moment)
      case .wouldBlock: return true
      case .end, .failed: return false
      }
    }
    return true
  }

  /// Does what the connection's phase asks for, and tells the poll what to wait for.
  private func settle(_ client: QueryClient) {
    let needs = client.connection.needs
    switch needs.phase {
    case .closed: return drop(client)
    case .draining where !client.hasShutDown:
      client.hasShutDown = true
      client.descriptor.shutdownWriting()
    case .draining, .open: break
    }
    account(client, needs.heldCount)
    client.readSize = needs.readSize
    if needs.wantsInput == client.wantsInput && needs.wantsOutput == client.wantsOutput { return }
    client.wantsInput = needs.wantsInput
    client.wantsOutput = needs.wantsOutput
    var interest: Poll.Interest = []
    if needs.wantsInput { interest.insert(.input) }
    if needs.wantsOutput { interest.insert(.output) }
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
    state.heldBytes -= client.heldBytes
    state.sharing?.asking.forget(client.parked)
    if client.isReserved { reserved.removeAll { $0 == client.token } }
    books.connections.wrappingSubtract(1, ordering: .relaxed)
  }
}
