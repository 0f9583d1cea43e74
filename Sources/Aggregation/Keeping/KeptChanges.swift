import Platform

/// What has changed since the journal was last told: series in a queue, each once, and what must be told as it happened.
///
///     take ──▶ queue: series whose totals are read when their turn comes ─┐
///     take ──▶ payload in the making: samples, members, late, left ───────┴──▶ payloads ──▶ journal
///
/// Numbers and queue (`LinkedQueue`) take 8 bytes a series, none while nobody keeps. What is told as it happened is bounded by `untoldLimit`: beyond, it is left out and a snapshot is wanted, which tells all.
@safe
struct KeptChanges: ~Copyable {
  /// Bytes of a payload, but for the last record.
  static let payloadBytes = 256 << 10
  /// Bytes that wait to be taken.
  private static let untoldLimit = 8 << 20
  static let bytesPerSeries = MemoryLayout<UInt32>.stride * 2

  /// Numbers by series; 0: the series has none in this numbering.
  private let numbers: ReservedArray<UInt32>
  private let links: ReservedArray<UInt32>
  private var queue = LinkedQueue()
  private var lastNumber: UInt32 = 0

  private(set) var isOn = false
  private(set) var numbering: UInt32 = 0
  var writer = JournalRecordWriter()
  private var full: [[UInt8]] = []
  private var fullBytes = 0
  /// Payloads of a batch have been taken whose end has not.
  private(set) var isBatchOpen = false
  /// What could not be told, or has changed its meaning, so that everything should be told anew.
  var wantsSnapshot = false
  var snapshot: SnapshotProgress?

  init(capacity: Int) throws(SystemError) {
    // All that can fail comes before the first member is set.
    let numbers = try ReservedArray<UInt32>(capacity: capacity)
    let links = try ReservedArray<UInt32>(capacity: capacity)
    self.numbers = numbers
    self.links = links
  }

  /// From now on changes are kept.
  mutating func begin(numbering: UInt32) {
    isOn = true
    self.numbering = numbering
  }

  /// Bytes of memory that grows with what is told as it happens.
  var byteCount: Int { fullBytes + writer.bytes.capacity }

  /// Whether nothing waits to be taken.
  var isEmpty: Bool { queue.isEmpty && writer.isEmpty && full.isEmpty && !isBatchOpen }

  /// Whether a payload is worth its while before the batch is whole.
  var hasFullPayload: Bool { !full.isEmpty }

  // MARK: Queue

  /// Puts a series into the queue, if it is not there.
  @inline(__always)
  mutating func mark(_ id: Int) {
    if links[id] == LinkedQueue.out { queue.append(id, links) }
  }

  /// Takes the first series out of the queue; it may have left.
  mutating func pop() -> Int? { queue.pop(links) }

  // MARK: Numbers

  /// A series' number; 0: it has none.
  @inline(__always)
  func number(_ id: Int) -> UInt32 { numbers[id] }

  mutating func giveNumber(_ id: Int) -> UInt32 {
    lastNumber += 1
    numbers[id] = lastNumber
    return lastNumber
  }

  /// The series has left: whoever gets its place has another number.
  mutating func forgetNumber(_ id: Int) { numbers[id] = 0 }

  /// Takes all numbers back: each series is told anew when it next has one. Nothing may be in the making.
  /// - Complexity: O(pages that hold a number).
  mutating func renumber(series count: Int) {
    precondition(writer.isEmpty && full.isEmpty, "numbers that are in the making would name other series")
    numbering &+= 1
    lastNumber = 0
    numbers.clear(count)
  }

  /// Whether numbers run out.
  var isOutOfNumbers: Bool { lastNumber > UInt32.max - (64 << 20) }

  // MARK: Payloads

  /// Whether what happens can be told; if not, a snapshot will.
  mutating func hasRoom() -> Bool {
    if fullBytes < Self.untoldLimit { return true }
    wantsSnapshot = true
    return false
  }

  /// Ends the payload in the making, if it has become as long as one shall be.
  mutating func endIfFull(wall: Int64) {
    if writer.bytes.count < Self.payloadBytes { return }
    let payload = seal(wall: wall)
    fullBytes += payload.count
    full.append(payload)
  }

  private mutating func seal(wall: Int64) -> [UInt8] {
    var next = JournalRecordWriter()
    swap(&next, &writer)
    return next.sealed(isSnapshot: false, wall: wall, numbering: numbering)
  }

  /// The oldest payload that is full; else the one in the making, if it is not empty or must end the batch.
  mutating func take(wall: Int64) -> JournalPayload? {
    var bytes: [UInt8]
    if full.isEmpty {
      if writer.isEmpty && !isBatchOpen { return nil }
      bytes = seal(wall: wall)
    } else {
      bytes = full.removeFirst()
      fullBytes -= bytes.count
    }
    isBatchOpen = !(full.isEmpty && writer.isEmpty && queue.isEmpty)
    return JournalPayload(bytes: bytes, endsBatch: !isBatchOpen, part: .changes)
  }
}

/// How far a snapshot has come.
struct SnapshotProgress {
  var nextSeries = 0
  var nextFamily = 0
  var hasBegun = false
  /// Payloads that are to follow at once: those of one series or metric whose history is long.
  var following: [[UInt8]] = []
}
