/// One history as bytes, to be kept and read back.
///
///     byte 0        version, 1
///     byte 1        1 if it is a timer's
///     then records  zigzag(bucket - bucket before in its track) << 4 | tag (LEB128), and
///       0, 1, 2     a point of a second, a minute, an hour: zigzag count, or with tag | 4 8 bytes of it and 8 of its fraction;
///                   of timers the sum as a value (`appendValue`)
///       8, 9        a blob of a minute, of an hour: length (LEB128), bytes
///
/// Reading adds to what is there, at the resolution that the age asks for then; so what was written may be read at any later time, and
/// in parts.
extension History {
  private static let version: UInt8 = 1
  private static let tagBits: UInt64 = 4
  private static let rawBit: UInt64 = 4
  private static let blobTag: UInt64 = 8

  /// Nil if the owner has no history.
  func encoded(_ owner: Owner) -> [UInt8]? {
    var all: [UInt8]?
    encode(owner, limit: .max) { all = $0 }
    return all
  }

  /// Hands the history out in parts of about `limit` bytes, each of which can be read by itself; none if there is no history. A part
  /// may exceed the limit by one blob.
  func encode(_ owner: Owner, limit: Int, _ body: ([UInt8]) -> Void) {
    guard let entry = entry(of: owner) else { return }
    var writer = Writer(isTimer: entry.isTimer, limit: limit)
    for track in Track.allCases {
      let last = entry[track]
      var at = last
      while at != 0 {
        at = run(at).next
        run(at).forEach(isTimer: entry.isTimer) { writer.append($0.amount, $0.bucket, track) }
        writer.endRun(body)
        if at == last { break }
      }
    }
    if entry.openSecond != 0 { writer.append(entry.open, entry.openSecond, .seconds) }
    for track in HistoryBlob.Track.allCases {
      let last = entry[blobs: track]
      var at = last
      while at != 0 {
        at = blob(at).next
        writer.begin(blob(at).bucket, Self.blobTag | UInt64(track.rawValue))
        writer.bytes.appendNumber(UInt64(blob(at).length))
        readBlob(at, into: &writer.bytes)
        writer.endRun(body)
        if at == last { break }
      }
    }
    body(writer.bytes)
  }

  private struct Writer {
    var bytes: [UInt8]
    private let isTimer: Bool
    private let limit: Int
    /// By tag.
    private var buckets = InlineArray<16, UInt32>(repeating: 0)

    init(isTimer: Bool, limit: Int) {
      self.isTimer = isTimer
      self.limit = limit
      bytes = [History.version, isTimer ? 1 : 0]
    }

    mutating func append(_ amount: HistoryAmount, _ bucket: UInt32, _ track: Track) {
      let isRaw = amount.fraction != 0
      begin(bucket, UInt64(track.rawValue), isRaw ? History.rawBit : 0)
      if isRaw {
        bytes.appendLong(UInt64(bitPattern: amount.whole))
        bytes.appendLong(amount.fraction.bitPattern)
      } else {
        bytes.appendNumber(zigzag(amount.whole))
      }
      if isTimer { bytes.appendValue(amount.sum) }
    }

    mutating func begin(_ bucket: UInt32, _ tag: UInt64, _ form: UInt64 = 0) {
      let step = zigzag(Int64(bucket) - Int64(buckets[Int(tag)]))
      bytes.appendNumber(step << History.tagBits | tag | form)
      buckets[Int(tag)] = bucket
    }

    /// Hands out what has become as long as a part shall be.
    mutating func endRun(_ body: ([UInt8]) -> Void) {
      if bytes.count < limit { return }
      body(bytes)
      self = Writer(isTimer: isTimer, limit: limit)
    }
  }

  /// Adds what `encode` gave.
  /// - Returns: false if the bytes end early or are no history of this kind; what stood before that has been added.
  mutating func decode(_ bytes: [UInt8], into owner: Owner, isTimer: Bool) -> Bool {
    var reader = HistoryByteReader(bytes)
    guard reader.byte() == Self.version, reader.byte() == (isTimer ? 1 : 0) else { return false }
    guard let entry = entryToCount(owner, isTimer: isTimer) else { return true }
    defer { age(entry) }
    var buckets = InlineArray<16, UInt32>(repeating: 0)
    while !reader.isAtEnd {
      guard let head = reader.number() else { return false }
      let place = Int(head & 11)
      let bucket = Int64(buckets[place]).addingReportingOverflow(unzigzag(head >> Self.tagBits))
      guard !bucket.overflow, let bucket = UInt32(exactly: bucket.partialValue) else { return false }
      buckets[place] = bucket
      if head & Self.blobTag != 0 {
        guard let track = HistoryBlob.Track(rawValue: place & 3), head & Self.rawBit == 0,
          let second = Self.second(bucket, track.step),
          let length = reader.number(), let blob = reader.take(Int(clamping: length)),
          isTimer ? Sketch.checked(blob) != nil : HyperLogLog.Members.areSound(blob)
        else { return false }
        changeBlob(at: second, entry) { isTimer ? Sketch.join(&$0, blob) : HyperLogLog.Members.join(&$0, blob) }
      } else {
        guard let track = Track(rawValue: place), let second = Self.second(bucket, track.step),
          let amount = Self.amount(isRaw: head & Self.rawBit != 0, isTimer, &reader)
        else { return false }
        self.place(amount, at: second, entry)
      }
    }
    return true
  }

  private static func second(_ bucket: UInt32, _ step: UInt32) -> UInt32? {
    let second = bucket.multipliedReportingOverflow(by: step)
    return second.overflow ? nil : second.partialValue
  }

  private static func amount(isRaw: Bool, _ isTimer: Bool, _ reader: inout HistoryByteReader) -> HistoryAmount? {
    var amount = HistoryAmount()
    if isRaw {
      guard let whole = reader.long(), let fraction = reader.long() else { return nil }
      amount.whole = Int64(bitPattern: whole)
      amount.fraction = Double(bitPattern: fraction)
      if !amount.fraction.isFinite { return nil }
    } else {
      guard let whole = reader.number() else { return nil }
      amount.whole = unzigzag(whole)
    }
    if isTimer {
      guard let sum = reader.value() else { return nil }
      amount.sum = sum
    }
    return amount
  }
}
