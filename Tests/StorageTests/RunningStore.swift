import Aggregation
import Platform
import Protocol
import Testing

@testable import Storage

/// A store with its thread, and what the query thread of an agent does with it: it keeps what is to be written, and writes again what was
/// not.
final class RunningStore {
  let store: RedisStore
  let events = Events()
  /// News that nobody waits for: `found`, `rebased`, `resetElsewhere`.
  private(set) var others: [SharedNews] = []
  private let thread: Platform.Thread
  private var ticket: UInt64 = 0
  private var answers: [UInt64: SharedNews] = [:]
  private var totals: [SharedKey: SharedWrite.Value] = [:]
  private var waiting: Set<SharedKey> = []
  private var underWay: [UInt64: SharedKey] = [:]
  private var busy: Set<SharedKey> = []
  private var failed: Set<SharedKey> = []
  private var failedAt: (generation: UInt64, time: Int64) = (0, 0)

  final class Events: Sendable {
    let list = Guarded<[RedisEvent]>([])
  }

  init(_ urls: [RedisURL], agent: String = "a", _ change: (inout RedisSettings) -> Void = { _ in }) throws {
    var settings = RedisSettings(urls: urls)
    settings.cacheTTL = 0
    settings.fullPassPause = 0
    change(&settings)
    let store = try RedisStore(
      settings, agent: agent, wake: {},
      report: { [events] event in
        events.list.withLock { $0.append(event) }
      })
    self.store = store
    thread = try Platform.Thread("redis") { store.run() }
  }

  func end(within nanoseconds: Int64 = 5_000_000_000) {
    store.close(within: nanoseconds)
    thread.join()
  }

  func waitUntilUp(_ count: Int? = nil) async throws {
    try await wait("all servers up") {
      let nodes = store.condition.nodes
      return nodes.count >= count ?? 1 && nodes.allSatisfy(\.isUp)
    }
  }

  // MARK: Totals, of which the newest is written until it is

  func put(_ key: SharedKey, _ total: Int64, base: Int64 = 0) {
    totals[key] = .total(.whole(total), base: .whole(base), known: nil)
    waiting.insert(key)
    turn()
  }

  func written() async throws {
    try await wait("everything written") {
      turn()
      return waiting.isEmpty && underWay.isEmpty && failed.isEmpty
    }
  }

  /// Keys that are not written.
  var unwritten: Int {
    turn()
    return waiting.union(failed).union(busy).count
  }

  private func turn() {
    let generation = store.condition.generation
    let now = Clock.monotonic()
    for news in store.takeNews() { take(news, now) }
    if generation != failedAt.generation || now > failedAt.time + 200_000_000 {
      waiting.formUnion(failed)
      failed = []
    }
    failedAt.generation = generation
    // One write of a key at a time, or an old one might come last.
    for key in waiting where !busy.contains(key) && send(key) { waiting.remove(key) }
  }

  private func send(_ key: SharedKey) -> Bool {
    guard let value = totals[key] else { return true }
    ticket += 1
    if !store.write(SharedWrite(key, value, ticket: ticket)) { return false }
    underWay[ticket] = key
    busy.insert(key)
    return true
  }

  private func take(_ news: SharedNews, _ now: Int64) {
    switch news {
    case .written(let ticket): finish(ticket, news)
    case .rebased(let ticket, _, _), .found(let ticket, _, _, _):
      others.append(news)
      finish(ticket, news)
    case .unwritten(let ticket):
      if let key = underWay[ticket] {
        failed.insert(key)
        failedAt.time = now
      }
      finish(ticket, news)
    case .holding(let ticket, _, _), .reset(let ticket, _), .failed(let ticket, _), .unanswered(let ticket):
      answers[ticket] = news
    case .resetElsewhere: others.append(news)
    }
  }

  private func finish(_ ticket: UInt64, _ news: SharedNews) {
    guard let key = underWay.removeValue(forKey: ticket) else {
      answers[ticket] = news
      return
    }
    busy.remove(key)
  }

  // MARK: One command

  private func answer(_ ask: (UInt64) -> Bool) async throws -> SharedNews {
    ticket += 1
    let ticket = ticket
    #expect(ask(ticket))
    try await wait("an answer") {
      turn()
      return answers[ticket] != nil
    }
    let news = answers.removeValue(forKey: ticket)
    return try #require(news)
  }

  func write(_ key: SharedKey, _ value: SharedWrite.Value) async throws -> SharedNews {
    try await answer { store.write(SharedWrite(key, value, ticket: $0)) }
  }

  func read(_ key: SharedKey) async throws -> SharedNews { try await answer { store.read(key, ticket: $0) } }

  func reset(_ key: SharedKey, _ own: Int64?) async throws -> SharedNews {
    try await answer { store.reset(key, own: own.map(SharedNumber.whole), ticket: $0) }
  }

  func holding(_ key: SharedKey) async throws -> SharedHolding? {
    if case .holding(_, let holding, _) = try await read(key) { holding } else { nil }
  }

  func sum(_ key: SharedKey) async throws -> SharedNumber? { try await holding(key)?.sum }

  /// Of all of them, asked for at once.
  func sums(_ many: [SharedKey]) async throws -> [SharedNumber?] {
    let tickets = many.map { key in
      ticket += 1
      #expect(store.read(key, ticket: ticket))
      return ticket
    }
    try await wait("answers") {
      turn()
      return tickets.allSatisfy { answers[$0] != nil }
    }
    return tickets.map { ticket in
      switch answers.removeValue(forKey: ticket) {
      case .holding(_, let holding, _): return holding.sum
      case .failed(_, let reason): Issue.record("\(reason)")
      default: break
      }
      return nil
    }
  }

  /// The last that nobody waited for.
  func told() -> SharedNews? {
    turn()
    return others.last
  }
}

extension SharedHolding {
  /// What anybody with `redis-cli` would sum up of totals.
  var sum: SharedNumber? {
    guard case .total(let others, let own, let ownBase, _, _) = self else { return nil }
    return others + ((own ?? .zero) - ownBase)
  }
}

extension SharedNews {
  /// What it says, for comparison.
  var text: String { "\(self)" }
  var isWritten: Bool { if case .written = self { true } else { false } }
  var isUnwritten: Bool { if case .unwritten = self { true } else { false } }
  var isFailed: Bool {
    switch self {
    case .failed, .unanswered: true
    default: false
    }
  }
}

/// A counter's key.
func series(_ metric: String, _ labels: KeyValuePairs<String, String> = [:]) -> SharedKey {
  SharedKey(.counter, metric: metric.utf8, labels: labels.map { (Array($0.key.utf8), Array($0.value.utf8)) })
}
