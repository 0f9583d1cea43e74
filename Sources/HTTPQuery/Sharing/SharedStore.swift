import Aggregation

/// What the query thread knows of the store that several agents share: where its own counts go, and where all agents' come from.
///
/// The query thread calls all of these; none may block. Whoever shares calls `AgentState.wake()` when there is news, room again, or a wish
/// for a full pass.
package struct SharedStore: Sendable {
  /// Takes a write; `written`, `rebased`, `found` or `unwritten` follows with its ticket.
  /// - Returns: false if there is no room now: again after the next wake-up.
  package var write: @Sendable (SharedWrite) -> Bool
  /// Asks for what is held under a key; `holding` or `failed` follows.
  /// - Returns: false if too many ask already.
  package var read: @Sendable (SharedKey, _ ticket: UInt64) -> Bool
  /// Writes this agent's total of a series, unless it has none, and sets the base of every agent to its total, at once; `reset`,
  /// `failed` or `unanswered` follows.
  /// - Returns: false if too many ask already.
  package var reset: @Sendable (SharedKey, _ own: SharedNumber?, _ ticket: UInt64) -> Bool
  /// What was held under a key a short while ago (`--cache-ttl`).
  package var cached: @Sendable (SharedKey) -> SharedHolding?
  /// All that has come since the last call, in order.
  package var takeNews: @Sendable () -> [SharedNews]
  /// Whether everything should be written, changed or not: every few minutes, and when a server was away. Asked once, it is done.
  package var takeFullPass: @Sendable () -> Bool
  /// How the store is.
  package var condition: @Sendable () -> SharedCondition
  /// How long changes wait for others, in nanoseconds; 0: not at all, and what is counted over HTTP is written before the answer.
  package var flushInterval: Int64
  /// So many changed series go at once.
  package var batchSize: Int

  package init(
    flushInterval: Int64, batchSize: Int, write: @escaping @Sendable (SharedWrite) -> Bool,
    read: @escaping @Sendable (SharedKey, _ ticket: UInt64) -> Bool,
    reset: @escaping @Sendable (SharedKey, _ own: SharedNumber?, _ ticket: UInt64) -> Bool,
    cached: @escaping @Sendable (SharedKey) -> SharedHolding?, takeNews: @escaping @Sendable () -> [SharedNews],
    takeFullPass: @escaping @Sendable () -> Bool, condition: @escaping @Sendable () -> SharedCondition
  ) {
    self.flushInterval = flushInterval
    self.batchSize = batchSize
    self.write = write
    self.read = read
    self.reset = reset
    self.cached = cached
    self.takeNews = takeNews
    self.takeFullPass = takeFullPass
    self.condition = condition
  }
}
