/// How history grows coarser with age, and goes.
extension History {
  /// Moves what is too old for its track to the next one, and drops what is too old for all or too far ahead of the clock.
  /// - Complexity: O(runs and blobs that are due); each point is moved twice in its life.
  mutating func age(_ entry: HistoryEntry) {
    isAging = false
    let wall = Int64(clock.wall)
    while let number = firstRun(.seconds, entry), (Int64(run(number).last) / 60 + 1) * 60 <= wall - HistorySpan.seconds
    {
      fold(number, .seconds, entry)
    }
    let minutesKept = (HistorySpan.minutes + HistorySpan.spareMinutes) * 60
    while let number = firstRun(.minutes, entry),
      (Int64(run(number).last) / 60 + 1) * 3_600 <= wall / 60 * 60 - minutesKept
    {
      fold(number, .minutes, entry)
    }
    while let number = firstRun(.hours, entry), Int64(run(number).last) < wall / 3_600 - HistorySpan.hours {
      unlink(number, .hours, entry)
      arena.release(number)
    }
    dropAhead(entry)
    ageBlobs(entry)
    isAging = false
  }

  /// Ages an entry that nobody counts any more; one that has nothing left goes.
  mutating func ageIdle(_ owner: Owner) {
    guard let entry = entry(of: owner) else { return }
    takeInHand(entry)
    if entry.openSecond != 0 && track(of: entry.openSecond) == nil {
      entry.openSecond = 0
      entry.open = HistoryAmount()
    }
    age(entry)
    if isEmpty(entry) { free(entry) }
  }

  private func isEmpty(_ entry: HistoryEntry) -> Bool {
    entry.openSecond == 0 && Track.allCases.allSatisfy { entry[$0] == 0 }
      && HistoryBlob.Track.allCases.allSatisfy { entry[blobs: $0] == 0 }
  }

  /// Gives back all points and blobs of an entry.
  mutating func clear(_ entry: HistoryEntry) {
    for track in Track.allCases {
      while let number = firstRun(track, entry) {
        unlink(number, track, entry)
        arena.release(number)
      }
    }
    clearBlobs(entry)
    entry.openSecond = 0
    entry.open = HistoryAmount()
  }

  private func firstRun(_ track: Track, _ entry: HistoryEntry) -> UInt32? {
    let last = entry[track]
    return last == 0 ? nil : run(last).next
  }

  /// Takes the first run out of the ring.
  private func unlink(_ first: UInt32, _ track: Track, _ entry: HistoryEntry) {
    let last = entry[track]
    if first == last {
      entry[track] = 0
    } else {
      run(last).next = run(first).next
    }
  }

  /// Moves the points of the first run to where they belong now.
  private mutating func fold(_ number: UInt32, _ track: Track, _ entry: HistoryEntry) {
    folding.removeAll(keepingCapacity: true)
    let coarser: UInt32 = 60
    run(number).forEach(isTimer: entry.isTimer) { point in
      let bucket = point.bucket / coarser
      if let last = folding.last, last.bucket == bucket {
        folding[folding.count - 1].amount.add(point.amount)
      } else {
        folding.append(HistoryPoint(bucket: bucket, amount: point.amount))
      }
    }
    unlink(number, track, entry)
    arena.release(number)
    for index in folding.indices {
      let point = folding[index]
      // What was left lying for long may be due for more than the next track.
      place(point.amount, at: point.bucket &* track.step &* coarser, entry)
    }
  }

  /// Forgets what the clock, now set back, has left more than 168 hours ahead. Only whole runs: what a jump of the clock parts stands in
  /// runs of its own.
  private mutating func dropAhead(_ entry: HistoryEntry) {
    let limit = Int64(clock.wall) + HistorySpan.hours * 3_600
    if entry.openSecond != 0 && Int64(entry.openSecond) > limit {
      entry.openSecond = 0
      entry.open = HistoryAmount()
    }
    for track in Track.allCases {
      let last = entry[track]
      if last == 0 || Int64(run(last).last) * Int64(track.step) <= limit { continue }
      var kept: [UInt32] = []
      var at = run(last).next
      while true {
        let next = run(at).next
        if Int64(run(at).first) * Int64(track.step) <= limit { kept.append(at) } else { arena.release(at) }
        if at == last { break }
        at = next
      }
      for (place, number) in kept.enumerated() { run(number).next = kept[(place + 1) % kept.count] }
      entry[track] = kept.last ?? 0
    }
  }
}
