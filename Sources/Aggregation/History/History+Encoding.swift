/// One history as bytes, to be kept and read back.
///
///     byte 0        version, 1
///     byte 1        1 if it is a timer's
///     then records  tag (1 byte), its bucket's first second (LEB128), and
///       0, 1, 2     a point of a second, a minute, an hour: zigzag count, or after the tag | 4 8 bytes of it and 8 of its fraction;
///                   of timers 8 bytes of the sum
///       8, 9        a blob of a minute, of an hour: length (LEB128), bytes
///
/// Reading adds to what is there, at the resolution that the age asks for then; so what was written may be read at any later time.
extension History {
  private static let version: UInt8 = 1
  private static let rawBit: UInt8 = 4
  private static let blobTag: UInt8 = 8

  /// Nil if the owner has no history.
  func encoded(_ owner: Owner) -> [UInt8]? {
    guard let entry = entry(of: owner) else { return nil }
    var bytes: [UInt8] = [Self.version, entry.isTimer ? 1 : 0]
    for track in Track.allCases {
      let last = entry[track]
      var at = last
      while at != 0 {
        at = run(at).next
        run(at).forEach(isTimer: entry.isTimer) {
          Self.append($0.amount, at: $0.bucket &* track.step, UInt8(track.rawValue), entry.isTimer, to: &bytes)
        }
        if at == last { break }
      }
    }
    if entry.openSecond != 0 { Self.append(entry.open, at: entry.openSecond, 0, entry.isTimer, to: &bytes) }
    for track in HistoryBlob.Track.allCases {
      let last = entry[blobs: track]
      var at = last
      while at != 0 {
        at = blob(at).next
        bytes.append(Self.blobTag | UInt8(track.rawValue))
        bytes.appendNumber(UInt64(blob(at).bucket &* track.step))
        bytes.appendNumber(UInt64(blob(at).length))
        readBlob(at, into: &bytes)
        if at == last { break }
      }
    }
    return bytes
  }

  private static func append(
    _ amount: HistoryAmount, at second: UInt32, _ tag: UInt8, _ isTimer: Bool, to bytes: inout [UInt8]
  ) {
    let isRaw = amount.fraction != 0
    bytes.append(tag | (isRaw ? rawBit : 0))
    bytes.appendNumber(UInt64(second))
    if isRaw {
      bytes.appendLong(UInt64(bitPattern: amount.whole))
      bytes.appendLong(amount.fraction.bitPattern)
    } else {
      bytes.appendNumber(zigzag(amount.whole))
    }
    if isTimer { bytes.appendLong(amount.sum.bitPattern) }
  }

  /// Adds what `encoded` gave.
  /// - Returns: false if the bytes end early or are no history of this kind; what stood before that has been added.
  mutating func decode(_ bytes: [UInt8], into owner: Owner, isTimer: Bool) -> Bool {
    var reader = HistoryByteReader(bytes)
    guard reader.byte() == Self.version, reader.byte() == (isTimer ? 1 : 0) else { return false }
    guard let entry = entryToCount(owner, isTimer: isTimer) else { return true }
    while let tag = reader.byte() {
      guard let seconds = reader.number(), let second = UInt32(exactly: seconds) else { return false }
      if tag & Self.blobTag != 0 {
        guard let length = reader.number(), let blob = reader.take(Int(clamping: length)) else { return false }
        guard !isTimer || Sketch.checked(blob) != nil else { return false }
        changeBlob(at: second, entry) { isTimer ? Sketch.join(&$0, blob) : HyperLogLog.Members.join(&$0, blob) }
      } else {
        guard let amount = Self.amount(tag, isTimer, &reader) else { return false }
        place(amount, at: second, entry)
      }
    }
    age(entry)
    return true
  }

  private static func amount(_ tag: UInt8, _ isTimer: Bool, _ reader: inout HistoryByteReader) -> HistoryAmount? {
    var amount = HistoryAmount()
    if tag & rawBit != 0 {
      guard let whole = reader.long(), let fraction = reader.long() else { return nil }
      amount.whole = Int64(bitPattern: whole)
      amount.fraction = Double(bitPattern: fraction)
    } else {
      guard let whole = reader.number() else { return nil }
      amount.whole = unzigzag(whole)
    }
    if isTimer {
      guard let sum = reader.long() else { return nil }
      amount.sum = Double(bitPattern: sum)
    }
    return amount
  }
}
