import Platform

/// How one worker stands to one of its datagram sockets: waiting for it, or coming back to it by itself.
///
/// A sender that finds the receiver asleep in the kernel pays for waking it, which is most of what a datagram costs it. So a busy socket is
/// left alone for a while (a nap) in which datagrams gather, and nobody waits for it meanwhile. An idle one is waited for in epoll.
///
///     waits ── an event, and behind it more ──▶ busy: take all ─ nap ─ take all ─ nap …
///       ▲                                         │
///       └──────── two naps brought nothing ───────┘
///
/// A nap lasts until about `gathered` has come at the rate of the last one. It ends before a sender at full speed could fill half of the
/// buffer, whatever the rate was: so it stays within a buffer of 8 MiB, and at one of a few KiB there is none.
struct DatagramInlet {
  /// A sleep is late by the timer's slack of 50 µs (prctl(2), PR_SET_TIMERSLACK), so shorter ones differ in name only.
  static let shortest = 20_000
  /// Beyond this a nap spares nobody anything.
  private static let longest = 2_000_000
  /// Buffer bytes that the fastest sender seen fills in a nanosecond: four million small datagrams a second.
  private static let fastest = 4
  /// Some 500 small datagrams: eight calls, beside which the nap and the way back cost little.
  private static let gathered = 512 << 10
  /// Naps in a row that bring nothing before the socket is waited for again: a sender that paces itself is not gone at its first pause.
  private static let mostFruitless = 2

  /// The worker comes back by itself, and the socket is not in its poll.
  var isBusy = false
  /// Nanoseconds; 0: it must not be left alone.
  let longestNap: Int
  private let wanted: Int
  private var cycleBegan: Int64 = 0
  /// Messages to take in the next call.
  private(set) var messagesAtOnce = DatagramArena.slots
  /// A batch of more bytes takes milliseconds to count, and a reader waits for the end of a batch.
  private static let mostBytes = 1 << 20
  /// As many of the longest as `mostBytes` hold.
  private static let fewMessages = mostBytes / DatagramArena.longest
  /// A run has come here.
  private(set) var hasRuns = false
  /// The socket's drops when they were last looked at.
  private var dropsSeen: UInt32 = 0

  /// - Parameter bufferBytes: as granted; the kernel lets twice as much be used, overhead included (socket(7), SO_RCVBUF).
  init(bufferBytes: Int) {
    let room = bufferBytes * 2
    let most = min(Self.longest, room / 2 / Self.fastest)
    longestNap = most < Self.shortest ? 0 : most
    wanted = min(Self.gathered, room / 8)
  }

  /// What messages take of the receive buffer, rounded up: the kernel's own part, and the bytes in blocks that may be twice as large.
  static func charge(messages: Int, bytes: Int) -> Int { messages * 1_024 + bytes * 2 }

  private var fruitless = 0

  /// The socket has been found busy: begins to measure the rate.
  mutating func becomeBusy(now: Int64) {
    isBusy = true
    fruitless = 0
    cycleBegan = now
  }

  /// Whether the socket has fallen silent, after a nap that brought so many messages.
  mutating func isSilent(messages: Int) -> Bool {
    fruitless = messages == 0 ? fruitless + 1 : 0
    return fruitless >= Self.mostFruitless
  }

  /// The nap that suits what came since the last call: nanoseconds, 0 for none.
  mutating func nap(charged: Int, now: Int64) -> Int {
    let elapsed = Int(max(1, now - cycleBegan))
    cycleBegan = now
    if longestNap == 0 { return 0 }
    let whole = wanted.multipliedReportingOverflow(by: elapsed)
    if whole.overflow || charged == 0 { return longestNap }
    return min(max(whole.partialValue / charged, Self.shortest), longestNap)
  }

  /// Takes fewer messages in the next call if so many like those of this batch would be too much at once.
  mutating func noteBatch(messages: Int, bytes: Int) {
    messagesAtOnce =
      bytes / messages * DatagramArena.slots > Self.mostBytes ? Self.fewMessages : DatagramArena.slots
  }

  // MARK: Drops

  /// Takes the socket's number of drops down as that of single datagrams.
  mutating func noteDrops(_ drops: UInt32) { dropsSeen = drops }

  /// The datagrams that the kernel's number of drops lacks when a batch held runs: it counts each run as one. What was dropped is taken to
  /// have been like what came through, so runs of one length are counted exactly.
  /// - Returns: what to add, rounded.
  mutating func dropsWithinRuns(drops: UInt32, messages: Int, datagrams: Int) -> UInt64 {
    hasRuns = true
    let dropped = UInt64(drops &- dropsSeen)
    dropsSeen = drops
    let more = dropped.multipliedFullWidth(by: UInt64(datagrams - messages))
    return UInt64(messages).dividingFullWidth(more).quotient
  }
}
