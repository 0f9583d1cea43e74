import Aggregation
import Platform
import Protocol

/// What the query thread does about the store that several agents share: telling what this one has counted, and asking for what all have.
///
///     marks in the view ─▶ chunk of writes ─▶ the journal holds what they say ─▶ store ─▶ news: shared, or unshared for a while
///     a request's asks ─▶ store, or what it knows ─▶ news ─▶ the request goes on
///
/// What waits to be told waits as a mark in the view, where what changes again takes no more room. While no server can be reached nothing
/// is collected.
final class Sharing {
  let store: SharedStore
  /// Whoever shares may have news, room, or another condition.
  var isAwake = true
  /// As it was when last looked at.
  var condition = SharedCondition()
  var nextLook: Int64 = 0

  /// How far a chunk has come.
  enum Step: Equatable {
    case idle
    case collecting
    /// The journal is to be told what it says.
    case untold
    /// The journal has been told in the batch of this ticket.
    case told(UInt64)
    /// As many as this have been taken by the store.
    case sending(Int)
  }

  /// What was collected together, until all of it is answered.
  final class Batch {
    /// Owners that are not answered.
    var open = 0
    /// Of its writes, about.
    var bytes = 0
    var isWhole = true
  }

  /// An owner under way.
  struct Open {
    let owner: SharedOwner
    let batch: Batch
    /// Writes that are not answered.
    var left: Int
    /// Its key and total, unless it has none.
    var total: (key: SharedKey, SharedNumber)?
    var isUnwritten = false
    /// The store had more of it, so that it is to be written again.
    var isRaised = false
    /// Who waits for its total to be written.
    var waiters: [Asking.Parked] = []
  }

  var step = Step.idle
  var chunk: [SharedWrite] = []
  var batch = Batch()
  /// Owners that the batch in hand has still to take.
  var leftOfBatch = 0
  var lastBegan: Int64?
  /// Nanoseconds between its turns, and when the next one is.
  var pause: Int64 = 0
  var nextTurn: Int64 = 0
  /// By ticket.
  var open: [UInt64: Open] = [:]
  /// The store takes no more writes until it says so.
  var isFull = false
  /// Something could not be written and waits.
  var hasUnshared = false
  var nextRetry: Int64 = 0
  /// When the last batch was written whole: nanoseconds since 1970.
  var lastBatch: Int64?
  /// Everything goes at once: the program is about to end.
  var isEnding = false

  /// What requests ask for.
  let asking: Asking
  /// What others have counted of the metrics that each `POST` answers with.
  var totals = SharedTotals()

  init(_ store: SharedStore) {
    self.store = store
    asking = Asking(store)
  }

  /// Somebody waits for a total to be written, or the program for its end.
  var isHurried: Bool { isEnding || !asking.writers.isEmpty }
  /// When the batch in hand goes on. It pauses: who receives datagrams may want the same processor, and what nobody takes from a socket
  /// within a few milliseconds is lost; a batch has time until the next.
  var turnTime: Int64 { isHurried ? 0 : nextTurn }

  /// Whether any server can be used.
  var isUp: Bool { condition.nodes.contains { $0.isUp } }

  /// The answer to a read or a reset.
  func take(_ reply: SharedReply, for ticket: UInt64) {
    totals.take(reply, for: ticket)
    asking.take(reply, for: ticket)
  }

  /// All that had changed has been told to the journal, in the batch of this ticket.
  func tell(in ticket: UInt64) {
    if step == .untold { step = .told(ticket) }
  }
}

/// What the loop does about the shared store in each turn.
extension QueryServer {
  /// The store's condition is looked at this often, should nobody say that it has changed.
  private static let lookInterval: Int64 = 1_000_000_000

  /// Takes news, tells some of what has changed, and goes on with requests.
  func share(_ sharing: Sharing) {
    let now = Clock.monotonic()
    if sharing.isAwake || now >= sharing.nextLook { look(sharing, now) }
    write(sharing, now)
    sharing.totals.refresh(sharing, now)
    read(sharing, now)
  }

  /// When `share` can do more, if nobody wakes it before.
  func dueTime(of sharing: Sharing) -> Int64 {
    if sharing.asking.canGoOn { return 0 }
    var due = sharing.asking.isIdle ? Int64.max : sharing.nextLook
    switch sharing.step {
    case .idle: due = min(due, batchTime(of: sharing))
    case .collecting: due = min(due, sharing.turnTime)
    case .sending: if !sharing.isFull { due = min(due, sharing.turnTime) }
    case .untold, .told: break
    }
    if !sharing.isUp { return due }
    if sharing.hasUnshared { due = min(due, sharing.nextRetry) }
    return min(due, sharing.totals.dueTime)
  }

  /// Looks how the store is, and what it has to say.
  private func look(_ sharing: Sharing, _ now: Int64) {
    sharing.isAwake = false
    sharing.nextLook = now + Self.lookInterval
    sharing.isFull = false
    sharing.asking.isFull = false
    let generation = sharing.condition.generation
    sharing.condition = sharing.store.condition()
    if sharing.condition.generation != generation { sharing.nextRetry = now }
    if sharing.store.takeFullPass() { state.view.shareAll() }
    for news in sharing.store.takeNews() { take(news, sharing) }
    if !sharing.isUp || state.keeping?.keeper.condition().isDegraded ?? false { sharing.failWriters() }
    sharing.asking.giveUpLate(now)
  }

  private func take(_ news: SharedNews, _ sharing: Sharing) {
    switch news {
    case .written(let ticket): close(ticket, sharing)
    case .rebased(let ticket, let key, let base):
      if let open = sharing.open[ticket] { state.view.rebase(open.owner, key, base: base) }
      close(ticket, sharing)
    case .found(let ticket, let key, let total, let base):
      if let open = sharing.open[ticket] { state.view.raise(open.owner, key, to: total, base: base) }
      sharing.open[ticket]?.isRaised = true
      close(ticket, sharing)
    case .unwritten(let ticket):
      sharing.open[ticket]?.isUnwritten = true
      close(ticket, sharing)
    case .holding(let ticket, let holding, let served):
      sharing.take(.holding(holding, served: served), for: ticket)
    case .reset(let ticket, let served): sharing.take(.reset(served: served), for: ticket)
    case .failed(let ticket, _): sharing.take(.failed, for: ticket)
    case .unanswered(let ticket): sharing.take(.unanswered, for: ticket)
    case .resetElsewhere(let key): state.view.share(key)
    }
  }

  /// Tells everything for the last time, as far as that is quick; what remains waits for the next start.
  func finishSharing(_ sharing: Sharing) {
    let end = Clock.monotonic() + 1_000_000_000
    sharing.isEnding = true
    // Whether a server is there is known as of now.
    sharing.isAwake = true
    while Clock.monotonic() < end {
      if let keeping = state.keeping { keep(keeping) }
      share(sharing)
      let isDone = sharing.step == .idle && sharing.open.isEmpty && state.view.waitingToShare == 0
      if isDone || !sharing.isUp { return }
      if Clock.monotonic() < dueTime(of: sharing) && !(state.keeping.map { isKeeping($0) } ?? false) {
        poll.wait(milliseconds: 10) { handle($0) }
      }
    }
  }
}
