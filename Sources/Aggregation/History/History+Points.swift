/// Where points are written: behind the last of their track, as a rule.
extension History {
  typealias Track = HistoryEntry.Track

  func run(_ number: UInt32) -> HistoryRun { HistoryRun(number, arena[number]) }

  /// The finest track that keeps the bucket of a second at this time; nil for what is too old for any.
  func track(of second: UInt32) -> Track? {
    let wall = Int64(clock.wall)
    let second = Int64(second)
    if (second / 60 + 1) * 60 > wall - HistorySpan.seconds { return .seconds }
    let minutesKept = (HistorySpan.minutes + HistorySpan.spareMinutes) * 60
    if (second / 3_600 + 1) * 3_600 > wall / 60 * 60 - minutesKept { return .minutes }
    return second / 3_600 >= wall / 3_600 - HistorySpan.hours ? .hours : nil
  }

  /// Adds an amount to the bucket that keeps its second.
  mutating func place(_ amount: HistoryAmount, at second: UInt32, _ entry: HistoryEntry) {
    guard let track = track(of: second) else { return }
    place(HistoryPoint(bucket: second / track.step, amount: amount), track, entry)
  }

  mutating func place(_ point: HistoryPoint, _ track: Track, _ entry: HistoryEntry) {
    let number = entry[track]
    if number == 0 { return begin(point, behind: 0, track, entry) }
    let last = run(number)
    if point.bucket > last.last {
      if !last.append(point, isTimer: entry.isTimer) { begin(point, behind: number, track, entry) }
    } else if point.bucket < last.last || !last.addToLast(point.amount, isTimer: entry.isTimer) {
      insert(point, track, entry)
    }
  }

  /// A new run at the end of the track.
  private mutating func begin(_ point: HistoryPoint, behind last: UInt32, _ track: Track, _ entry: HistoryEntry) {
    guard let number = allocate() else { return }
    let new = run(number)
    new.begin(point, isTimer: entry.isTimer)
    link(new, behind: last, track, entry)
    isAging = true
  }

  /// Puts `new` into the ring of runs behind another, at its end if that was the last.
  private func link(_ new: HistoryRun, behind other: UInt32, _ track: Track, _ entry: HistoryEntry) {
    if other == 0 {
      new.next = new.number
      entry[track] = new.number
    } else {
      new.next = run(other).next
      run(other).next = new.number
      if entry[track] == other { entry[track] = new.number }
    }
  }

  /// Adds to a point that is there, or puts one between others.
  private mutating func insert(_ point: HistoryPoint, _ track: Track, _ entry: HistoryEntry) {
    let last = entry[track]
    var at = run(last).next
    // The last run that begins at or before the point; the first if none does.
    while at != last && run(run(at).next).first <= point.bucket { at = run(at).next }
    inserting.removeAll(keepingCapacity: true)
    var isPlaced = false
    run(at).forEach(isTimer: entry.isTimer) { each in
      if !isPlaced && point.bucket <= each.bucket {
        isPlaced = true
        var point = point
        if point.bucket == each.bucket { point.amount.add(each.amount) }
        inserting.append(point)
        if point.bucket == each.bucket { return }
      }
      inserting.append(each)
    }
    if !isPlaced { inserting.append(point) }
    rewrite(at, track, entry)
  }

  /// Writes the points of `inserting` to a run, and where they do not fit to new ones behind it, each about half full.
  private mutating func rewrite(_ number: UInt32, _ track: Track, _ entry: HistoryEntry) {
    let isTimer = entry.isTimer
    // One point more than there were takes one run more, and one on either side of a gap two.
    var spare: [UInt32] = []
    if !fitsOneRun(isTimer: isTimer) {
      for _ in 0..<2 {
        guard let more = allocate() else {
          for slot in spare { arena.release(slot) }
          return
        }
        spare.append(more)
      }
    }
    var current = run(number)
    current.begin(inserting[0], isTimer: isTimer)
    let half = spare.isEmpty ? inserting.count : (inserting.count + 1) / 2
    var inRun = 1
    for place in 1..<max(1, inserting.count) {
      if inRun < half && current.append(inserting[place], isTimer: isTimer) {
        inRun += 1
        continue
      }
      guard let more = spare.popLast() else {
        misfits += 1
        break
      }
      let new = run(more)
      new.begin(inserting[place], isTimer: isTimer)
      link(new, behind: current.number, track, entry)
      current = new
      inRun = 1
    }
    for slot in spare { arena.release(slot) }
  }

  private func fitsOneRun(isTimer: Bool) -> Bool {
    var bytes = 0
    var before = inserting[0].bucket
    for point in inserting {
      if point.bucket - before > HistoryRun.longestGap { return false }
      bytes += HistoryRun.Item(gap: point.bucket - before, point.amount, isTimer: isTimer).count
      before = point.bucket
    }
    return bytes <= HistoryRun.room
  }
}
