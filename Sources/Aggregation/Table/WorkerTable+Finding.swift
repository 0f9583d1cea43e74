import Bytes
import Protocol

/// How a line's series is found: by the bytes of name and tags as they stand, of which every one is compared.
extension WorkerTable {
  /// The number of the record of the series of a plain count without tags, -1 if this spelling of it is not known, or not as one of a plain
  /// count.
  @inline(__always)
  mutating func find(_ plain: PlainCount, _ bytes: PaddedBytes, _ start: Int) -> Int {
    let length = plain.nameEnd &- start
    // Safe: the name lies within `bytes`, whose slack covers the loads.
    let words = unsafe hasher.words(of: bytes.address(of: start), count: length)
    let kind = SampleKind.counter.rawValue
    return find(words, hasher.hash(words, salt: UInt64(kind)), SeriesRecord.head(length: length, kind: kind, plain.use))
  }

  /// The hash of a plain count's spelling.
  @inline(__always)
  func hash(of plain: PlainCount, _ bytes: PaddedBytes, _ start: Int) -> UInt64 {
    // Safe: name and tags lie within `bytes`, whose slack covers the loads.
    let name = unsafe hasher.words(of: bytes.address(of: start), count: plain.nameEnd &- start)
    if plain.tagsEnd == 0 { return hasher.hash(name, salt: UInt64(SampleKind.counter.rawValue)) }
    return unsafe hasher.hash(
      name, bytes.address(of: plain.tagsStart), count: plain.tagsEnd &- plain.tagsStart,
      salt: UInt64(SampleKind.counter.rawValue))
  }

  /// The number of the record of one with tags.
  @inline(__always)
  mutating func findTagged(_ plain: PlainCount, _ bytes: PaddedBytes, _ start: Int) -> Int {
    // Safe: name and tags lie within `bytes`, whose slack covers the loads.
    unsafe find(
      bytes.address(of: start), plain.nameEnd &- start, bytes.address(of: plain.tagsStart),
      plain.tagsEnd &- plain.tagsStart, hash(of: plain, bytes, start), SampleKind.counter.rawValue, plain.use)
  }

  /// The hash of a line's spelling.
  @inline(__always)
  func hash(of line: UsualLine, _ bytes: PaddedBytes, _ start: Int) -> UInt64 {
    // Safe: name and tags lie within `bytes`, whose slack covers the loads.
    let name = unsafe bytes.address(of: start)
    let salt = UInt64(line.kind.rawValue)
    if line.tagsEnd == line.tagsStart { return unsafe hasher.hash(name, count: line.nameEnd &- start, salt: salt) }
    return unsafe hasher.hash(
      name, count: line.nameEnd &- start, bytes.address(of: line.tagsStart), count: line.tagsEnd &- line.tagsStart,
      salt: salt)
  }

  /// The number of the record of a line's series, -1 if this spelling of it is not known.
  @inline(__always)
  mutating func find(_ line: UsualLine, _ bytes: PaddedBytes, _ start: Int) -> Int {
    let length = line.nameEnd &- start
    if _slowPath(line.tagsEnd != line.tagsStart || length > SeriesRecord.inlineSpelling) {
      return find(line, bytes, start, hash(of: line, bytes, start))
    }
    // Safe: the name lies within `bytes`, whose slack covers the loads.
    let words = unsafe hasher.words(of: bytes.address(of: start), count: length)
    let kind = line.kind.rawValue
    return find(words, hasher.hash(words, salt: UInt64(kind)), SeriesRecord.head(length: length, kind: kind))
  }

  /// The same, for a hash that is known.
  mutating func find(_ line: UsualLine, _ bytes: PaddedBytes, _ start: Int, _ hash: UInt64) -> Int {
    // Safe: name and tags lie within `bytes`.
    let name = unsafe bytes.address(of: start)
    let length = line.nameEnd &- start
    let kind = line.kind.rawValue
    if line.tagsEnd == line.tagsStart {
      if _fastPath(length <= SeriesRecord.inlineSpelling) {
        return unsafe find(
          hasher.words(of: name, count: length), hash, SeriesRecord.head(length: length, kind: kind))
      }
      return unsafe find(name, length, hash, kind)
    }
    return unsafe find(
      name, length, bytes.address(of: line.tagsStart), line.tagsEnd &- line.tagsStart, hash, kind)
  }

  @inline(__always)
  func record(_ number: Int) -> SeriesRecord {
    // Safe: numbers in the index and in aliases are those of records in use.
    unsafe SeriesRecord(unsafeBase: records + number &* SeriesRecord.byteCount)
  }

  /// The number of the series' record, of which the found one may be another spelling: tags may stand in the name of a lone count too
  /// (`name,k=v:1|c`).
  @inline(__always)
  func seriesRecord(_ found: Int) -> Int {
    _slowPath(record(found).isAlias) ? Int(record(found).word0) : found
  }

  /// The record, noted in the log at its first touch in the epoch.
  @inline(__always)
  mutating func touch(_ number: Int) -> SeriesRecord {
    let record = record(number)
    if _slowPath(record.mark != mark) {
      record.mark = mark
      log.append(UInt32(truncatingIfNeeded: number))
    }
    return record
  }

  /// The number of the record of the series with this spelling of at most 28 bytes, -1 if the spelling is not known.
  @inline(__always)
  mutating func find(_ words: SpellingHash.Words, _ hash: UInt64, _ wanted: UInt32) -> Int {
    find(words, hash, wanted, candidate: index.candidate(hash))
  }

  /// The same for a caller who knows the candidate of the hash.
  @inline(__always)
  mutating func find(_ words: SpellingHash.Words, _ hash: UInt64, _ wanted: UInt32, candidate: Int) -> Int {
    if _slowPath(candidate < 0) { return -1 }
    let record = record(candidate)
    if _fastPath(record.head == wanted && record.holds(words)) { return candidate }
    return findAlike(words, hash, wanted)
  }

  @inline(never)
  private mutating func findAlike(_ words: SpellingHash.Words, _ hash: UInt64, _ wanted: UInt32) -> Int {
    var place = index.home(of: hash)
    while true {
      let number = index.probe(place, for: hash)
      if number == -2 { return -1 }
      if number >= 0, SeriesRecord.isAlike(record(number).head, wanted), record(number).holds(words) {
        return seriesRecord(number)
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
      return unsafe find(
        hasher.words(of: name, count: length), hash, SeriesRecord.head(length: length, kind: kind))
    }
    let wanted = SeriesRecord.head(length: length, kind: kind)
    var place = index.home(of: hash)
    while true {
      let slot = index.slot(place)
      if _fastPath(SpellingIndex.fits(slot, hash)) {
        let number = SpellingIndex.number(in: slot)
        let record = record(number)
        if SeriesRecord.isAlike(record.head, wanted), unsafe areEqual(name, record.spelling, length) {
          return seriesRecord(number)
        }
      } else if slot == 0 {
        return -1
      }
      place = index.next(after: place)
    }
  }

  /// The same for a spelling in two pieces: `name|#tags`.
  @unsafe
  mutating func find(
    _ name: UnsafeRawPointer, _ length: Int, _ tags: UnsafeRawPointer, _ tagsLength: Int, _ hash: UInt64,
    _ kind: UInt8, _ use: PlainUse = []
  ) -> Int {
    let wanted = SeriesRecord.head(length: length &+ 2 &+ tagsLength, kind: kind, use)
    var place = index.home(of: hash)
    while true {
      let slot = index.slot(place)
      if _fastPath(SpellingIndex.fits(slot, hash)) {
        let number = SpellingIndex.number(in: slot)
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
      } else if slot == 0 {
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
