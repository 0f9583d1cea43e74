import Platform

/// What each sender sent in one half: a fixed table of those that came first, and one place for all who came after it was full.
///
///     offset       bytes
///          0           8  senders in the table
///          8    33 * 32  place 0: everybody else; places 1 to …: address, lines, refused lines
///          …   2 * 128  index: place by address, 0 is empty
///
/// Counted anew in each half, so somebody who sends much is in the table of most halves even when thousands send a little.
@safe
struct SenderTally {
  /// Senders that a half tells apart.
  static let limit = 127
  private static let slots = 256
  static let byteCount = 8 + (limit + 1) * MemoryLayout<Entry>.stride + slots

  struct Entry: BitwiseCopyable {
    var address: SenderAddress
    var lines: UInt64
    var refused: UInt64
  }

  private let base: UnsafeMutableRawPointer

  init(unsafeBase base: UnsafeMutableRawPointer) { unsafe self.base = base }

  // Safe: all of the below, places are at most `limit`, slots are masked.

  @unsafe private var entries: UnsafeMutablePointer<Entry> { unsafe (base + 8).assumingMemoryBound(to: Entry.self) }
  @unsafe private var index: UnsafeMutablePointer<UInt8> {
    unsafe UnsafeMutableRawPointer(entries + Self.limit + 1).assumingMemoryBound(to: UInt8.self)
  }
  private var count: Int {
    get { unsafe base.load(as: Int.self) }
    nonmutating set { unsafe base.storeBytes(of: newValue, as: Int.self) }
  }

  /// The place of a sender, 0 when the table is full of others.
  /// - Complexity: O(1) expected; half of the slots are empty.
  @inline(__always)
  func place(of address: SenderAddress) -> Int {
    var slot = address.place & (Self.slots - 1)
    while true {
      let place = Int(unsafe index[slot])
      if place == 0 { return add(address, slot) }
      if unsafe entries[place].address == address { return place }
      slot = (slot &+ 1) & (Self.slots - 1)
    }
  }

  @inline(never)
  private func add(_ address: SenderAddress, _ slot: Int) -> Int {
    if count == Self.limit { return 0 }
    count += 1
    unsafe entries[count] = Entry(address: address, lines: 0, refused: 0)
    unsafe index[slot] = UInt8(count)
    return count
  }

  @inline(__always)
  func add(lines: UInt64, refused: UInt64, to place: Int) {
    unsafe entries[place].lines &+= lines
    unsafe entries[place].refused &+= refused
  }

  /// The address at `place`; of everybody else there is none.
  func address(_ place: Int) -> SenderAddress? { place == 0 ? nil : unsafe entries[place].address }

  /// Hands out what was counted and forgets it. The first entry is everybody else, whose address means nothing.
  func take(_ body: (_ entry: Entry, _ isOthers: Bool) -> Void) {
    for place in 0...count { unsafe body(entries[place], place == 0) }
    unsafe base.initializeMemory(as: UInt8.self, repeating: 0, count: Self.byteCount)
  }
}
