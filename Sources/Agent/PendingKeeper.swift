import HTTPQuery
import Platform

/// What the query thread knows of a journal that another process is still writing: there is more to restore, and none of it is here yet.
///
/// Once that process has closed the journal, the real keeper answers. Calls cost a lock that nobody else takes for long.
final class PendingKeeper: Sendable {
  private enum State {
    case waiting
    /// nil: there is no journal after all.
    case resolved(Keeper?)
  }

  private let state = Guarded(State.waiting)
  private let holdsAnswers: Bool

  /// - Parameter holdsAnswers: as the real one will.
  init(holdsAnswers: Bool) { self.holdsAnswers = holdsAnswers }

  /// The journal is open; wake the query thread afterwards.
  func resolve(_ keeper: Keeper?) { state.withLock { $0 = .resolved(keeper) } }

  private var real: Keeper? {
    state.withLock { state in
      if case .resolved(let keeper) = state { return keeper }
      return nil
    }
  }

  private var isWaiting: Bool {
    state.withLock { state in
      if case .waiting = state { return true }
      return false
    }
  }

  var keeper: Keeper {
    Keeper(
      holdsAnswers: holdsAnswers,
      submit: { payload, endsBatch, part in
        // Nothing is submitted before the end of the restoring, and without a journal there is nothing to be safe on.
        guard let real = self.real else { return self.isWaiting ? nil : 0 }
        return real.submit(payload, endsBatch, part)
      },
      settled: { self.real?.settled() ?? 0 },
      restored: {
        guard let real = self.real else { return self.isWaiting ? .notYet : .end }
        return real.restored()
      },
      wantsSnapshot: { self.real?.wantsSnapshot() ?? false },
      condition: { self.real?.condition() ?? KeeperCondition() },
      tellRestored: { self.real?.tellRestored($0) })
  }
}
