/// What the shared store holds under a key, this agent's own apart from all others', since of its own the agent knows better.
package enum SharedHolding: Sendable {
  /// `others`: their totals less their bases. `isOfRun`: `own` was first written by this run, not by an earlier one.
  case total(
    others: SharedNumber, own: SharedNumber?, ownBase: SharedNumber, agents: Int, isOfRun: Bool = false)
  /// Others' counts by place.
  case counts([Int: SharedNumber])
  /// All agents' members in Redis's own encoding of a HyperLogLog; empty: none.
  case members([UInt8])
  /// Others' samples.
  case samples(SharedSamples)
}

/// What the query thread learns of the shared store.
package enum SharedNews: Sendable {
  /// A write was done.
  case written(ticket: UInt64)
  /// A write of a total was done, and the store has a larger base of it: somebody has reset it.
  case rebased(ticket: UInt64, SharedKey, base: SharedNumber)
  /// A write of a total was not done: the store has a larger one of this agent from before its start.
  case found(ticket: UInt64, SharedKey, total: SharedNumber, base: SharedNumber)
  /// A write could not be done.
  case unwritten(ticket: UInt64)
  /// The answer to a read. `served` names the server: `redis`, or `redis_<port>` where there are several.
  case holding(ticket: UInt64, SharedHolding, served: String)
  /// The answer to a reset: all bases are set.
  case reset(ticket: UInt64, served: String)
  /// The answer to a read or a reset: it could not be done, and why.
  case failed(ticket: UInt64, String)
  /// To a reset there was no answer: it may have been done.
  case unanswered(ticket: UInt64)
  /// Another agent has reset this: its base should be read.
  case resetElsewhere(SharedKey)
}

/// How the shared store is, for `/health`, `/status` and `/metrics`.
package struct SharedCondition: Sendable {
  /// The servers by their URLs, those of a Cluster that were learned included, and whether each can be used.
  package var nodes: [(url: String, isUp: Bool)] = []
  /// Why something does not work; empty: everything does.
  package var troubles: [String] = []
  /// Commands and bytes sent.
  package var commands: UInt64 = 0
  package var bytesSent: UInt64 = 0
  /// Commands sent once more.
  package var retries: UInt64 = 0
  /// Commands that a server refused for good.
  package var errors: UInt64 = 0
  /// Looks into the cache that found something, and those that did not; and what is in it.
  package var cacheHits: UInt64 = 0
  package var cacheMisses: UInt64 = 0
  package var cacheSize = 0
  /// Whether counts are being taken from one server to another, and how many have been.
  package var isMoving = false
  package var movedKeys: UInt64 = 0
  /// Grows with everything that may let a write pass that did not before.
  package var generation: UInt64 = 0

  /// No servers, and nothing done.
  package init() {}
}
