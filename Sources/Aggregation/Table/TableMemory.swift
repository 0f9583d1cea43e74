import Platform
import Protocol
import Synchronization

/// What a worker's table shares with the reader: the records, the logs of what was touched, and the list of what shall leave.
///
/// A log holds, in the order of events, the number of each record at its first touch in the epoch, and `number | departed` when the
/// worker has forgotten one. So the reader looks at nothing but what changed, and learns of new series by meeting numbers that it does
/// not know.
///
/// `@unchecked Sendable`: the gate's halves decide who may touch a log and a block; counters and gauges are relaxed atomics. The stress
/// test of the whole table runs under ThreadSanitizer.
package final class TableMemory: @unchecked Sendable {
  /// Marks a log entry of a record that has left.
  static let departed: UInt32 = 1 << 31
  /// Records that may be condemned at a time.
  static let condemnedLimit = 1_024

  private static let logBytesKept = 65_536

  /// Which half is the writer's.
  package let gate = EpochGate()
  /// Records that there is room for.
  let capacity: Int
  let recordMemory: Reservation
  private let evenLog: Reservation
  private let oddLog: Reservation
  /// Bounds of `ms` timers in milliseconds, and of histograms and distributions as they are sent.
  private let timerBounds: TimerBounds
  private let histogramBounds: TimerBounds
  private let condemnedMemory: Reservation
  private let evenNotes: Reservation
  private let oddNotes: Reservation
  private let evenLate: Reservation
  private let oddLate: Reservation
  /// 0: the reader may condemn; above: the worker shall look at so many.
  private let condemnedCount = Atomic<Int>(0)
  /// Records in use, for `/status`; stored by the owner once a batch.
  let recordsInUse = Atomic<Int>(0)
  /// Bytes of spellings that lie outside the records, likewise.
  let textBytes = Atomic<Int>(0)
  /// Bytes of the owner's index, likewise.
  let indexBytes = Atomic<Int>(0)
  /// Bytes of the blocks that the owner has made for timers and sets, those that it gave back less, likewise.
  let blockBytes = Atomic<Int>(0)

  /// Reserves room for `capacity` records; nothing of it is touched yet.
  /// - Parameters:
  ///   - timerBounds: for `ms` timers, in milliseconds.
  ///   - histogramBounds: for histograms and distributions.
  package init(
    capacity: Int, timerBounds: TimerBounds = TimerBounds([]), histogramBounds: TimerBounds = TimerBounds([])
  ) throws(SystemError) {
    precondition(capacity < Int(Self.departed), "record numbers have 31 bits")
    self.capacity = capacity
    self.timerBounds = timerBounds
    self.histogramBounds = histogramBounds
    recordMemory = try Reservation(byteCount: capacity * SeriesRecord.byteCount + 64, usesHugePages: true)
    // Each record once, and those that left or came back in the same epoch. The first 8 bytes of a log are its length.
    let logBytes = 8 + 4 * (capacity + 4 * Self.condemnedLimit)
    evenLog = try Reservation(byteCount: logBytes)
    oddLog = try Reservation(byteCount: logBytes)
    evenNotes = try Reservation(byteCount: SenderTally.byteCount + RefusalNotes.byteCount)
    oddNotes = try Reservation(byteCount: SenderTally.byteCount + RefusalNotes.byteCount)
    evenLate = try Reservation(byteCount: LateLog.byteCount)
    oddLate = try Reservation(byteCount: LateLog.byteCount)
    condemnedMemory = try Reservation(byteCount: 8 + 4 * Self.condemnedLimit)
  }

  /// The bounds of timers of this kind.
  @inline(__always)
  func bounds(_ kind: UInt8) -> TimerBounds { kind == SampleKind.timer.rawValue ? timerBounds : histogramBounds }

  /// The record with `number`.
  @inline(__always)
  func record(_ number: Int) -> SeriesRecord {
    assert(number >= 0 && number < capacity)
    // Safe: within the reservation, which lives as long as `self`.
    return unsafe SeriesRecord(unsafeBase: recordMemory.base + number &* SeriesRecord.byteCount)
  }

  /// The log of `half`: whoever the gate gives the half to may use it.
  func log(_ half: Int) -> TouchLog {
    // Safe: the log's memory lives as long as `self`.
    unsafe TouchLog(unsafeBase: half == 0 ? evenLog.base : oddLog.base)
  }

  /// Reader: empties the log of `half`, which is its own now. Of a long one only the beginning stays in memory: a million series that
  /// were touched once need not cost a million entries for ever, and to fill the pages again takes less than a nanosecond an entry.
  func clearLog(_ half: Int) {
    let log = log(half)
    let end = 8 + log.count * 4
    log.count = 0
    let kept = min(end, Self.logBytesKept)
    if half == 0 { evenLog.discard(from: kept, to: end) } else { oddLog.discard(from: kept, to: end) }
  }

  /// The senders of `half`; as for the log.
  func senders(_ half: Int) -> SenderTally {
    // Safe: the memory lives as long as `self`.
    unsafe SenderTally(unsafeBase: half == 0 ? evenNotes.base : oddNotes.base)
  }

  /// The refused lines of `half` that are kept; as for the log.
  func notes(_ half: Int) -> RefusalNotes {
    // Safe: they stand behind the senders, which end at a multiple of 8 bytes.
    unsafe RefusalNotes(unsafeBase: (half == 0 ? evenNotes.base : oddNotes.base) + SenderTally.byteCount)
  }

  /// The samples of `half` that bear their own time; as for the log.
  func late(_ half: Int) -> LateLog {
    // Safe: the memory lives as long as `self`.
    unsafe LateLog(unsafeBase: half == 0 ? evenLate.base : oddLate.base)
  }

  /// Reader: asks the worker to forget records that nobody has touched since the gate's epoch `epoch`.
  /// - Returns: false while the worker has not looked at the last request.
  func condemn(_ numbers: [UInt32], since epoch: UInt64) -> Bool {
    precondition(numbers.count <= Self.condemnedLimit)
    if condemnedCount.load(ordering: .acquiring) != 0 { return false }
    // Safe: bounded by the precondition; the worker does not look before the count is stored.
    unsafe condemnedMemory.base.storeBytes(of: epoch, as: UInt64.self)
    let list = unsafe (condemnedMemory.base + 8).assumingMemoryBound(to: UInt32.self)
    for (index, number) in numbers.enumerated() { unsafe list[index] = number }
    condemnedCount.store(numbers.count, ordering: .releasing)
    return true
  }

  /// Worker: whether records are condemned.
  @inline(__always)
  package var hasCondemned: Bool { condemnedCount.load(ordering: .relaxed) != 0 }

  /// Worker: takes the request up.
  func takeCondemned(_ body: (_ number: Int, _ epoch: UInt64) -> Void) {
    let count = condemnedCount.load(ordering: .acquiring)
    // Safe: the reader wrote them before it stored the count, and writes no more until the count is 0.
    let epoch = unsafe condemnedMemory.base.load(as: UInt64.self)
    let list = unsafe (condemnedMemory.base + 8).assumingMemoryBound(to: UInt32.self)
    for index in 0..<count { unsafe body(Int(list[index]), epoch) }
    condemnedCount.store(0, ordering: .releasing)
  }

  deinit {
    for number in 0..<recordsInUse.load(ordering: .relaxed) {
      let record = record(number)
      if record.role != .free { record.end() }
    }
  }
}

/// A growing list of record numbers in one half of a table's memory.
@safe
struct TouchLog {
  private let base: UnsafeMutableRawPointer

  init(unsafeBase base: UnsafeMutableRawPointer) { unsafe self.base = base }

  // Safe: the length is bounded by the reservation (`TableMemory.init`), since a record is logged once an epoch.

  var count: Int {
    get { unsafe base.load(as: Int.self) }
    nonmutating set { unsafe base.storeBytes(of: newValue, as: Int.self) }
  }

  @inline(__always)
  func append(_ entry: UInt32) {
    let index = count
    unsafe base.storeBytes(of: entry, toByteOffset: 8 &+ index &* 4, as: UInt32.self)
    count = index &+ 1
  }

  subscript(index: Int) -> UInt32 { unsafe base.load(fromByteOffset: 8 + index * 4, as: UInt32.self) }
}
