import Aggregation
import HTTPQuery
import Platform
import Synchronization

/// Tells the operator of connections that were turned away or closed, and of what degrades the program: at once, and then at most once a
/// minute, however many there are. The threads that meet it only count it and wake this one (`AgentState.notices`).
final class Notices: Sendable {
  private static let quietMilliseconds = 60_000

  private let log: Log
  private let books: [ListenerBooks]
  private let agent: AgentState
  private let isEnding = Atomic<Bool>(false)

  init(log: Log, books: [ListenerBooks], agent: AgentState) {
    self.log = log
    self.books = books
    self.agent = agent
  }

  /// Ends `run`.
  func end() {
    isEnding.store(true, ordering: .releasing)
    agent.notices.signal()
  }

  /// Waits, tells, and keeps silent for a minute, until `end`.
  func run() throws(SystemError) {
    let poll = try Poll()
    try poll.add(agent.notices.descriptor, token: 0, for: .input)
    var told = Told()
    var quietUntil: Int64 = 0
    while !isEnding.load(ordering: .acquiring) {
      let left = Int(max(0, quietUntil - Clock.monotonic()) / 1_000_000)
      let isDue = left == 0
      poll.wait(milliseconds: isDue && !told.isBehind ? nil : left + 1) { _ in }
      agent.notices.clear()
      told.isBehind = true
      if Clock.monotonic() < quietUntil { continue }
      told.isBehind = false
      if tell(&told) { quietUntil = Clock.monotonic() + Int64(Self.quietMilliseconds) * 1_000_000 }
    }
  }

  /// What the log has.
  private struct Told {
    var rejected: [Int] = []
    var shortages: [UInt64] = []
    var conditions: [AgentState.Condition] = []
    /// Something may have happened since.
    var isBehind = false
  }

  /// - Returns: whether there was anything to tell.
  private func tell(_ told: inout Told) -> Bool {
    var hasNews = false
    var rejected: [Int] = []
    for one in books {
      for reason in ListenerBooks.Rejection.allCases {
        let count = one.rejected(reason)
        let before = told.rejected.isEmpty ? 0 : told.rejected[rejected.count]
        rejected.append(count)
        if count == before { continue }
        hasNews = true
        log.warning(
          "connections turned away or closed",
          ["listener": .text(one.name), "reason": .text("\(reason.label)"), "connections": .integer(count - before)])
      }
    }
    let shortages = books.map { $0.failedAccepts.load(ordering: .relaxed) }
    for (place, one) in books.enumerated() {
      let more = shortages[place] - (told.shortages.isEmpty ? 0 : told.shortages[place])
      if more == 0 { continue }
      hasNews = true
      log.warning(
        "connections cannot be taken and wait: raise the limit of open files, or lower those of connections",
        ["listener": .text(one.name), "times": .integer(more)])
    }
    let conditions = agent.conditions
    for condition in conditions where !told.conditions.contains(condition) {
      hasNews = true
      log.warning("degraded", ["reason": .text("\(condition.reason)")])
    }
    for condition in told.conditions where !conditions.contains(condition) {
      hasNews = true
      log.info("no longer degraded", ["reason": .text("\(condition.reason)")])
    }
    told.rejected = rejected
    told.shortages = shortages
    told.conditions = conditions
    return hasNews
  }
}
