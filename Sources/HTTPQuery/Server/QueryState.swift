import Aggregation
import Platform
import Protocol
import Synchronization

/// What the routes answer from: the merged view, the books, and what the query thread counts of itself.
///
/// One thread's, and a class because the pages in flight share it with the loop.
final class QueryState {
  var view: MergedView
  /// Which families stand on the pages of each language.
  var exposed: ExposedFamilies
  let books: [ListenerBooks]
  /// HTTP's own among them.
  let httpBooks: ListenerBooks
  /// What comes over HTTP is counted here; the last of the view's tables.
  var table: WorkerTable
  let ownTable: Int
  /// Where HTTP listens.
  let addresses: [String]
  let agent: AgentState
  /// `QueryServer.adopt` replaces some of them while the program runs.
  var settings: QuerySettings
  /// The journal, if there is one.
  let keeping: Keeping?
  /// What several agents share, if they do.
  let sharing: Sharing?
  /// When the program began to answer: nanoseconds since 1970, and on the clock that never jumps.
  let startedWall = Clock.wall()
  let started = Clock.monotonic()

  var requests = RequestCounts()
  /// Requests beyond a client's rate.
  var limitedRequests: UInt64 = 0
  /// Bytes held for clients: requests that are coming or waiting, answers that are going out.
  var heldBytes = 0
  /// Header fields that should tell when something happened, and do not.
  var badEventTimes: UInt64 = 0
  /// What those who watch are told after each flush.
  let events = EventsFeed()
  /// Taking over what the workers gathered.
  var flushes = DurationTotal()
  /// Making pages of `/metrics`: the thread's time, without that of waiting for the scraper.
  var scrapes = DurationTotal()

  /// The last answer of `/stats`.
  var stats = StatsAnswer()
  /// Answers under way that want the view to stay as it is (`ConsistentRead`).
  var readers = 0

  // A gather has a number, so that a request can wait for one that began after it came.
  private(set) var gathersBegun = 0
  private(set) var gathersDone = 0
  private var sliceNanoseconds: Int64 = 0
  /// The view's `bytesClaimed` when the gather in hand began.
  private var claimedBefore = 0
  private var isFull = false

  init(
    view: consuming MergedView, table: consuming WorkerTable, books: [ListenerBooks], httpBooks: ListenerBooks,
    addresses: [String], agent: AgentState, settings: QuerySettings, keeper: Keeper? = nil,
    store: SharedStore? = nil
  ) {
    ownTable = view.tableCount - 1
    self.view = view
    self.table = table
    self.books = books
    self.httpBooks = httpBooks
    self.addresses = addresses
    self.agent = agent
    self.settings = settings
    keeping = keeper.map { Keeping($0) }
    sharing = store.map { Sharing($0) }
    exposed = ExposedFamilies(hasBuckets: !settings.buckets.isEmpty)
  }

  /// Entries to take over before the loop gets its turn again: a fraction of a millisecond for what is known, some 5 ms where every
  /// entry is a metric never seen.
  private static let gatherSlice = 2_000

  /// The gather that a flush wants: the one in hand, or the next.
  var currentGather: Int { max(gathersBegun, gathersDone + 1) }
  /// The gather that holds all that was counted before now.
  var nextGather: Int { gathersBegun + 1 }

  /// Whether a gather has begun and not ended.
  var isGathering: Bool { gathersDone < gathersBegun }

  /// Takes a payload back that was kept from before the start.
  func restore(_ payload: [UInt8]) {
    view.restore(payload, into: &table, second: second(Clock.monotonic()), wall: Clock.wall() / 1_000_000_000)
    takeFamilyChanges()
  }

  /// Takes over some of what the workers gathered.
  /// - Returns: true when that ended a gather.
  func gatherSome() -> Bool {
    if gathersDone == gathersBegun {
      gathersBegun += 1
      claimedBefore = view.bytesClaimed
    }
    let begin = Clock.monotonic()
    let isDone = view.gather(second: second(begin), wall: Clock.wall() / 1_000_000_000, limit: Self.gatherSlice)
    takeFamilyChanges()
    sliceNanoseconds += Clock.monotonic() - begin
    if !isDone { return false }
    gathersDone = gathersBegun
    keepWithinMemory()
    flushes.add(nanoseconds: sliceNanoseconds)
    sliceNanoseconds = 0
    return true
  }

  /// Brings what is kept in line with `--memory-limit`, and says when new series have to go without.
  private func keepWithinMemory() {
    let elsewhere = memoryElsewhere.reduce(0) { $0 + $1.bytes }
    let isFull = view.keepWithin(settings.memoryLimit, elsewhere: elsewhere, claimedBefore: claimedBefore)
    if isFull == self.isFull { return }
    self.isFull = isFull
    if isFull { agent.begin(.memoryLimit) } else { agent.end(.memoryLimit) }
  }

  /// Takes up settings that have changed. What is under way goes on with the old ones.
  func takeUp(_ new: QuerySettings) {
    settings = new
    if let view = new.view { self.view.settings = view }
    keepWithinMemory()
  }

  /// Bytes of a stream connection beside what it keeps of a line, as measured; and of a client beside what is held for it.
  private static let streamBytes = 256
  private static let clientBytes = 2_048

  /// Bytes outside the view by what they are for, as far as there are books of them.
  var memoryElsewhere: [(part: StaticString, bytes: Int)] {
    let connections = books.reduce(0) { sum, one in
      let each = one.kind == .http ? Self.clientBytes : Self.streamBytes
      return sum + one.connections.load(ordering: .relaxed) * each + one.keptBytes.load(ordering: .relaxed)
    }
    return [("names", exposed.byteCount), ("connections", connections + heldBytes), ("fixed", settings.fixedBytes)]
  }

  /// The view's clock in whole seconds. At the start it shows 48 days, so that there are times for what was kept from before.
  /// - Parameter monotonic: nanoseconds.
  func second(_ monotonic: Int64) -> Int64 { (monotonic - started) / 1_000_000_000 + 1 << 22 }

  /// Keeps names by family as families come and go.
  func takeFamilyChanges() {
    if view.familyChanges.isEmpty { return }
    let changes = view.familyChanges
    view.familyChanges = []
    exposed.take(changes, in: view)
  }

  var uptimeNanoseconds: Int64 { Clock.monotonic() - started }
  var uptimeSeconds: Double { Double(uptimeNanoseconds) / 1e9 }
}

/// How often something was done, and how long it took in all.
struct DurationTotal {
  private(set) var count: UInt64 = 0
  private(set) var seconds = 0.0

  init(count: UInt64 = 0, seconds: Double = 0) {
    self.count = count
    self.seconds = seconds
  }

  mutating func add(nanoseconds: Int64) {
    count += 1
    seconds += Double(nanoseconds) / 1e9
  }
}

/// Answers by route and status.
struct RequestCounts {
  struct Key: Hashable {
    var route: String
    var code: UInt16
  }

  /// What answers bear as their route that met none.
  static let noRoute = 0
  private static let names = ["none"] + Routes.groups.map(\.pattern)
  private static let codes = Status.allCases.map(\.rawValue)
  /// The place of a status among all.
  private static let places: [UInt8] = {
    var places = [UInt8](repeating: 0, count: Int(codes.max() ?? 0) + 1)
    for (place, code) in codes.enumerated() { places[Int(code)] = UInt8(place) }
    return places
  }()

  private var counts = [UInt64](repeating: 0, count: names.count * codes.count)
  private(set) var total: UInt64 = 0

  /// - Parameter route: a group's number, or `noRoute`.
  mutating func add(route: Int, _ status: Status) {
    counts[route * Self.codes.count + Int(Self.places[Int(status.rawValue)])] += 1
    total += 1
  }

  /// By route, then by code; every route begins with no request answered.
  var sorted: [(key: Key, count: UInt64)] {
    var found: [(key: Key, count: UInt64)] = []
    for (place, count) in counts.enumerated() {
      let (route, code) = place.quotientAndRemainder(dividingBy: Self.codes.count)
      if count > 0 || route != Self.noRoute && Self.codes[code] == Status.ok.rawValue {
        found.append((Key(route: Self.names[route], code: Self.codes[code]), count))
      }
    }
    return found.sorted { ($0.key.route, $0.key.code) < ($1.key.route, $1.key.code) }
  }
}

/// Keeps everything in the view in its place for as long as somebody walks over it, whatever ends the walk.
final class ViewPin {
  private let state: QueryState

  init(_ state: QueryState) {
    self.state = state
    state.view.pin()
  }

  deinit {
    state.view.unpin()
    state.takeFamilyChanges()
  }
}
