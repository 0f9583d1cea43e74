import Testing

@testable import Aggregation
@testable import HTTPQuery

/// Requests that ask a store in memory, without sockets; the test is the clock.
private final class Askers {
  let memory = MemoryStore()
  let agent: AgentState
  let asking: Asking

  init() throws {
    agent = try AgentState()
    asking = Asking(memory.store(agent))
  }

  /// Lets a request of a client wait.
  func park(_ asks: [SharedAsk], client: UInt64 = 1, method: Method = .get, at now: Int64 = 0) throws -> UInt64? {
    let peer = Client()
    peer.send("\(method.rawValue) /visits/a HTTP/1.1\r\nHost: h\r\n\r\n")
    guard case .request(let request) = peer.next() else { throw CancellationError() }
    let (group, values) = try #require(Routes.find(request.path))
    let route = try #require(group.route(for: method))
    let waiting = QueryServer.WaitingRequest(
      client: client, route: route, call: Route.Call(request: request, values: values), gather: 0)
    return asking.park(waiting, asks, now: now) { _ in .ready(.noPage) }
  }

  func askOn(canWrite: Bool = true) { asking.askOn { _ in canWrite } }

  /// What the store has said.
  func takeNews() {
    for news in memory.store(agent).takeNews() {
      switch news {
      case .holding(let ticket, let holding, let served):
        asking.take(.holding(holding, served: served), for: ticket)
      case .reset(let ticket, let served): asking.take(.reset(served: served), for: ticket)
      case .failed(let ticket, _): asking.take(.failed, for: ticket)
      default: Issue.record("\(news)")
      }
    }
  }

  /// Numbers of the requests that go on.
  func ready() -> [UInt64] {
    var numbers: [UInt64] = []
    while let one = asking.nextReady() { numbers.append(one.number) }
    return numbers
  }
}

@Suite struct `asking the store` {
  private let a = visits(of: "a")
  private let b = visits(of: "b")

  @Test func `so many wait, and no more`() throws {
    let askers = try Askers()
    askers.memory.change { $0.isSilent = true }
    for number in 1...UInt64(Asking.limit) { #expect(try askers.park([.read(a)]) == number) }
    #expect(try askers.park([.read(a)]) == nil)
    askers.asking.forget(7)
    #expect(try askers.park([.read(a)]) == UInt64(Asking.limit) + 1)
    #expect(try askers.park([.read(a)]) == nil)
  }

  @Test func `who waits for too long goes on without, and is told what is not known`() throws {
    let askers = try Askers()
    askers.memory.change { $0.isSilent = true }
    _ = try askers.park([.read(a), .write(a)], at: 5)
    askers.askOn()
    askers.asking.giveUpLate(5 + Asking.longestWait)
    #expect(askers.ready() == [])
    #expect(askers.asking.canGoOn == false && !askers.asking.isIdle)
    askers.asking.giveUpLate(6 + Asking.longestWait)
    let reader = try #require(askers.asking.nextReady())
    #expect(isFailed(reader.replies[a]) && askers.asking.isIdle)
    // What is said of it afterwards is nobody's any more.
    askers.asking.take(.failed, for: 1)
    #expect(askers.ready() == [])

    _ = try askers.park([.reset(a, own: nil), .reset(b, own: nil)], method: .delete)
    askers.askOn()
    _ = askers.memory.store(askers.agent).takeNews()
    askers.memory.change { $0.hasRoom = false }
    _ = try askers.park([.reset(b, own: nil)], method: .delete)
    askers.askOn()
    askers.asking.giveUpLate(1 + Asking.longestWait)
    for _ in 0..<2 {
      let one = try #require(askers.asking.nextReady())
      // That of the first may have been done, that of the second was never asked for.
      #expect(isUnanswered(one.replies[a]) == (one.number == 2))
      #expect(isUnanswered(one.replies[b]) == (one.number == 2))
    }
    #expect(askers.asking.nextReady() == nil)
  }

  @Test func `who has gone is not waited for, but what writes goes on to its end`() throws {
    let askers = try Askers()
    let reader = try #require(try askers.park([.read(a)]))
    let writer = try #require(try askers.park([.reset(a, own: nil)], method: .delete))
    askers.asking.forget(reader)
    askers.asking.forget(writer)
    askers.asking.forget(0)
    askers.askOn()
    #expect(askers.memory.change { $0.reads } == 0)
    askers.takeNews()
    #expect(askers.ready() == [writer])
    // Gone between the answer and its turn.
    let late = try #require(try askers.park([.read(a)]))
    askers.askOn()
    askers.takeNews()
    askers.asking.forget(late)
    #expect(askers.ready() == [] && askers.asking.isIdle)
  }

  @Test func `a store without room is asked again when it has some`() throws {
    let askers = try Askers()
    askers.memory.change { $0.hasRoom = false }
    _ = try askers.park([.read(a), .readAnew(b)])
    _ = try askers.park([.reset(a, own: nil)], method: .delete)
    askers.askOn()
    #expect(askers.asking.isFull && !askers.asking.canGoOn)
    askers.memory.change { $0.hasRoom = true }
    askers.askOn()
    askers.takeNews()
    #expect(askers.memory.change { $0.reads } == 0 && askers.ready() == [])
    askers.asking.isFull = false
    #expect(askers.asking.canGoOn)
    askers.askOn()
    askers.takeNews()
    #expect(askers.memory.change { $0.reads } == 2 && askers.ready() == [1, 2])
  }

  @Test func `requests share the reads of a key, unless it has to be read anew`() throws {
    let askers = try Askers()
    for _ in 0..<3 { _ = try askers.park([.read(a)]) }
    _ = try askers.park([.readAnew(a)])
    askers.askOn()
    #expect(askers.memory.change { $0.reads } == 2)
    askers.takeNews()
    #expect(askers.ready() == [1, 2, 3, 4])
    _ = try askers.park([.read(a)])
    askers.askOn()
    #expect(askers.memory.change { $0.reads } == 3)
  }

  @Test func `what was known last answers for a server that has gone, but not for a reset`() throws {
    let askers = try Askers()
    askers.memory.change { state in
      state.stale[a] = .total(others: .whole(7), own: nil, ownBase: .zero, agents: 1)
      state.away = [a, b]
    }
    _ = try askers.park([.read(a)])
    _ = try askers.park([.read(b)])
    askers.askOn()
    askers.takeNews()
    let known = try #require(askers.asking.nextReady())
    guard case .holding(.total(let others, _, _, _, _), served: nil) = known.replies[a] else {
      return #expect(Bool(false), "\(known.replies[a])")
    }
    #expect(others == .whole(7))
    #expect(isFailed(try #require(askers.asking.nextReady()).replies[b]))
    _ = try askers.park([.reset(a, own: nil)], method: .delete)
    askers.askOn()
    askers.takeNews()
    #expect(isFailed(try #require(askers.asking.nextReady()).replies[a]))
  }

  @Test func `a total that cannot be written is not waited for`() throws {
    let askers = try Askers()
    _ = try askers.park([.write(a)], method: .delete)
    askers.askOn(canWrite: false)
    #expect(askers.asking.writers.isEmpty && askers.ready() == [1])
    _ = try askers.park([.write(a)], method: .delete)
    askers.askOn()
    #expect(askers.asking.writers[a]?.count == 1 && askers.ready() == [])
  }

  private func isFailed(_ reply: SharedReply) -> Bool { if case .failed = reply { true } else { false } }
  private func isUnanswered(_ reply: SharedReply) -> Bool { if case .unanswered = reply { true } else { false } }
}
