import Bytes
import Protocol
import Synchronization

/// How far a gather has come: which half of which table, which entry of its log.
struct GatherProgress {
  var source = 0
  var entry = 0
  /// Which of the samples that bear their own time.
  var late = 0
  /// The epochs that ended when the gather began, by table.
  var epochs: [UInt64]
}

extension MergedView {
  /// Takes over what the tables gathered up to now.
  ///
  /// - Parameters:
  ///   - second: the reader's clock in whole seconds; it never goes back.
  ///   - wall: the time of day in seconds since 1970, whose bucket of history takes what is gathered; that of the call that begins counts.
  ///   - limit: entries to take before the caller gets its turn again.
  /// - Returns: true when everything up to the call that began this gather has been taken over; else call again.
  /// - Complexity: O(records touched since the last gather), about 50 to 100 ns each; a new series some 300 ns.
  package mutating func gather(second: Int64, wall: Int64, limit: Int = .max) -> Bool {
    self.second = max(self.second, second)
    if gathering == nil {
      setClock(wall: wall)
      removeDeparted()
      sweepHistory()
      let epochs = sources.map { $0.memory.gate.flip() }
      for (source, epoch) in zip(sources, epochs) { source.memory.gate.awaitDeparture(from: epoch) }
      gathering = GatherProgress(epochs: epochs)
    }
    guard var progress = gathering else { return true }
    var left = limit
    while progress.source < sources.count {
      let source = sources[progress.source]
      let half = Int(progress.epochs[progress.source] & 1)
      if progress.entry == 0 { takeNotes(source, half) }
      let log = source.memory.log(half)
      let end = progress.entry + min(left, log.count - progress.entry)
      for index in progress.entry..<end { take(log[index], half, source) }
      left -= end - progress.entry
      progress.entry = end
      if end < log.count {
        gathering = progress
        settleFamilies()
        return false
      }
      if progress.late < source.memory.late(half).count {
        let start = progress.late
        progress.late = takeLate(source, half, from: start, limit: left)
        left -= progress.late - start
        if source.memory.late(half).count > 0 {
          gathering = progress
          settleFamilies()
          return false
        }
      }
      source.memory.clearLog(half)
      condemnIdle(source, epoch: progress.epochs[progress.source])
      progress = GatherProgress(source: progress.source + 1, entry: 0, epochs: progress.epochs)
    }
    gathering = nil
    settleFamilies()
    return true
  }

  /// Whether a table has records condemned that its owner has not looked at: the owner may sleep and want a wake-up.
  package func hasCondemned(_ table: Int) -> Bool { sources[table].memory.hasCondemned }

  /// The senders and refused lines of the half; nothing the second time. Of the lines so many a second, though each scrape gathers too.
  private mutating func takeNotes(_ source: TableSource, _ half: Int) {
    let tally = source.memory.senders(half)
    if source.noted.second != second { source.noted = (second, 0) }
    source.noted.lines += source.memory.notes(half).take(RefusalNotes.limit - source.noted.lines, senders: tally) {
      recentRefusals.append($0)
    }
    if recentRefusals.count > Self.recentRefusalLimit {
      recentRefusals.removeFirst(recentRefusals.count - Self.recentRefusalLimit)
    }
    tally.take { senders.add($0, isOthers: $1) }
  }

  mutating func take(_ entry: UInt32, _ half: Int, _ source: TableSource) {
    generation &+= 1
    let number = Int(entry & ~TableMemory.departed)
    if entry & TableMemory.departed != 0 { return unlink(number, source) }
    let record = source.memory.record(number)
    if record.kind == RecordKind.limited { return takeLimited(record, number, source) }
    let isNew = source.seriesOf[number] == 0
    if isNew && !link(record, number, source) { return }
    let id = Int(source.seriesOf[number] & ~TableSource.paid) - 1
    let family = Int(series[id].family)
    series[id].changed = UInt32(truncatingIfNeeded: second)
    families[family].changed = UInt32(truncatingIfNeeded: second)
    if changes.isOn { changes.mark(id) }
    switch series[id].kind {
    case .counter, .event: takeCounter(record, number, id, source)
    case .gauge, .serviceCheck: takeGauge(record, number, id, source)
    case .timer, .histogram, .distribution: takeTimer(record, half, id, family, source, isNew)
    case .set: takeSet(record, half, id, source, isNew)
    }
  }

  private mutating func takeCounter(_ record: SeriesRecord, _ number: Int, _ id: Int, _ source: TableSource) {
    let whole = record.word0
    let fraction = WorkerTable.value(record.word1)
    let more = whole.subtractingReportingOverflow(source.seen[number].first)
    let moreFraction = fraction - WorkerTable.value(source.seen[number].second)
    source.seen[number] = .init(first: whole, second: WorkerTable.bits(fraction))
    // Records hold what fits; only a sum over tables, or a swing over the whole range within one flush, can overflow here.
    let step = more.overflow ? Double(whole) - Double(whole &- more.partialValue) : 0
    count(
      id, HistoryAmount(whole: more.overflow ? 0 : more.partialValue, fraction: moreFraction + step),
      at: history.clock.wall)
  }

  static func add(_ total: (Int64, Double), _ whole: Int64, _ fraction: Double) -> (Int64, Double) {
    let sum = total.0.addingReportingOverflow(whole)
    if sum.overflow { return (total.0, (total.1 + Double(whole) + fraction).finite) }
    return (sum.partialValue, fraction == 0 ? total.1 : (total.1 + fraction).finite)
  }

  /// The newest absolute value of all tables, and every delta that came after it as far as the reader can tell: those of the same
  /// record exactly, those of other tables' to one gather.
  private func takeGauge(_ record: SeriesRecord, _ number: Int, _ id: Int, _ source: TableSource) {
    let (stamp, absolute, delta) = Self.readGauge(record)
    let seen = source.seen[number]
    source.seen[number] = .init(first: stamp, second: WorkerTable.bits(delta))
    if stamp > series[id].whole {
      series[id].whole = stamp
      series[id].fraction = (absolute + delta).finite
    } else {
      // An absolute value that another table's has overtaken began a new run of deltas.
      let more = stamp == seen.first ? delta - WorkerTable.value(seen.second) : delta
      series[id].fraction = (series[id].fraction + more).finite
    }
  }

  /// Stamp, absolute value and the deltas since, as they belong together.
  private static func readGauge(_ record: SeriesRecord) -> (stamp: Int64, absolute: Double, delta: Double) {
    while true {
      let before = record.stamp
      let absolute = WorkerTable.value(record.word0)
      let delta = WorkerTable.value(record.word1)
      atomicMemoryFence(ordering: .acquiringAndReleasing)
      if before & 1 == 0 && record.stamp == before { return (before, absolute, delta) }
    }
  }

  private mutating func takeTimer(
    _ record: SeriesRecord, _ half: Int, _ id: Int, _ family: Int, _ source: TableSource, _ isNew: Bool
  ) {
    // Safe: the gate gave this half to the reader; a departed record has no block and does not get here.
    guard let address = unsafe record.block(half) else { return }
    let block = unsafe TimerBlock(unsafeBase: address, bounds: source.memory.bounds(record.kind))
    timers.modify(Int(series[id].whole)) {
      $0.merge(block, second: second, window: settings.quantileWindow, scratch: &sketchScratch)
    }
    let amount = HistoryAmount(weight: block.count, sum: block.sum)
    noteTotal(id, timers[Int(series[id].whole)].count, hasGrown: true)
    noteShared(family: family)
    (families[family].whole, families[family].fraction) = Self.add(
      (families[family].whole, families[family].fraction), amount.whole, amount.fraction)
    families[family].sum = (families[family].sum + amount.sum).finite
    if block.count != 0 { addHistory(block, id, FamilyID(family), amount) }
    // A block far larger than what came is given back; the worker makes a small one at the next sample. So is the first one: a series
    // that comes once, in a burst, would else keep two of them for nothing.
    if isNew || block.isOversized {
      source.freedBytes += block.byteCount
      unsafe address.deallocate()
      unsafe record.setBlock(half, nil)
    } else {
      block.clear()
    }
  }

  private mutating func takeSet(
    _ record: SeriesRecord, _ half: Int, _ id: Int, _ source: TableSource, _ isNew: Bool
  ) {
    // Safe: as above.
    guard let address = unsafe record.block(half) else { return }
    let block = unsafe SetBlock(unsafeBase: address)
    sets.modify(Int(series[id].whole)) { $0.merge(block, second: second, scratch: &raiseScratch) }
    history.add(raiseScratch, at: history.clock.wall, to: .series(SeriesID(id)))
    keepMembers(id, raiseScratch, at: history.clock.wall)
    if !raiseScratch.isEmpty {
      noteShared(family: Int(series[id].family))
      if familyGathering.isFull { settleFamilies() }
      familyGathering.add(raiseScratch, to: series[id].family, scratch: &sketchScratch)
    }
    // As for timers.
    if isNew || block.isOversized(for: raiseScratch.count) {
      source.freedBytes += block.byteCount
      unsafe address.deallocate()
      unsafe record.setBlock(half, nil)
    } else {
      block.clear()
    }
  }

  private mutating func takeLimited(_ record: SeriesRecord, _ number: Int, _ source: TableSource) {
    // Safe: the spelling of a record that is in the log does not change.
    let spelling = unsafe [UInt8](UnsafeRawBufferPointer(start: record.spelling, count: record.spellingLength))
    var metric = SeriesSpelling.plainName(of: spelling)
    if limited.count >= Self.limitedMetrics && limited[metric] == nil { metric = Self.otherMetrics }
    // Loaded once: its owner may be adding to it.
    let samples = record.word0
    limited[metric, default: 0] += samples - source.seen[number].first
    source.seen[number].first = samples
  }
}
