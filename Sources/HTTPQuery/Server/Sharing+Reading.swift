import Aggregation
import Platform

/// Requests that wait for the shared store.
extension QueryServer {
  /// Requests that may wait at a time; beyond it they are answered without the store.
  private static let parkedMost = 4_096
  /// After this long a request goes on without: the store's own time-outs are shorter.
  private static let longestWait: Int64 = 10_000_000_000

  /// Lets a request wait until all that it asks for has come, or cannot.
  func park(_ request: WaitingRequest, _ asks: [SharedAsk], _ then: @escaping (SharedReplies) -> Route.Answer) {
    guard let sharing = state.sharing, sharing.parked.count < Self.parkedMost else {
      var replies = SharedReplies()
      for ask in asks { replies[ask.key] = .failed("Too many requests wait for Redis") }
      return proceed(then(replies), request)
    }
    sharing.lastParked += 1
    let parked = Sharing.Parked(sharing.lastParked, request, asks, since: Clock.monotonic(), then: then)
    sharing.parked[parked.number] = parked
    clients[request.client]?.parked = parked.number
    if asks.isEmpty { sharing.ready.append(parked) } else { sharing.asking.append(parked) }
  }

  /// Asks the store for as much as it takes now.
  func askOn(_ sharing: Sharing) {
    while !sharing.isAskingFull, let first = sharing.asking.first {
      guard sharing.parked[first.number] != nil, let ask = first.asks.first else {
        sharing.asking.removeFirst()
        continue
      }
      if send(ask, of: first, sharing) { first.asks.removeFirst() } else { sharing.isAskingFull = true }
    }
  }

  /// - Returns: false if the store takes no more now.
  private func send(_ ask: SharedAsk, of parked: Sharing.Parked, _ sharing: Sharing) -> Bool {
    switch ask {
    case .read(let key):
      if let holding = sharing.store.cached(key) {
        sharing.answer(parked, key, .holding(holding, served: nil))
      } else if let ticket = sharing.joinable[key] {
        sharing.asked[ticket]?.waiters.append(parked)
      } else {
        guard let ticket = sharing.ask(key, parked, { sharing.store.read(key, $0) }) else { return false }
        sharing.joinable[key] = ticket
      }
      return true
    case .readAnew(let key): return sharing.ask(key, parked) { sharing.store.read(key, $0) } != nil
    case .reset(let key, let own): return sharing.ask(key, parked) { sharing.store.reset(key, own, $0) } != nil
    case .write(let key):
      if sharing.isUp {
        state.view.share(key)
        sharing.writers[key, default: []].append(parked)
      } else {
        sharing.answer(parked, key, .failed("Redis cannot be reached"))
      }
      return true
    }
  }

  /// Goes on with a request that has what it asked for.
  func resume(_ parked: Sharing.Parked, _ sharing: Sharing) {
    let request = parked.request
    guard sharing.parked.removeValue(forKey: parked.number) != nil else { return }
    let client = clients[request.client]
    client?.parked = 0
    moment = now
    if request.route.sharesAnswers, let client,
      let shared = shared?.answer(request.route, request.call, gather: request.gather)
    {
      answer(client, shared)
    } else {
      proceed(parked.then(parked.replies), request)
    }
    if let client { advance(client) }
  }

  /// Requests that have waited for too long go on without.
  func giveUpLate(_ sharing: Sharing, _ now: Int64) {
    let oldest = now - Self.longestWait
    for parked in sharing.parked.values where parked.since < oldest && parked.left > 0 {
      parked.left = 0
      parked.asks = []
      sharing.ready.append(parked)
    }
  }
}

extension Sharing {
  /// Asks for one key.
  /// - Returns: the ticket; nil if the store takes no more now.
  func ask(_ key: SharedKey, _ waiter: Parked?, _ send: (UInt64) -> Bool) -> UInt64? {
    guard send(lastTicket + 1) else { return nil }
    lastTicket += 1
    asked[lastTicket] = Asked(key: key, waiters: waiter.map { [$0] } ?? [])
    return lastTicket
  }

  /// The answer to a read or a reset.
  func take(_ reply: SharedReply, for ticket: UInt64) {
    guard let asked = asked.removeValue(forKey: ticket) else { return }
    if joinable[asked.key] == ticket { joinable[asked.key] = nil }
    totals.take(reply, for: ticket)
    for waiter in asked.waiters { answer(waiter, asked.key, reply) }
  }

  /// One of the things that a request waits for.
  func answer(_ parked: Parked, _ key: SharedKey, _ reply: SharedReply) {
    // It may have gone on without.
    if parked.left == 0 { return }
    parked.replies[key] = reply
    parked.left -= 1
    if parked.left == 0 { ready.append(parked) }
  }

  /// A client has gone: nobody waits for its answer. What writes goes on to its end all the same.
  func forget(_ client: QueryClient) {
    guard let parked = parked[client.parked], !parked.request.route.writes else { return }
    self.parked[client.parked] = nil
  }
}
