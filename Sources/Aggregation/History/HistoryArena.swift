import Platform

/// The one memory of all history: slots of 64 bytes, a cache line each, under a budget.
///
/// Everything that history keeps is made of slots (a series' entry, a run of points, a piece of a sketch), so whatever leaves makes room
/// for whatever comes, nothing fragments, and the bytes in use are known exactly. Slots are named by number; 0 names none.
/// - Invariant: the memory touched never exceeds the budget, since no more is reserved.
/// - Complexity: `allocate` and `release` O(1).
@safe
struct HistoryArena: ~Copyable {
  private let memory: Reservation
  /// Bytes that slots in use and `bytesElsewhere` may come to.
  var limit: Int
  /// Slots that there may ever be, the unused number 0 included.
  private let capacity: Int
  /// Bytes of the same budget that are used elsewhere.
  var bytesElsewhere = 0
  /// Numbers below are in use or were.
  private(set) var made = 1
  private var firstFree: UInt32 = 0
  /// Slots in use.
  private(set) var used = 0

  /// - Parameters:
  ///   - limit: bytes, at most 256 GiB.
  ///   - spare: bytes of it that others may come to use, and that no slot may touch.
  init(limit: Int, spare: Int) throws(SystemError) {
    let slots = min((limit - spare) / HistorySlot.byteCount + 1, Int(UInt32.max))
    self.limit = limit
    memory = try Reservation(byteCount: max(1, slots) * HistorySlot.byteCount, usesHugePages: true)
    capacity = slots
  }

  /// Bytes of the slots in use.
  var byteCount: Int { used * HistorySlot.byteCount + bytesElsewhere }
  var isFull: Bool {
    (used + 1) * HistorySlot.byteCount + bytesElsewhere > limit || firstFree == 0 && made >= capacity
  }

  /// A slot, all bytes zero; nil when the budget is used up.
  mutating func allocate() -> UInt32? {
    if isFull { return nil }
    var number = firstFree
    if number != 0 {
      firstFree = self[number].link
    } else {
      number = UInt32(made)
      made += 1
    }
    self[number].clear()
    used += 1
    return number
  }

  /// Gives a slot back.
  mutating func release(_ number: UInt32) {
    self[number].link = firstFree
    firstFree = number
    used -= 1
  }

  /// Bytes of the slots that were ever in use.
  var touchedBytes: Int { made * HistorySlot.byteCount + bytesElsewhere }
  /// The first number whose slot lies beyond the limit.
  var end: UInt32 {
    UInt32(clamping: min(capacity, max(2, (limit - bytesElsewhere) / HistorySlot.byteCount)))
  }

  /// Leaves only free slots below `end` to be used.
  mutating func forgetFree(from end: UInt32) {
    var kept: UInt32 = 0
    var next = firstFree
    while next != 0 {
      let number = next
      next = self[number].link
      if number < end {
        self[number].link = kept
        kept = number
      }
    }
    firstFree = kept
  }

  /// Gives back the memory of all slots from `end` on, none of which is in use.
  mutating func discard(from end: UInt32) {
    if Int(end) >= made { return }
    memory.discard(from: Int(end) * HistorySlot.byteCount, to: made * HistorySlot.byteCount)
    made = Int(end)
  }

  /// Moves a slot to a free one; nobody may look at the old one again.
  /// - Returns: its new number.
  mutating func move(_ number: UInt32) -> UInt32 {
    let new = firstFree
    precondition(new != 0, "there are as many free slots below the end as slots in use above it")
    firstFree = self[new].link
    self[new].copy(self[number])
    return new
  }

  /// The slot with this number, which is in use.
  subscript(number: UInt32) -> HistorySlot {
    @inline(__always) get {
      precondition(number != 0 && Int(number) < made)
      // Safe: by the precondition, within the reservation, which lives as long as `self`.
      return unsafe HistorySlot(unsafeBase: memory.base + Int(number) &* HistorySlot.byteCount)
    }
  }
}

/// 64 bytes of history's memory. What they mean is said by whoever reads them: `HistoryEntry`, `HistoryRun`, `HistoryBlob`.
@safe
struct HistorySlot {
  static let byteCount = 64

  private let base: UnsafeMutableRawPointer

  @inline(__always)
  init(unsafeBase base: UnsafeMutableRawPointer) { unsafe self.base = base }

  // Safe: all of the below, offsets are asserted to lie within the 64 bytes of the slot, which is in use.

  /// The first word: every kind of slot is linked by it.
  @inline(__always) var link: UInt32 {
    get { self[word: 0] }
    nonmutating set { self[word: 0] = newValue }
  }

  @inline(__always) subscript(byte offset: Int) -> UInt8 {
    get {
      assert(offset >= 0 && offset < Self.byteCount)
      return unsafe base.load(fromByteOffset: offset, as: UInt8.self)
    }
    nonmutating set {
      assert(offset >= 0 && offset < Self.byteCount)
      unsafe base.storeBytes(of: newValue, toByteOffset: offset, as: UInt8.self)
    }
  }

  @inline(__always) subscript(half offset: Int) -> UInt16 {
    get {
      assert(offset >= 0 && offset <= Self.byteCount - 2)
      return unsafe base.loadUnaligned(fromByteOffset: offset, as: UInt16.self)
    }
    nonmutating set {
      assert(offset >= 0 && offset <= Self.byteCount - 2)
      unsafe base.storeBytes(of: newValue, toByteOffset: offset, as: UInt16.self)
    }
  }

  @inline(__always) subscript(word offset: Int) -> UInt32 {
    get {
      assert(offset >= 0 && offset <= Self.byteCount - 4)
      return unsafe base.loadUnaligned(fromByteOffset: offset, as: UInt32.self)
    }
    nonmutating set {
      assert(offset >= 0 && offset <= Self.byteCount - 4)
      unsafe base.storeBytes(of: newValue, toByteOffset: offset, as: UInt32.self)
    }
  }

  @inline(__always) subscript(long offset: Int) -> UInt64 {
    get {
      assert(offset >= 0 && offset <= Self.byteCount - 8)
      return unsafe base.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
    }
    nonmutating set {
      assert(offset >= 0 && offset <= Self.byteCount - 8)
      unsafe base.storeBytes(of: newValue, toByteOffset: offset, as: UInt64.self)
    }
  }

  /// Writes bytes from `offset` on.
  @inline(__always)
  func copy(_ bytes: borrowing Span<UInt8>, to offset: Int) {
    precondition(offset >= 0 && offset + bytes.count <= Self.byteCount)
    unsafe bytes.withUnsafeBytes {
      if let from = $0.baseAddress { unsafe (base + offset).copyMemory(from: from, byteCount: $0.count) }
    }
  }

  /// Appends `range` of the slot to `bytes`.
  func append(_ range: Range<Int>, to bytes: inout [UInt8]) {
    precondition(range.lowerBound >= 0 && range.upperBound <= Self.byteCount)
    unsafe bytes.append(contentsOf: UnsafeRawBufferPointer(start: base + range.lowerBound, count: range.count))
  }

  /// Takes over all bytes of another slot.
  func copy(_ other: HistorySlot) {
    for offset in stride(from: 0, to: Self.byteCount, by: 8) { self[long: offset] = other[long: offset] }
  }

  func clear() {
    for offset in stride(from: 0, to: Self.byteCount, by: 8) { self[long: offset] = 0 }
  }
}
