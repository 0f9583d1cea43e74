import Aggregation

/// What requests ask of the shared store: who waits, and what is under way for them.
///
///     park ─▶ to ask ─▶ store, or what it knows ─▶ news ─▶ ready: the request goes on
///
/// Most wait for the answer of a read that is under way for somebody else.
final class Asking {
  /// Requests that may wait at a time; beyond it they are answered without the store.
  static let limit = 4_096
  /// After so many nanoseconds a request goes on without: the store's own time-outs are shorter.
  static let longestWait: Int64 = 10_000_000_000

  /// A request that waits.
  final class Parked {
    let number: UInt64
    let request: QueryServer.WaitingRequest
    let since: Int64
    let then: (SharedReplies) -> Route.Answer
    /// What is still to be asked.
    fileprivate var asks: ArraySlice<SharedAsk>
    /// What is still to come, that included.
    fileprivate var left: Int
    fileprivate(set) var replies = SharedReplies()

    fileprivate init(
      _ number: UInt64, _ request: QueryServer.WaitingRequest, _ asks: [SharedAsk], since: Int64,
      _ then: @escaping (SharedReplies) -> Route.Answer
    ) {
      self.number = number
      self.request = request
      self.since = since
      self.then = then
      self.asks = asks[...]
      left = asks.count
    }
  }

  /// A read or a reset under way.
  private struct Asked {
    let key: SharedKey
    let isRead: Bool
    var waiters: [Parked]
  }

  private let store: SharedStore
  /// By numbers that go up.
  private var parked: [UInt64: Parked] = [:]
  private var lastParked: UInt64 = 0
  private var toAsk: [Parked] = []
  private var ready: [Parked] = []
  /// By ticket.
  private var asked: [UInt64: Asked] = [:]
  private var lastTicket: UInt64 = 0
  /// Reads under way that others may wait for as well.
  private var joinable: [SharedKey: UInt64] = [:]
  /// Who waits for a total that is still to be collected.
  var writers: [SharedKey: [Parked]] = [:]
  /// The store takes no more asks until it says so.
  var isFull = false

  init(_ store: SharedStore) { self.store = store }

  /// Whether nobody waits.
  var isIdle: Bool { parked.isEmpty }
  /// Whether something can be done at once.
  var canGoOn: Bool { !ready.isEmpty || !toAsk.isEmpty && !isFull }

  // MARK: Requests

  /// Lets a request wait until all that it asks for has come, or cannot.
  /// - Returns: its number; nil if too many wait.
  func park(
    _ request: QueryServer.WaitingRequest, _ asks: [SharedAsk], now: Int64,
    _ then: @escaping (SharedReplies) -> Route.Answer
  ) -> UInt64? {
    if parked.count >= Self.limit { return nil }
    lastParked += 1
    let one = Parked(lastParked, request, asks, since: now, then)
    parked[lastParked] = one
    if asks.isEmpty { ready.append(one) } else { toAsk.append(one) }
    return lastParked
  }

  /// The next request that has all that it asked for.
  func nextReady() -> Parked? {
    while !ready.isEmpty {
      let one = ready.removeFirst()
      if parked.removeValue(forKey: one.number) != nil { return one }
    }
    return nil
  }

  /// A client has gone: nobody waits for its answer. What it asked to be written goes on all the same.
  func forget(_ number: UInt64) {
    guard let one = parked[number], !one.request.route.writes else { return }
    parked[number] = nil
  }

  /// Requests that have waited for too long go on without.
  func giveUpLate(_ now: Int64) {
    for one in parked.values where one.since < now - Self.longestWait && one.left > 0 {
      one.left = 0
      one.asks = []
      ready.append(one)
    }
  }

  /// One of the things that a request waits for.
  func answer(_ one: Parked, _ key: SharedKey, _ reply: SharedReply) {
    // It may have gone on without.
    if one.left == 0 { return }
    one.replies[key] = reply
    one.left -= 1
    if one.left == 0 { ready.append(one) }
  }

  // MARK: The store

  /// Asks the store for as much as it takes now.
  /// - Parameter share: has a total written; false: that cannot be done now.
  func askOn(share: (SharedKey) -> Bool) {
    while !isFull, let first = toAsk.first {
      guard parked[first.number] != nil, let ask = first.asks.first else {
        toAsk.removeFirst()
        continue
      }
      if send(ask, of: first, share) { first.asks.removeFirst() } else { isFull = true }
    }
  }

  /// - Returns: false if the store takes no more now.
  private func send(_ ask: SharedAsk, of one: Parked, _ share: (SharedKey) -> Bool) -> Bool {
    switch ask {
    case .read(let key):
      if let holding = store.cached(key) {
        answer(one, key, .holding(holding, served: nil))
      } else if let ticket = joinable[key] {
        asked[ticket]?.waiters.append(one)
      } else {
        guard let ticket = read(key, for: one) else { return false }
        joinable[key] = ticket
      }
      return true
    case .readAnew(let key): return read(key, for: one) != nil
    case .reset(let key, let own):
      guard store.reset(key, own, lastTicket + 1) else { return false }
      note(Asked(key: key, isRead: false, waiters: [one]))
      // Until something is heard of it.
      one.replies[key] = .unanswered
      return true
    case .write(let key):
      if share(key) { writers[key, default: []].append(one) } else { answer(one, key, .failed) }
      return true
    }
  }

  /// Asks for what is held under a key.
  /// - Returns: the ticket; nil if the store takes no more now.
  func read(_ key: SharedKey, for waiter: Parked? = nil) -> UInt64? {
    guard store.read(key, lastTicket + 1) else { return nil }
    note(Asked(key: key, isRead: true, waiters: waiter.map { [$0] } ?? []))
    return lastTicket
  }

  private func note(_ one: Asked) {
    lastTicket += 1
    asked[lastTicket] = one
  }

  /// The answer to a read or a reset.
  func take(_ reply: SharedReply, for ticket: UInt64) {
    guard let one = asked.removeValue(forKey: ticket) else { return }
    if joinable[one.key] == ticket { joinable[one.key] = nil }
    var reply = reply
    // Where the server is away, what it said last will do.
    if one.isRead, !one.waiters.isEmpty, case .failed = reply, let holding = store.cached(one.key) {
      reply = .holding(holding, served: nil)
    }
    for waiter in one.waiters { answer(waiter, one.key, reply) }
  }
}
