/// Some successive points of one track: a slot of 64 bytes.
///
///     offset  bytes
///          0      4  next run; that of the last is the first
///          4      4  bucket of the first point
///          8      2  buckets from the first point to the last
///         10      1  bytes of the points
///         11      1  where the last point begins
///         12     52  points in ascending order
///
///     point    gap << 1 | isRaw   buckets since the point before, 0 for the first
///              whole              zigzag; raw: 8 bytes, and 8 of the fraction
///              sum << 1           timers only, zigzag, if it is whole; else 1 and 8 bytes
///
/// Numbers are LEB128 unless they are said to have 8 bytes. So a second with a few counts takes 2 bytes, and a run holds 26 of them.
struct HistoryRun {
  private static let head = 12
  static let room = HistorySlot.byteCount - head
  /// Farther points begin a run of their own, so that what lies far apart can be told from what lies between.
  static let longestGap: UInt32 = 255

  let number: UInt32
  private let slot: HistorySlot

  @inline(__always)
  init(_ number: UInt32, _ slot: HistorySlot) {
    self.number = number
    self.slot = slot
  }

  @inline(__always) var next: UInt32 {
    get { slot.link }
    nonmutating set { slot.link = newValue }
  }
  @inline(__always) var first: UInt32 { slot[word: 4] }
  /// The last point's bucket.
  @inline(__always) var last: UInt32 { slot[word: 4] &+ UInt32(slot[half: 8]) }
  @inline(__always) private var used: Int { Int(slot[byte: 10]) }
  @inline(__always) private var lastStart: Int { Int(slot[byte: 11]) }

  /// Makes it a run of this point alone.
  func begin(_ point: HistoryPoint, isTimer: Bool) {
    slot[word: 4] = point.bucket
    slot[half: 8] = 0
    slot[byte: 11] = 0
    let item = Item(gap: 0, point.amount, isTimer: isTimer)
    write(item, at: 0)
  }

  /// Writes a point behind the last.
  /// - Returns: false if there is no room.
  func append(_ point: HistoryPoint, isTimer: Bool) -> Bool {
    let gap = point.bucket &- last
    if gap > Self.longestGap { return false }
    let item = Item(gap: gap, point.amount, isTimer: isTimer)
    let start = used
    if start + item.count > Self.room { return false }
    slot[half: 8] = UInt16(truncatingIfNeeded: point.bucket &- first)
    slot[byte: 11] = UInt8(truncatingIfNeeded: start)
    write(item, at: start)
    return true
  }

  /// Adds to the last point.
  /// - Returns: false if it has grown out of the room; then nothing has changed.
  func addToLast(_ amount: HistoryAmount, isTimer: Bool) -> Bool {
    let start = lastStart
    let (gap, before, _) = read(start, isTimer: isTimer)
    var sum = before
    sum.add(amount)
    let item = Item(gap: gap, sum, isTimer: isTimer)
    if start + item.count > Self.room { return false }
    write(item, at: start)
    return true
  }

  /// All points in order.
  @inline(__always)
  func forEach(isTimer: Bool, _ body: (HistoryPoint) -> Void) {
    var bucket = first
    var at = 0
    let end = used
    while at < end {
      let (gap, amount, next) = read(at, isTimer: isTimer)
      bucket &+= gap
      body(HistoryPoint(bucket: bucket, amount: amount))
      at = next
    }
  }

  // MARK: Bytes

  /// One point's bytes; 31 at most.
  struct Item {
    var bytes = InlineArray<32, UInt8>(repeating: 0)
    var count = 0

    @inline(__always)
    init(gap: UInt32, _ amount: HistoryAmount, isTimer: Bool) {
      let isRaw = amount.fraction != 0
      append(UInt64(gap) &<< 1 | (isRaw ? 1 : 0))
      if _slowPath(isRaw) {
        appendLong(UInt64(bitPattern: amount.whole))
        appendLong(amount.fraction.bitPattern)
      } else {
        append(zigzag(amount.whole))
      }
      if isTimer { append(sum: amount.sum) }
    }

    @inline(__always)
    private mutating func append(_ number: UInt64) {
      var rest = number
      while rest >= 0x80 {
        bytes[count] = UInt8(truncatingIfNeeded: rest) | 0x80
        count &+= 1
        rest &>>= 7
      }
      bytes[count] = UInt8(truncatingIfNeeded: rest)
      count &+= 1
    }

    private mutating func appendLong(_ number: UInt64) {
      for byte in 0..<8 { bytes[count + byte] = UInt8(truncatingIfNeeded: number >> UInt64(8 * byte)) }
      count += 8
    }

    private mutating func append(sum: Double) {
      if sum.magnitude < 0x1p53, sum == sum.rounded(.towardZero) {
        append(zigzag(Int64(sum)) << 1)
      } else {
        append(UInt64(1))
        appendLong(sum.bitPattern)
      }
    }
  }

  private func write(_ item: Item, at start: Int) {
    slot.copy(item.bytes.span.extracting(0..<item.count), to: Self.head + start)
    slot[byte: 10] = UInt8(truncatingIfNeeded: start + item.count)
  }

  @inline(__always)
  private func read(_ start: Int, isTimer: Bool) -> (gap: UInt32, amount: HistoryAmount, next: Int) {
    var at = Self.head &+ start
    let code = number(&at)
    var amount = HistoryAmount()
    if _slowPath(code & 1 == 1) {
      amount.whole = Int64(bitPattern: slot[long: at])
      amount.fraction = Double(bitPattern: slot[long: at + 8])
      at &+= 16
    } else {
      amount.whole = unzigzag(number(&at))
    }
    if isTimer {
      let sum = number(&at)
      if sum & 1 == 0 {
        amount.sum = Double(unzigzag(sum &>> 1))
      } else {
        amount.sum = Double(bitPattern: slot[long: at])
        at &+= 8
      }
    }
    return (UInt32(truncatingIfNeeded: code &>> 1), amount, at &- Self.head)
  }

  @inline(__always)
  private func number(_ at: inout Int) -> UInt64 {
    var byte = slot[byte: at]
    at &+= 1
    if _fastPath(byte < 0x80) { return UInt64(byte) }
    var number = UInt64(byte & 0x7F)
    var shift: UInt64 = 7
    while true {
      byte = slot[byte: at]
      at &+= 1
      number |= UInt64(byte & 0x7F) &<< shift
      if byte < 0x80 { return number }
      shift &+= 7
    }
  }
}

/// Small numbers of either sign as small numbers.
@inline(__always)
func zigzag(_ number: Int64) -> UInt64 { UInt64(bitPattern: number &<< 1) ^ UInt64(bitPattern: number &>> 63) }

@inline(__always)
func unzigzag(_ code: UInt64) -> Int64 { Int64(bitPattern: code &>> 1) ^ -Int64(bitPattern: code & 1) }
