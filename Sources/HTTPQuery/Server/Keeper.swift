import Aggregation

/// What the query thread knows of a journal: where payloads go, how safe they are, and what was kept before this start.
///
/// The query thread calls all of these; none may block. Whoever keeps calls `AgentState.wake()` when something has changed that is asked
/// for here: a payload to restore, a ticket settled, room again, a snapshot wanted, another condition.
///
///     start   restored … until .end
///     then    submit a payload ─▶ ticket … settled ≥ ticket
///
/// - Invariant: payloads are restored in the order in which they were submitted, each once, those of a batch all or none.
package struct Keeper: Sendable {
  /// Takes a payload (`JournalRecordReader`), at most `longestPayload` bytes.
  ///
  /// The payloads of a batch come one after the other, none between them; a start applies a batch whole or not at all. Slices of a
  /// snapshot come between batches. The slice that begins a snapshot opens a new segment; once the one that ends it is safe, all segments
  /// before that are to be deleted.
  /// - Returns: a ticket, greater than all before it; nil if there is no room now: the same payload is submitted again later.
  package var submit: @Sendable (_ payload: consuming [UInt8], _ endsBatch: Bool, _ part: JournalPart) -> UInt64?
  /// Every ticket up to this one is as safe as `--journal-sync` asks.
  package var settled: @Sendable () -> UInt64
  /// The next payload that was kept.
  package var restored: @Sendable () -> Restored
  /// The journal has grown so far, or been damaged so, that everything should be written anew. False again once a snapshot has begun.
  package var wantsSnapshot: @Sendable () -> Bool
  /// How the journal is.
  package var condition: @Sendable () -> KeeperCondition
  /// Told once, when all that was kept has been taken back.
  package var tellRestored: @Sendable (RestoreTally) -> Void
  /// `--journal-sync always`: answers to what counts wait until it is settled.
  package var holdsAnswers: Bool

  /// Bytes of a payload at most.
  package static let longestPayload = 1 << 20

  /// What `restored` gives.
  package enum Restored: Sendable {
    case payload([UInt8])
    /// Ask again after the next wake-up.
    case notYet
    /// That was all; from now on payloads may be submitted.
    case end
  }

  package init(
    holdsAnswers: Bool,
    submit: @escaping @Sendable (_ payload: consuming [UInt8], _ endsBatch: Bool, _ part: JournalPart) -> UInt64?,
    settled: @escaping @Sendable () -> UInt64, restored: @escaping @Sendable () -> Restored,
    wantsSnapshot: @escaping @Sendable () -> Bool, condition: @escaping @Sendable () -> KeeperCondition,
    tellRestored: @escaping @Sendable (RestoreTally) -> Void = { _ in }
  ) {
    self.submit = submit
    self.settled = settled
    self.restored = restored
    self.wantsSnapshot = wantsSnapshot
    self.condition = condition
    self.tellRestored = tellRestored
    self.holdsAnswers = holdsAnswers
  }
}

/// How a journal is, for `/health`, `/status` and `/metrics`.
package struct KeeperCondition: Sendable {
  /// Why nothing can be made safe at the moment, in words for the operator; empty: all is well.
  package var reasons: [String] = []
  /// Bytes of all segments.
  package var bytes: UInt64 = 0
  /// Errors of writing and syncing since the start.
  package var errors: UInt64 = 0
  /// Writes with their syncs since the start, and the seconds that they took in all.
  package var writes: UInt64 = 0
  package var writeSeconds = 0.0
  /// Frames that could not be read at the start, and the bytes that they and a torn tail took.
  package var skippedFrames: UInt64 = 0
  package var skippedBytes: UInt64 = 0

  /// All is well, and nothing has been written.
  package init() {}

  package var isDegraded: Bool { !reasons.isEmpty }
}
