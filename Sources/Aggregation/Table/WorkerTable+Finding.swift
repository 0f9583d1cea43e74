import Bytes

/// How a record is found by its spelling: by the hash to a number, and by all bytes to a match.
extension WorkerTable {
  // Safe: all of the below, the caller lends name and tags with their slack, and a record that the index names has a whole spelling.

  /// The number of the record of the series with this spelling of at most 28 bytes, -1 if the spelling is not known.
  @inline(__always)
  func find(_ words: SpellingHash.Words, _ length: Int, _ hash: UInt64, _ kind: UInt8) -> Int {
    let wanted = SeriesRecord.head(length: length, kind: kind)
    var place = index.home(of: hash)
    while true {
      let number = index.probe(place, for: hash)
      if _fastPath(number >= 0) {
        let record = record(number)
        if _fastPath(record.head == wanted && record.holds(words)) { return number }
        if SeriesRecord.isAlike(record.head, wanted), record.holds(words) { return seriesRecord(number) }
      } else if number == -2 {
        return -1
      }
      place = index.next(after: place)
    }
  }

  /// The same for a spelling of any length, without tags behind the value. Compares every byte.
  ///
  /// `mutating`, here and below, though nothing changes: the table as a whole would be copied for a callee that only borrows it.
  @unsafe
  mutating func find(_ name: UnsafeRawPointer, _ length: Int, _ hash: UInt64, _ kind: UInt8) -> Int {
    if _fastPath(length <= SeriesRecord.inlineSpelling) {
      return unsafe find(hasher.words(of: name, count: length), length, hash, kind)
    }
    let wanted = SeriesRecord.head(length: length, kind: kind)
    var place = index.home(of: hash)
    while true {
      let number = index.probe(place, for: hash)
      if _fastPath(number >= 0) {
        let record = record(number)
        if SeriesRecord.isAlike(record.head, wanted), unsafe areEqual(name, record.spelling, length) {
          return seriesRecord(number)
        }
      } else if number == -2 {
        return -1
      }
      place = index.next(after: place)
    }
  }

  /// The same for a spelling in two pieces: `name|#tags`.
  @unsafe
  mutating func find(
    _ name: UnsafeRawPointer, _ length: Int, _ tags: UnsafeRawPointer, _ tagsLength: Int, _ hash: UInt64, _ kind: UInt8
  ) -> Int {
    let wanted = SeriesRecord.head(length: length &+ 2 &+ tagsLength, kind: kind)
    var place = index.home(of: hash)
    while true {
      let number = index.probe(place, for: hash)
      if _fastPath(number >= 0) {
        let record = record(number)
        if SeriesRecord.isAlike(record.head, wanted) {
          let spelling = unsafe record.spelling
          // Neither name nor tags hold a `|`, so its place alone shows that both pieces have the same length.
          if unsafe spelling.load(fromByteOffset: length, as: UInt8.self) == UInt8(ascii: "|"),
            unsafe areEqual(name, spelling, length), unsafe areEqual(tags, spelling + length + 2, tagsLength)
          {
            return seriesRecord(number)
          }
        }
      } else if number == -2 {
        return -1
      }
      place = index.next(after: place)
    }
  }

  /// Compares `count` bytes; of both sides 32 may be read from any place within (the line's slack, the record's padding).
  @unsafe @inline(__always)
  private func areEqual(_ left: UnsafeRawPointer, _ right: UnsafeRawPointer, _ count: Int) -> Bool {
    var at = 0
    while _slowPath(count &- at > 32) {
      if unsafe !hasher.isEqual(left + at, right + at, count: 32) { return false }
      at &+= 32
    }
    return unsafe hasher.isEqual(left + at, right + at, count: count &- at)
  }
}
