import Aggregation
import Platform

/// What the query thread does about its journal: reading back at the start, telling what has changed, holding answers until that is safe.
///
///     flush, or a write under `always` ─▶ drain: payload ─▶ submit ─▶ ticket … settled ─▶ held answers go
///
/// A payload that is refused, since the journal is behind or cannot write, waits here; meanwhile changes wait in the view, where what
/// changes again takes no more room.
final class Keeping {
  let keeper: Keeper
  /// What was kept has not been read to its end: nothing is gathered, and whoever asks for counts waits.
  var isRestoring = true
  /// All that has changed is being told.
  var isDraining = false
  /// Offered, and refused.
  var unsent: JournalPayload?
  /// The ticket of the last batch that was whole.
  var lastTicket: UInt64 = 0
  /// In the order of their tickets; those without one wait for the batch that has theirs.
  var held: [HeldAnswer] = []
  /// What became of what was kept.
  var tally = RestoreTally()

  /// An answer to a write that waits until what it says is safe.
  struct HeldAnswer {
    var client: UInt64
    var response: Response
    var since: Int64
    var ticket: UInt64?
  }

  init(_ keeper: Keeper) { self.keeper = keeper }

  /// Whether writes are refused: they could not be made safe.
  var refusesWrites: Bool { keeper.holdsAnswers && keeper.condition().isDegraded }
}

/// What the loop does about the journal in each turn.
extension QueryServer {
  /// Nanoseconds of a turn for the journal: others are not kept longer.
  private static let keepingInATurn: Int64 = 2_000_000
  /// Series told between two looks at the clock: less than a millisecond.
  private static let seriesAtOnce = 5_000
  /// After this long an answer is not held any more: no disk takes so long that is well.
  private static let longestHold: Int64 = 10_000_000_000
  /// What the last payloads may take at the end of the program.
  private static let lastPatience: Int64 = 2_000_000_000

  // MARK: Start

  /// Takes back some of what was kept.
  func restoreSome(_ keeping: Keeping) {
    let end = Clock.monotonic() + Self.keepingInATurn
    repeat {
      switch keeping.keeper.restored() {
      case .payload(let payload): state.restore(payload)
      case .notYet: return
      case .end:
        keeping.tally = state.view.restoreTally
        state.view.keepChanges()
        if state.sharing != nil { state.view.shareChanges() }
        keeping.isRestoring = false
        return keeping.keeper.tellRestored(keeping.tally)
      }
    } while Clock.monotonic() < end
  }

  // MARK: Changes

  /// Tells some of what has changed, and lets answers go that are safe.
  func keep(_ keeping: Keeping) {
    if keeping.held.contains(where: { $0.ticket == nil }) { keeping.isDraining = true }
    if !state.view.isInSnapshot, state.view.wantsSnapshot || keeping.keeper.wantsSnapshot() {
      state.view.beginSnapshot()
    }
    let end = Clock.monotonic() + Self.keepingInATurn
    while Clock.monotonic() < end, submitNext(keeping) {}
    releaseHeld(keeping)
  }

  /// Whether `keep` could do more at once.
  func isKeeping(_ keeping: Keeping) -> Bool {
    if keeping.unsent != nil { return false }
    let waits = keeping.held.last.map { $0.ticket == nil } ?? false
    return waits || keeping.isDraining || state.view.hasFullPayload || state.view.isInSnapshot && !state.isGathering
  }

  /// Offers the next payload.
  /// - Returns: false if there is none, or no room for it.
  private func submitNext(_ keeping: Keeping) -> Bool {
    guard let payload = keeping.unsent ?? nextPayload(keeping) else { return false }
    guard let ticket = keeping.keeper.submit(payload.bytes, payload.endsBatch, payload.part) else {
      keeping.unsent = payload
      return false
    }
    keeping.unsent = nil
    if payload.endsBatch {
      keeping.lastTicket = ticket
      // One that was refused before is behind what has changed meanwhile.
      if payload.part == .changes && !state.view.hasChanges { endDraining(keeping) }
    }
    return true
  }

  private func nextPayload(_ keeping: Keeping) -> JournalPayload? {
    if state.view.isWithinSlice { return state.view.encodeSnapshot() }
    let isSnapshotDue = state.view.isInSnapshot && !state.isGathering
    if isSnapshotDue && state.view.hasChanges { keeping.isDraining = true }
    if keeping.isDraining || state.view.hasFullPayload {
      if let payload = state.view.encodeChanges(limit: Self.seriesAtOnce) { return payload }
      endDraining(keeping)
    }
    return isSnapshotDue ? state.view.encodeSnapshot() : nil
  }

  /// All that had changed has been told: what was counted for the answers that are held is in it.
  private func endDraining(_ keeping: Keeping) {
    keeping.isDraining = false
    for place in keeping.held.indices where keeping.held[place].ticket == nil {
      keeping.held[place].ticket = keeping.lastTicket
    }
    state.sharing?.tell(in: keeping.lastTicket)
  }

  // MARK: Answers

  /// Answers, at once or as soon as what the answer says is safe.
  func deliver(_ response: Response, to client: QueryClient, _ route: Route) {
    guard let keeping = state.keeping, keeping.keeper.holdsAnswers, route.writes, response.status == .ok else {
      return answer(client, response)
    }
    keeping.held.append(.init(client: client.token, response: response, since: Clock.monotonic(), ticket: nil))
  }

  private func releaseHeld(_ keeping: Keeping) {
    if keeping.held.isEmpty { return }
    let settled = keeping.keeper.settled()
    let safe = keeping.held.prefix { ($0.ticket ?? .max) <= settled }.count
    let isLost = keeping.keeper.condition().isDegraded
    let oldest = Clock.monotonic() - Self.longestHold
    let late = isLost ? keeping.held.count : keeping.held.prefix { $0.since < oldest }.count
    let going = keeping.held.prefix(max(safe, late))
    if going.isEmpty { return }
    keeping.held.removeFirst(going.count)
    for (place, one) in going.enumerated() {
      guard let client = clients[one.client] else { continue }
      moment = now
      answer(client, place < safe ? one.response : .notKept)
      advance(client)
    }
  }

  // MARK: End

  /// Reads to its end what was kept, should the program stop before.
  func finishRestoring(_ keeping: Keeping) {
    let end = Clock.monotonic() + Self.lastPatience
    while keeping.isRestoring, Clock.monotonic() < end {
      restoreSome(keeping)
      if keeping.isRestoring { poll.wait(milliseconds: 10) { handle($0) } }
    }
  }

  /// Tells everything for the last time, and waits until it is safe.
  func finishKeeping(_ keeping: Keeping) {
    if keeping.isRestoring { return }
    let end = Clock.monotonic() + Self.lastPatience
    keeping.isDraining = true
    while Clock.monotonic() < end {
      keep(keeping)
      let isTold = !keeping.isDraining && keeping.unsent == nil && !state.view.hasChanges
      if isTold && keeping.held.isEmpty && keeping.keeper.settled() >= keeping.lastTicket { return }
      if !isKeeping(keeping) { poll.wait(milliseconds: 10) { handle($0) } }
    }
  }
}

extension Response {
  /// The journal cannot be written: nothing was counted.
  static var cannotKeep: Response {
    .fault(.serviceUnavailable, "The journal cannot be written; nothing was counted", retryAfterSeconds: 1)
  }

  /// It was counted, and then the journal could not be written.
  fileprivate static var notKept: Response {
    .fault(.serviceUnavailable, "Counted, but not on disk: the journal could not be written", retryAfterSeconds: 1)
  }
}
