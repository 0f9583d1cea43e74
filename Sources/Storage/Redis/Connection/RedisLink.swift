import Platform

/// What a link tells its owner. All calls come from the Redis thread, in the midst of `handle`, `tick` or `flush`.
protocol RedisLinkOwner: AnyObject {
  func link(_ link: RedisLink, answered request: RedisRequest, with reply: RESPValue)
  /// The connection is gone, and with it the answers to these.
  func link(_ link: RedisLink, lost requests: [RedisRequest], because reason: String)
  /// The answer to this cannot be read, nor could it if it were sent again.
  func link(_ link: RedisLink, gaveUp request: RedisRequest, because reason: String)
  /// Commands may be sent now.
  func linkIsReady(_ link: RedisLink)
}

/// The connection to one server, made again whenever it is lost.
///
///     down ──▶ looking up ──▶ connecting ──▶ greeting ──▶ ready
///      ▲            │              │             │          │     any failure: down, for a time that doubles
///      └────────────┴──────────────┴─────────────┴──────────┘
///
/// Never blocks. Commands are gathered until `flush`, and answered in the order in which they were sent. What waits is bounded
/// (`RedisBounds`). A reply that takes longer than the time-out ends the connection, since all others wait behind it.
final class RedisLink {
  private enum State {
    case down(until: Int64)
    case looking(NameLookup, deadline: Int64)
    case connecting(deadline: Int64)
    case greeting(RedisGreeting, deadline: Int64)
    case ready
  }

  /// A command that was sent; nil: nobody waits for its answer.
  private struct Sent {
    var request: RedisRequest?
    var at: Int64
  }

  let url: RedisURL
  /// How the server is named to people.
  let urlText: String
  /// What the poll knows the connection by; another one for each.
  private(set) var token: UInt64 = 0
  /// Why the last connection failed; nil: none has.
  private(set) var trouble: String?
  /// Whether the server belongs to a Cluster, as it last said.
  private(set) var isCluster = false
  /// Sent so far.
  private(set) var commands: UInt64 = 0
  private(set) var bytesSent: UInt64 = 0
  /// Whether the owner has no more use for it.
  var isRetired = false
  /// Whether others were told last that the server is there; nil: they were told nothing.
  var isKnownUp: Bool?

  private let settings: RedisSettings
  private let poll: Poll
  private let wakeUp: WakeUp
  private unowned let owner: any RedisLinkOwner
  private let name: String
  private var state = State.down(until: 0)
  private var socket: Descriptor?
  private var addresses: [SocketAddress] = []
  private var decoder = RESPDecoder()
  private var scratch: [UInt8] = []
  private var outbox: [UInt8] = []
  private var written = 0
  private var wantsOutput = false
  private var sent = Queue<Sent>()
  private var heardAt: Int64 = 0
  private var backoff = Backoff()
  private var formerID: Int64?
  private var random = SystemRandomNumberGenerator()

  /// - Parameter settings: of all links; the URL's user, password and database are those of this one.
  init(_ url: RedisURL, _ settings: RedisSettings, poll: Poll, wakeUp: WakeUp, owner: any RedisLinkOwner) {
    self.url = url
    urlText = url.description
    self.settings = settings
    self.poll = poll
    self.wakeUp = wakeUp
    self.owner = owner
    name = "footfall-\(String(UInt64.random(in: .min ... .max), radix: 16))"
  }

  /// Whether commands are taken.
  var isReady: Bool { if case .ready = state { true } else { false } }
  /// Whether the server can be asked for the map of its Cluster.
  var knowsMap: Bool { isReady && isCluster }
  /// Commands without an answer.
  var waiting: Int { sent.count }

  // MARK: Sending

  /// Takes a command to be sent with the next `flush`.
  /// - Returns: false if the server is not there or too much waits for it already.
  func send(_ request: RedisRequest, now: Int64) -> Bool {
    let room = RedisBounds.outbox - (outbox.count - written)
    guard isReady, sent.count + 2 <= RedisBounds.inFlight, request.command.bytes.count + 64 <= room else {
      return false
    }
    if request.isAsking { append(RESPCommand("ASKING"), nil, now) }
    append(request.command, request, now)
    return true
  }

  private func append(_ command: RESPCommand, _ request: RedisRequest?, _ now: Int64) {
    outbox.append(contentsOf: command.bytes)
    sent.append(Sent(request: request, at: now))
    commands += 1
  }

  /// Hands to the kernel what it takes.
  func flush(now: Int64) {
    guard let socket, written < outbox.count else { return }
    if case .connecting = state { return }
    while written < outbox.count {
      switch socket.write(outbox.span.extracting(written..<outbox.count)) {
      case .bytes(let count):
        written += count
        bytesSent += UInt64(count)
      case .wouldBlock:
        if written > outbox.count / 2 {
          outbox.removeFirst(written)
          written = 0
        }
        return wait(forOutput: true, socket, now)
      case .end: return fail("closed while writing", now)
      case .failed(let number): return fail(SystemError("write", "\(url.place)", number: number).description, now)
      }
    }
    outbox.removeAll(keepingCapacity: outbox.count < 256 << 10)
    written = 0
    wait(forOutput: false, socket, now)
  }

  private func wait(forOutput: Bool, _ socket: Descriptor, _ now: Int64) {
    if wantsOutput == forOutput { return }
    wantsOutput = forOutput
    do throws(SystemError) {
      try poll.modify(socket, token: token, for: forOutput ? [.input, .output] : .input)
    } catch { fail(error.description, now) }
  }

  // MARK: Time

  /// When `tick` has something to do.
  var deadline: Int64 {
    switch state {
    case .down(let until): until
    case .looking(_, let deadline), .connecting(let deadline), .greeting(_, let deadline): deadline
    case .ready: sent.first.map { $0.at + settings.timeout } ?? heardAt + settings.probeInterval
    }
  }

  /// Does what time asks for. `newToken` gives a number for a new connection.
  func tick(now: Int64, newToken: () -> UInt64) {
    switch state {
    case .down(let until):
      if now < until { return }
      // Of several addresses of one name the next is tried before the name is looked up again.
      if addresses.isEmpty { open(now, newToken) } else { connect(now, newToken) }
    case .looking(let lookup, let deadline):
      switch lookup.answer {
      case .pending: if now >= deadline { fail("looking up \(url.place) takes too long", now) }
      case .failed(let reason): fail("\(url.place): \(reason)", now)
      case .addresses(let found):
        addresses = found
        connect(now, newToken)
      }
    case .connecting(let deadline): if now >= deadline { fail("connect \(url.place): no answer in time", now) }
    case .greeting(_, let deadline): if now >= deadline { fail("\(url.place): no answer to the greeting in time", now) }
    case .ready:
      if let oldest = sent.first {
        if now >= oldest.at + settings.timeout { fail("\(url.place): no answer in time", now) }
      } else if now >= heardAt + settings.probeInterval {
        append(RESPCommand("PING"), nil, now)
      }
    }
  }

  private func open(_ now: Int64, _ newToken: () -> UInt64) {
    guard case .tcp(let host, let port) = url.place else { return connect(now, newToken) }
    if let address = NameLookup.literal(host, port: port) {
      addresses = [address]
      return connect(now, newToken)
    }
    do throws(SystemError) {
      let lookup = try NameLookup(host, port: port) { [wakeUp] in wakeUp.signal() }
      state = .looking(lookup, deadline: now + settings.timeout)
    } catch { fail(error.description, now) }
  }

  private func connect(_ now: Int64, _ newToken: () -> UInt64) {
    state = .connecting(deadline: now + settings.timeout)
    do throws(SystemError) {
      let socket =
        switch url.place {
        case .tcp: try Socket.connecting(to: addresses.removeFirst())
        case .unix(let path): try Socket.connecting(path: path)
        }
      token = newToken()
      try poll.add(socket, token: token, for: [.input, .output])
      wantsOutput = true
      self.socket = socket
    } catch { fail(error.description, now) }
  }

  // MARK: What the poll says

  /// Reads and writes as far as the kernel goes along.
  func handle(_ event: Poll.Event, now: Int64) {
    guard let socket else { return }
    if case .connecting = state {
      if !event.isWritable { return }
      if let failure = Socket.failure(of: socket, "\(url.place)") { return fail(failure.description, now) }
      greet(now)
    }
    if event.isReadable { read(from: socket, now) }
    if self.socket === socket && event.isWritable { flush(now: now) }
  }

  private func greet(_ now: Int64) {
    let greeting = RedisGreeting(url, name: name, formerID: formerID)
    addresses = []
    decoder = RESPDecoder()
    state = .greeting(greeting, deadline: now + settings.timeout)
    append(greeting.first, nil, now)
    flush(now: now)
  }

  private func read(from socket: Descriptor, _ now: Int64) {
    // A server that never stops sending does not keep the others waiting.
    for _ in 0..<16 {
      switch socket.read(RedisBounds.read, into: &scratch) {
      case .wouldBlock: return
      case .end: return fail("\(url.place) has closed the connection", now)
      case .failed(let number): return fail(SystemError("read", "\(url.place)", number: number).description, now)
      case .bytes(let count):
        heardAt = now
        decoder.feed(scratch[..<count])
        do throws(RESPFault) {
          while self.socket === socket, let reply = try decoder.next() { take(reply, now) }
        } catch { return failUnreadable("\(url.place): \(error)", now) }
        if self.socket !== socket || count < RedisBounds.read { return }
      }
    }
  }

  private func take(_ reply: RESPValue, _ now: Int64) {
    // Nothing was subscribed to.
    if case .push = reply { return }
    guard let answered = sent.popFirst() else { return fail("\(url.place) answers what was not asked", now) }
    guard case .greeting(var greeting, let deadline) = state else {
      if let request = answered.request { owner.link(self, answered: request, with: reply) }
      return
    }
    switch greeting.take(reply) {
    case .send(let command):
      state = .greeting(greeting, deadline: deadline)
      append(command, nil, now)
      flush(now: now)
    case .refused(let reason): fail("\(url.place): \(reason)", now)
    case .ready:
      isCluster = greeting.isCluster
      formerID = greeting.clientID
      state = .ready
      trouble = nil
      backoff.reset()
      owner.linkIsReady(self)
    }
  }

  /// Gives the connection up for a reply that cannot be read, now or ever: whose it is is not sent again.
  private func failUnreadable(_ reason: String, _ now: Int64) {
    if isReady, let request = sent.popFirst()?.request { owner.link(self, gaveUp: request, because: reason) }
    fail(reason, now)
  }

  /// Gives the connection up, and what waited on it back.
  func fail(_ reason: String, _ now: Int64) {
    let isTryingAddresses = if case .connecting = state { !addresses.isEmpty } else { false }
    if let socket { poll.remove(socket) }
    socket = nil
    outbox = []
    written = 0
    wantsOutput = false
    trouble = reason
    state = .down(until: isTryingAddresses ? 0 : now + backoff.next(&random))
    let lost = sent.removeAll().compactMap(\.request)
    owner.link(self, lost: lost, because: reason)
  }
}
