import Aggregation
import Platform

/// Telling the shared store what this agent has counted.
extension QueryServer {
  /// Owners and bytes of a chunk at most, one owner's more: what is held of them is bounded by both.
  private static let chunkOwners = 8_192
  private static let chunkBytes = 4 << 20
  /// Nanoseconds of a turn for collecting, and for sending; in a batch that takes its time.
  private static let busyInATurn: Int64 = 1_000_000
  private static let easyInATurn: Int64 = 100_000
  /// Between turns of a batch that takes its time; shorter ones the poll does not know.
  private static let pauses: ClosedRange<Int64> = 1_000_000...2_000_000
  /// What an owner takes, about.
  private static let costOfAnOwner: Int64 = 4_000
  /// What could not be written is tried again after this long.
  private static let retryInterval: Int64 = 2_000_000_000

  /// Brings the chunk in hand as far as it gets now, or begins one.
  func write(_ sharing: Sharing, _ now: Int64) {
    if sharing.hasUnshared, sharing.isUp, now >= sharing.nextRetry {
      sharing.hasUnshared = false
      state.view.retryUnshared()
    }
    if sharing.step == .idle {
      guard now >= batchTime(of: sharing) else { return }
      begin(sharing, now)
    }
    if sharing.step == .collecting, now >= sharing.turnTime {
      collect(sharing, until: now + inATurn(sharing))
      sharing.nextTurn = Clock.monotonic() + sharing.pause
    }
    if case .told(let ticket) = sharing.step, (state.keeping?.keeper.settled() ?? .max) >= ticket {
      sharing.step = .sending(0)
    }
    if case .sending(let sent) = sharing.step, now >= sharing.turnTime {
      send(sharing, from: sent, until: now + inATurn(sharing))
      sharing.nextTurn = Clock.monotonic() + sharing.pause
    }
  }

  private func inATurn(_ sharing: Sharing) -> Int64 { sharing.pause == 0 ? Self.busyInATurn : Self.easyInATurn }

  /// How long a batch of so many owners pauses between its turns, in order to take half of the time until the next at most.
  private func pause(of owners: Int, _ sharing: Sharing) -> Int64 {
    let turns = max(1, Int64(owners) * Self.costOfAnOwner / Self.easyInATurn)
    let pause = min(sharing.store.flushInterval / 2 / turns, Self.pauses.upperBound)
    return pause < Self.pauses.lowerBound ? 0 : pause
  }

  /// When a batch is to begin, or the next chunk of one.
  func batchTime(of sharing: Sharing) -> Int64 {
    let waiting = state.view.waitingToShare
    if waiting == 0 || !sharing.isUp { return .max }
    if sharing.leftOfBatch > 0 || sharing.isHurried || waiting >= sharing.store.batchSize { return 0 }
    // The first begins at once.
    return sharing.lastBegan.map { $0 + sharing.store.flushInterval } ?? 0
  }

  private func begin(_ sharing: Sharing, _ now: Int64) {
    if sharing.leftOfBatch == 0 {
      sharing.leftOfBatch = state.view.waitingToShare
      sharing.lastBegan = now
      sharing.pause = pause(of: sharing.leftOfBatch, sharing)
    }
    sharing.batch = Sharing.Batch()
    sharing.step = .collecting
  }

  // MARK: Collecting

  private func collect(_ sharing: Sharing, until end: Int64) {
    repeat {
      let hasRoom = sharing.batch.open < Self.chunkOwners && sharing.batch.bytes < Self.chunkBytes
      guard hasRoom, let owner = state.view.nextToShare() else { return endCollecting(sharing) }
      sharing.leftOfBatch = max(0, sharing.leftOfBatch - 1)
      take(owner, sharing)
    } while Clock.monotonic() < end
  }

  private func take(_ owner: SharedOwner, _ sharing: Sharing) {
    let writes = state.view.writes(of: owner)
    if writes.isEmpty { return state.view.markShared(owner) }
    var open = Sharing.Open(owner: owner, batch: sharing.batch, left: writes.count)
    for write in writes {
      sharing.batch.bytes += write.size
      guard case .total(let total, _, _) = write.value else { continue }
      open.total = (write.key, total)
      if !sharing.asking.writers.isEmpty { open.waiters = sharing.asking.writers.removeValue(forKey: write.key) ?? [] }
    }
    sharing.batch.open += 1
    sharing.chunk += writes
    sharing.open[owner.ticket] = open
  }

  /// What was collected goes when the journal holds it.
  private func endCollecting(_ sharing: Sharing) {
    if sharing.batch.open == 0 || state.view.waitingToShare == 0 { sharing.leftOfBatch = 0 }
    if sharing.batch.open == 0 {
      sharing.step = .idle
    } else if let keeping = state.keeping {
      if state.view.hasChanges || keeping.unsent != nil {
        keeping.isDraining = true
        sharing.step = .untold
      } else {
        sharing.step = .told(keeping.lastTicket)
      }
    } else {
      sharing.step = .sending(0)
    }
  }

  // MARK: Sending

  private func send(_ sharing: Sharing, from first: Int, until end: Int64) {
    var next = first
    while next < sharing.chunk.count, !sharing.isFull, Clock.monotonic() < end {
      if sharing.store.write(sharing.chunk[next]) { next += 1 } else { sharing.isFull = true }
    }
    if next < sharing.chunk.count {
      sharing.step = .sending(next)
    } else {
      sharing.chunk.removeAll(keepingCapacity: true)
      sharing.step = .idle
    }
  }

  /// A write has been answered; with the last of an owner's it is known what became of it.
  func close(_ ticket: UInt64, _ sharing: Sharing) {
    guard var open = sharing.open[ticket] else { return }
    open.left -= 1
    if open.left > 0 {
      sharing.open[ticket] = open
      return
    }
    sharing.open[ticket] = nil
    if open.isUnwritten {
      state.view.markUnshared(open.owner)
      open.batch.isWhole = false
      if !sharing.hasUnshared {
        sharing.hasUnshared = true
        sharing.nextRetry = Clock.monotonic() + Self.retryInterval
      }
    } else {
      state.view.markShared(open.owner)
    }
    endWaiting(open, sharing)
    open.batch.open -= 1
    if open.batch.open == 0 && open.batch.isWhole {
      sharing.lastBatch = Clock.wall()
      sharing.totals.isWanted = true
    }
  }

  private func endWaiting(_ open: Sharing.Open, _ sharing: Sharing) {
    guard let (key, total) = open.total else { return }
    if open.isUnwritten {
      // Whoever began to wait while it was under way would wait for the next try.
      for waiter in open.waiters + (sharing.asking.writers.removeValue(forKey: key) ?? []) {
        sharing.asking.answer(waiter, key, .failed)
      }
    } else if open.isRaised && !open.waiters.isEmpty {
      // Nothing was written yet.
      state.view.share(key)
      sharing.asking.writers[key, default: []] += open.waiters
    } else {
      for waiter in open.waiters { sharing.asking.answer(waiter, key, .written(total)) }
    }
  }
}

extension Sharing {
  /// Nothing can be written for now: whoever waits for a total that has not been sent goes on without.
  func failWriters() {
    var failed = asking.writers
    asking.writers = [:]
    if step != .idle {
      for (ticket, one) in open where one.batch === batch && !one.waiters.isEmpty {
        if let key = one.total?.key { failed[key, default: []] += one.waiters }
        open[ticket]?.waiters = []
      }
    }
    for (key, waiters) in failed {
      for waiter in waiters { asking.answer(waiter, key, .failed) }
    }
  }
}
