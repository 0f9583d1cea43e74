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
  /// The view takes note of what is to be told.
  var hasBegun = false
  /// Whoever shares may have news, room, or another condition.
  var isAwake = true
  /// As it was when last looked at.
  var condition = SharedCondition()
  var nextLook: Int64 = 0

  // MARK: Writing (Sharing+Writing.swift)

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
    var waiters: [Parked] = []
  }

  var step = Step.idle
  var chunk: [SharedWrite] = []
  var batch = Batch()
  /// Owners that the batch in hand has still to take.
  var leftOfBatch = 0
  var lastBegan: Int64?
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

  // MARK: Reading (Sharing+Reading.swift)

  /// A request that waits.
  final class Parked {
    let number: UInt64
    let request: QueryServer.WaitingRequest
    let since: Int64
    let then: (SharedReplies) -> Route.Answer
    /// What is still to be asked.
    var asks: ArraySlice<SharedAsk>
    /// What is still to come, that included.
    var left: Int
    var replies = SharedReplies()

    init(
      _ number: UInt64, _ request: QueryServer.WaitingRequest, _ asks: [SharedAsk], since: Int64,
      then: @escaping (SharedReplies) -> Route.Answer
    ) {
      self.number = number
      self.request = request
      self.asks = asks[...]
      self.since = since
      self.then = then
      left = asks.count
    }
  }

  /// A read or a reset under way.
  struct Asked {
    let key: SharedKey
    var waiters: [Parked]
  }

  /// By numbers that go up.
  var parked: [UInt64: Parked] = [:]
  var lastParked: UInt64 = 0
  /// Those that have still to ask.
  var asking: [Parked] = []
  /// The store takes no more asks until it says so.
  var isAskingFull = false
  /// Those that have all that they asked for.
  var ready: [Parked] = []
  /// By ticket.
  var asked: [UInt64: Asked] = [:]
  var lastTicket: UInt64 = 0
  /// Reads under way that others may wait for as well.
  var joinable: [SharedKey: UInt64] = [:]
  /// Who waits for a total that is still to be collected.
  var writers: [SharedKey: [Parked]] = [:]

  /// What others have counted of the metrics that each `POST` answers with.
  var totals = SharedTotals()

  init(_ store: SharedStore) { self.store = store }

  /// Whether any server can be used.
  var isUp: Bool { condition.nodes.contains { $0.isUp } }

  /// All that had changed has been told to the journal, in the batch of this ticket.
  func tell(in ticket: UInt64) {
    if step == .untold { step = .told(ticket) }
  }
}

/// What the loop does about the shared store in each turn.
extension QueryServer {
  /// Nanoseconds of a turn for going on with requests that have what they asked for.
  private static let resumingInATurn: Int64 = 2_000_000
  /// The store's condition is looked at this often, should nobody say that it has changed.
  private static let lookInterval: Int64 = 1_000_000_000

  /// Takes news, tells some of what has changed, and goes on with requests.
  func share(_ sharing: Sharing) {
    let now = Clock.monotonic()
    if !sharing.hasBegun {
      sharing.hasBegun = true
      state.view.shareChanges()
    }
    if sharing.isAwake || now >= sharing.nextLook { look(sharing, now) }
    write(sharing, now)
    sharing.totals.refresh(sharing, now)
    askOn(sharing)
    let end = now + Self.resumingInATurn
    while !sharing.ready.isEmpty, Clock.monotonic() < end { resume(sharing.ready.removeFirst(), sharing) }
  }

  /// Whether `share` could do more at once.
  func isSharing(_ sharing: Sharing) -> Bool {
    if isRestoring { return false }
    if !sharing.ready.isEmpty || !sharing.hasBegun || !sharing.asking.isEmpty && !sharing.isAskingFull { return true }
    switch sharing.step {
    case .idle: return isBatchDue(sharing, Clock.monotonic())
    case .collecting: return true
    case .untold, .told: return false
    case .sending: return !sharing.isFull
    }
  }

  /// When something is due by the clock.
  func dueTime(of sharing: Sharing) -> Int64 {
    var due = sharing.parked.isEmpty ? Int64.max : sharing.nextLook
    guard sharing.isUp else { return due }
    if sharing.step == .idle, state.view.waitingToShare > 0 {
      due = min(due, (sharing.lastBegan ?? 0) + sharing.store.flushInterval)
    }
    if sharing.hasUnshared { due = min(due, sharing.nextRetry) }
    return min(due, sharing.totals.dueTime)
  }

  /// Looks how the store is, and what it has to say.
  private func look(_ sharing: Sharing, _ now: Int64) {
    sharing.isAwake = false
    sharing.nextLook = now + Self.lookInterval
    sharing.isFull = false
    sharing.isAskingFull = false
    let generation = sharing.condition.generation
    sharing.condition = sharing.store.condition()
    if sharing.condition.generation != generation { sharing.nextRetry = now }
    if sharing.store.takeFullPass() { state.view.shareAll() }
    for news in sharing.store.takeNews() { take(news, sharing) }
    if !sharing.isUp || state.keeping?.keeper.condition().isDegraded ?? false { sharing.failWriters() }
    giveUpLate(sharing, now)
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
    case .unwritten(let ticket, _):
      sharing.open[ticket]?.isUnwritten = true
      close(ticket, sharing)
    case .holding(let ticket, let holding, let served):
      sharing.take(.holding(holding, served: served), for: ticket)
    case .reset(let ticket, let served): sharing.take(.reset(served: served), for: ticket)
    case .failed(let ticket, let why): sharing.take(.failed(why), for: ticket)
    case .resetElsewhere(let key): state.view.share(key)
    }
  }

  /// Tells everything for the last time, as far as that is quick; what remains waits for the next start.
  func finishSharing(_ sharing: Sharing) {
    let end = Clock.monotonic() + 2_000_000_000
    sharing.isEnding = true
    while Clock.monotonic() < end {
      if let keeping = state.keeping { keep(keeping) }
      share(sharing)
      let isDone = sharing.step == .idle && sharing.open.isEmpty && state.view.waitingToShare == 0
      if isDone || !sharing.isUp { return }
      if !isSharing(sharing) && !(state.keeping.map { isKeeping($0) } ?? false) {
        poll.wait(milliseconds: 10) { handle($0) }
      }
    }
  }
}
