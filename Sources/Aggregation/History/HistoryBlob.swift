/// A sketch or the members of a set within one minute or one hour: bytes in as many slots as they need.
///
///     offset  bytes  first slot                                        further slots
///          0      4  next blob; that of the last is the first          next slot of the blob, 0 behind the last
///          4      4  bucket: minutes or hours since 1970               bytes …
///          8      4  next slot of the blob, 0 if there is none
///         12      4  length in bytes
///         16     48  bytes
struct HistoryBlob {
  static let head = 16
  static let room = HistorySlot.byteCount - head
  static let further = 4
  static let furtherRoom = HistorySlot.byteCount - further

  /// The resolutions in which blobs are kept.
  enum Track: Int, CaseIterable {
    case minutes, hours

    /// Seconds of a bucket.
    var step: UInt32 { self == .minutes ? 60 : 3_600 }
  }

  let number: UInt32
  private let slot: HistorySlot

  init(_ number: UInt32, _ slot: HistorySlot) {
    self.number = number
    self.slot = slot
  }

  var next: UInt32 {
    get { slot.link }
    nonmutating set { slot.link = newValue }
  }
  var bucket: UInt32 {
    get { slot[word: 4] }
    nonmutating set { slot[word: 4] = newValue }
  }
  var more: UInt32 {
    get { slot[word: 8] }
    nonmutating set { slot[word: 8] = newValue }
  }
  var length: Int {
    get { Int(slot[word: 12]) }
    nonmutating set { slot[word: 12] = UInt32(truncatingIfNeeded: newValue) }
  }

  /// Slots for so many bytes beyond the first.
  static func furtherSlots(_ length: Int) -> Int { max(0, length - room + furtherRoom - 1) / furtherRoom }
}

/// Where blobs are found, read, written and given back.
extension History {
  func blob(_ number: UInt32) -> HistoryBlob { HistoryBlob(number, arena[number]) }

  /// The finest track that keeps the bucket of a second at this time; nil for what is too old for any.
  func blobTrack(of second: UInt32) -> HistoryBlob.Track? {
    let wall = Int64(clock.wall)
    if Int64(second) / 60 >= wall / 60 - HistorySpan.blobMinutes { return .minutes }
    return Int64(second) / 3_600 >= wall / 3_600 - HistorySpan.hours ? .hours : nil
  }

  /// Changes the blob that keeps a second: `body` gets its bytes, empty if it is new, and leaves the new ones.
  mutating func changeBlob(at second: UInt32, _ entry: HistoryEntry, _ body: (inout [UInt8]) -> Void) {
    guard let track = blobTrack(of: second) else { return }
    let (number, isNew) = findOrMakeBlob(second / track.step, track, entry)
    guard let number else { return }
    var bytes: [UInt8] = []
    swap(&bytes, &blobScratch)
    bytes.removeAll(keepingCapacity: true)
    if !isNew { readBlob(number, into: &bytes) }
    body(&bytes)
    write(bytes, to: number)
    swap(&bytes, &blobScratch)
    if isNew { ageBlobs(entry) }
  }

  /// Calls `body` with the bucket's first second and the bytes of each blob that begins at `start` or later.
  func forEachBlob(of entry: HistoryEntry, from start: Int64, _ body: (Int64, [UInt8]) -> Void) {
    forEachBlob(of: entry, where: { $0 >= start }, body)
  }

  /// The same of those whose first second `isWanted` accepts.
  func forEachBlob(of entry: HistoryEntry, where isWanted: (Int64) -> Bool, _ body: (Int64, [UInt8]) -> Void) {
    var bytes: [UInt8] = []
    for track in HistoryBlob.Track.allCases.reversed() {
      let last = entry[blobs: track]
      if last == 0 { continue }
      var at = last
      repeat {
        at = blob(at).next
        let second = Int64(blob(at).bucket) * Int64(track.step)
        if !isWanted(second) { continue }
        bytes.removeAll(keepingCapacity: true)
        readBlob(at, into: &bytes)
        body(second, bytes)
      } while at != last
    }
  }

  func readBlob(_ number: UInt32, into bytes: inout [UInt8]) {
    let head = blob(number)
    var left = head.length
    let inHead = min(left, HistoryBlob.room)
    arena[number].append(HistoryBlob.head..<HistoryBlob.head + inHead, to: &bytes)
    left -= inHead
    var at = head.more
    while left > 0 && at != 0 {
      let count = min(left, HistoryBlob.furtherRoom)
      arena[at].append(HistoryBlob.further..<HistoryBlob.further + count, to: &bytes)
      left -= count
      at = arena[at].link
    }
  }

  /// Writes the bytes; what finds no room leaves the blob as it was.
  private mutating func write(_ bytes: [UInt8], to number: UInt32) {
    let wanted = HistoryBlob.furtherSlots(bytes.count)
    var there = HistoryBlob.furtherSlots(blob(number).length)
    while there < wanted {
      guard let more = allocate() else { return trim(number, to: HistoryBlob.furtherSlots(blob(number).length)) }
      arena[more].link = blob(number).more
      blob(number).more = more
      there += 1
    }
    blob(number).length = bytes.count
    trim(number, to: wanted)
    let inHead = min(bytes.count, HistoryBlob.room)
    arena[number].copy(bytes.span.extracting(0..<inHead), to: HistoryBlob.head)
    var from = inHead
    var at = blob(number).more
    while from < bytes.count {
      let end = min(bytes.count, from + HistoryBlob.furtherRoom)
      arena[at].copy(bytes.span.extracting(from..<end), to: HistoryBlob.further)
      from = end
      at = arena[at].link
    }
  }

  /// Gives back all slots beyond the first that are more than `wanted`. They are the first in the blob's list.
  private mutating func trim(_ number: UInt32, to wanted: Int) {
    var there = 0
    var at = blob(number).more
    while at != 0 {
      there += 1
      at = arena[at].link
    }
    while there > wanted {
      let leaving = blob(number).more
      blob(number).more = arena[leaving].link
      arena.release(leaving)
      there -= 1
    }
  }

  private mutating func freeBlob(_ number: UInt32) {
    trim(number, to: 0)
    arena.release(number)
  }

  private mutating func findOrMakeBlob(
    _ bucket: UInt32, _ track: HistoryBlob.Track, _ entry: HistoryEntry
  ) -> (UInt32?, isNew: Bool) {
    let before = blobBefore(bucket, track, entry)
    if before.isThere { return (before.number, false) }
    guard let number = allocate() else { return (nil, false) }
    blob(number).bucket = bucket
    link(number, behind: before.number, track, entry)
    return (number, true)
  }

  /// The blob of the bucket, else the one that it would stand behind, which is the last if it would be the first of all; 0 of none.
  private func blobBefore(
    _ bucket: UInt32, _ track: HistoryBlob.Track, _ entry: HistoryEntry
  ) -> (number: UInt32, isThere: Bool) {
    let last = entry[blobs: track]
    if last == 0 { return (0, false) }
    if blob(last).bucket <= bucket { return (last, blob(last).bucket == bucket) }
    var at = last
    while blob(blob(at).next).bucket <= bucket { at = blob(at).next }
    return (at, at != last && blob(at).bucket == bucket)
  }

  private func link(_ number: UInt32, behind other: UInt32, _ track: HistoryBlob.Track, _ entry: HistoryEntry) {
    if other == 0 {
      blob(number).next = number
      entry[blobs: track] = number
      return
    }
    blob(number).next = blob(other).next
    blob(other).next = number
    if other == entry[blobs: track] && blob(number).bucket > blob(other).bucket { entry[blobs: track] = number }
  }

  // MARK: Age

  /// Joins minutes that have passed an hour into their hours, and drops what is too old or too far ahead.
  mutating func ageBlobs(_ entry: HistoryEntry) {
    let wall = Int64(clock.wall)
    while let first = firstBlob(.minutes, entry), Int64(blob(first).bucket) < wall / 60 - HistorySpan.blobMinutes {
      unlinkFirst(.minutes, entry)
      let hour = blob(first).bucket / 60
      let before = blobBefore(hour, .hours, entry)
      if before.isThere {
        var joined: [UInt8] = []
        var other: [UInt8] = []
        readBlob(before.number, into: &joined)
        readBlob(first, into: &other)
        freeBlob(first)
        entry.isTimer ? Sketch.join(&joined, other) : HyperLogLog.Members.join(&joined, other)
        write(joined, to: before.number)
      } else {
        blob(first).bucket = hour
        link(first, behind: before.number, .hours, entry)
      }
    }
    while let first = firstBlob(.hours, entry), Int64(blob(first).bucket) < wall / 3_600 - HistorySpan.hours {
      unlinkFirst(.hours, entry)
      freeBlob(first)
    }
    let limit = wall + HistorySpan.hours * 3_600
    for track in HistoryBlob.Track.allCases {
      while entry[blobs: track] != 0, Int64(blob(entry[blobs: track]).bucket) * Int64(track.step) > limit {
        unlinkLast(track, entry)
      }
    }
  }

  mutating func clearBlobs(_ entry: HistoryEntry) {
    for track in HistoryBlob.Track.allCases {
      while let first = firstBlob(track, entry) {
        unlinkFirst(track, entry)
        freeBlob(first)
      }
    }
  }

  private func firstBlob(_ track: HistoryBlob.Track, _ entry: HistoryEntry) -> UInt32? {
    let last = entry[blobs: track]
    return last == 0 ? nil : blob(last).next
  }

  private func unlinkFirst(_ track: HistoryBlob.Track, _ entry: HistoryEntry) {
    let last = entry[blobs: track]
    let first = blob(last).next
    if first == last { entry[blobs: track] = 0 } else { blob(last).next = blob(first).next }
  }

  private mutating func unlinkLast(_ track: HistoryBlob.Track, _ entry: HistoryEntry) {
    let last = entry[blobs: track]
    var before = blob(last).next
    while blob(before).next != last { before = blob(before).next }
    if before == last {
      entry[blobs: track] = 0
    } else {
      blob(before).next = blob(last).next
      entry[blobs: track] = before
    }
    freeBlob(last)
  }
}
