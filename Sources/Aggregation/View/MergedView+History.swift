import Protocol

/// What the view counts also goes into history, and is asked for there.
extension MergedView {
  // MARK: Writing

  /// Sets the time of day. Set back, it leads to seconds of which others were told.
  mutating func setClock(wall: Int64) {
    let before = history.clock.wall
    history.clock = HistoryClock(wall: wall, second: second)
    let now = history.clock.wall
    if sharing.isOn && now < before { sharing.lowerAll(familiesMade, to: now) }
  }

  /// Adds a counter's amount to series, family and history.
  mutating func count(_ id: Int, _ amount: HistoryAmount, at second: UInt32?) {
    let family = Int(series[id].family)
    (series[id].whole, series[id].fraction) = Self.add(
      (series[id].whole, series[id].fraction), amount.whole, amount.fraction)
    (families[family].whole, families[family].fraction) = Self.add(
      (families[family].whole, families[family].fraction), amount.whole, amount.fraction)
    noteCount(id, hasGrown: amount.count.value >= 0)
    noteShared(id, family)
    guard let second, !amount.isZero else { return }
    history.add(amount, at: second, to: .series(SeriesID(id)), isTimer: false)
    history.add(amount, at: second, to: .family(FamilyID(family)), isTimer: false)
  }

  /// Takes samples that bear their own time, up to `limit` of them from `start` on.
  /// - Returns: where it stopped.
  mutating func takeLate(_ source: TableSource, _ half: Int, from start: Int, limit: Int) -> Int {
    let log = source.memory.late(half)
    let end = start + min(limit, log.count - start)
    for place in start..<end { take(log[place], source) }
    if end == log.count {
      lateMisplaced &+= log.misplaced
      log.count = 0
      log.misplaced = 0
    }
    return end
  }

  private mutating func take(_ late: LateLog.Sample, _ source: TableSource) {
    generation &+= 1
    let entry = source.seriesOf[Int(late.number)]
    // Without room for the series' text there is no series.
    if entry == 0 { return }
    let id = Int(entry & ~TableSource.paid) - 1
    let second = late.second == LateLog.farOff ? nil : HistoryClock.clamped(late.second)
    if let second { noteShared(family: series[id].family, late: second) }
    switch late.form {
    case .whole, .fraction:
      let amount = HistoryAmount(whole: late.whole, fraction: late.double)
      count(id, amount, at: second)
      keepLate(id, amount, at: second)
    case .value:
      let isRecent = second.map { Int64($0) >= wall - settings.quantileWindow } ?? false
      countLate(id, value: late.double, weight: late.weight, at: second, isRecent: isRecent, source.memory)
      keepLate(id, value: late.double, weight: late.weight, at: second)
    case .register: takeLateRegister(late, id, second)
    }
  }

  /// Adds a timer's sample that bore its own time.
  /// - Parameter isRecent: its time lies within the window of quantiles.
  mutating func countLate(
    _ id: Int, value: Double, weight: Double, at second: UInt32?, isRecent: Bool, _ memory: TableMemory
  ) {
    let family = Int(series[id].family)
    let bounds = memory.bounds(series[id].kind.rawValue)
    timers.modify(Int(series[id].whole)) {
      $0.add(
        value: value, weight: weight, bound: bounds.places > 0 ? bounds.place(of: value) : nil,
        places: bounds.places, isRecent: isRecent, second: self.second, window: settings.quantileWindow)
    }
    noteTotal(id, timers[Int(series[id].whole)].count, hasGrown: true)
    let amount = HistoryAmount(weight: weight, sum: (value * weight).finite)
    (families[family].whole, families[family].fraction) = Self.add(
      (families[family].whole, families[family].fraction), amount.whole, amount.fraction)
    families[family].sum = (families[family].sum + amount.sum).finite
    noteShared(family: family)
    guard let second else { return }
    history.add(value: value, weight: weight, at: second, to: .series(SeriesID(id)))
    history.add(value: value, weight: weight, at: second, to: .family(FamilyID(family)))
  }

  private mutating func takeLateRegister(_ late: LateLog.Sample, _ id: Int, _ second: UInt32?) {
    guard let second else { return }
    let raise = [HyperLogLog.Raise(register: late.register, rank: late.rank)]
    if Int64(second) >= Int64(history.clock.wall) - 3_600 {
      sets.modify(Int(series[id].whole)) { $0.add(raise, second: self.second) }
    }
    history.add(raise, at: second, to: .series(SeriesID(id)))
    history.add(raise, at: second, to: .family(series[id].family))
    keepMembers(id, raise, at: second)
  }

  /// Adds what a worker gathered of a timer to its history; its family's follows.
  mutating func addHistory(_ block: TimerBlock, _ id: Int, _ family: FamilyID, _ amount: HistoryAmount) {
    let run = block.sortedRun(&sketchScratch)
    history.add(
      amount, run: run, least: block.least, greatest: block.greatest, at: history.clock.wall, to: .series(SeriesID(id)))
    keepSamples(id, run: run, sum: block.sum, least: block.least, greatest: block.greatest)
    if familyGathering.isFull { settleFamilies() }
    familyGathering.add(block, amount, to: family, scratch: &sketchScratch)
  }

  /// Writes what the families have gathered of timers and sets.
  mutating func settleFamilies() {
    let wall = history.clock.wall
    familyGathering.take { family, timer in
      history.add(
        timer.amount, run: timer.block.sortedRun(&sketchScratch), least: timer.least, greatest: timer.greatest,
        at: wall,
        to: .family(family))
    } sets: { family, block in
      block.take(into: &raiseScratch)
      history.add(raiseScratch, at: wall, to: .family(family))
    }
  }

  /// Lets history grow older where nobody counts: a part of it each second.
  mutating func sweepHistory() {
    if historySwept == second { return }
    historySwept = second
    // All of it about once in ten minutes, as long as the finest points are kept.
    for _ in 0..<min(seriesMade, max(64, seriesMade / 600)) {
      seriesSweep = seriesSweep + 1 < seriesMade ? seriesSweep + 1 : 0
      history.ageIdle(.series(SeriesID(seriesSweep)))
    }
    for _ in 0..<min(familiesMade, max(64, familiesMade / 600)) {
      familySweep = familySweep + 1 < familiesMade ? familySweep + 1 : 0
      history.ageIdle(.family(FamilyID(familySweep)))
    }
  }

  // MARK: Reading

  /// The time of day of the last gather, in seconds since 1970.
  package var wall: Int64 { Int64(history.clock.wall) }

  /// Series that have a history, and families.
  package var historyHeld: (series: Int, families: Int) { (history.seriesHeld, history.familiesHeld) }
  /// Series and families whose history gave way to that of others, and counts that found no room in it.
  package var historyLosses: (evictions: UInt64, misfits: UInt64) { (history.evictions, history.misfits) }

  /// What a series has counted since `start` (`HistorySpan`); nil if it has no history.
  package func recent(of id: SeriesID, from start: Int64) -> HistoryAmount? {
    history.amount(of: .series(id), from: start)
  }

  /// The same of all series of a family, those that left too.
  package func recent(ofFamily id: FamilyID, from start: Int64) -> HistoryAmount? {
    history.amount(of: .family(id), from: start)
  }

  /// Adds a series' points to a plot.
  package func add(_ id: SeriesID, to plot: inout HistoryPlot) { add(.series(id), to: &plot) }

  /// Adds a family's points to a plot.
  package func add(family id: FamilyID, to plot: inout HistoryPlot) { add(.family(id), to: &plot) }

  private func add(_ owner: History.Owner, to plot: inout HistoryPlot) {
    guard let entry = history.entry(of: owner) else { return }
    history.forEachPoint(of: entry, from: plot.start) { plot.add($1, at: $0) }
  }

  /// A timer's samples since `start`, added to a sketch.
  package func addSketch(of id: SeriesID, from start: Int64, to sketch: inout Sketch) {
    history.addSketch(of: .series(id), from: start, to: &sketch)
  }
  /// The same of all series of a family, those that left too.
  package func addSketch(ofFamily id: FamilyID, from start: Int64, to sketch: inout Sketch) {
    history.addSketch(of: .family(id), from: start, to: &sketch)
  }

  /// A set's members since `start`, added to a union.
  package func addMembers(of id: SeriesID, from start: Int64, to members: inout HyperLogLog.Ranks) {
    history.addMembers(of: .series(id), from: start, to: &members)
  }
  /// The same of all series of a family, those that left too.
  package func addMembers(ofFamily id: FamilyID, from start: Int64, to members: inout HyperLogLog.Ranks) {
    history.addMembers(of: .family(id), from: start, to: &members)
  }

  /// Adds a timer's samples to a plot.
  package func add(_ id: SeriesID, to plot: inout HistoryBlobPlot<Sketch>) { history.add(.series(id), to: &plot) }
  /// The same of a family.
  package func add(family id: FamilyID, to plot: inout HistoryBlobPlot<Sketch>) { history.add(.family(id), to: &plot) }

  /// Adds a set's members to a plot.
  package func add(_ id: SeriesID, to plot: inout HistoryBlobPlot<HyperLogLog.Ranks>) {
    history.add(.series(id), to: &plot)
  }
  /// The same of a family.
  package func add(family id: FamilyID, to plot: inout HistoryBlobPlot<HyperLogLog.Ranks>) {
    history.add(.family(id), to: &plot)
  }

  // MARK: Keeping

  /// A series' history as bytes (History+Encoding.swift); nil if it has none.
  package func encodedHistory(of id: SeriesID) -> [UInt8]? { history.encoded(.series(id)) }
  /// A family's.
  package func encodedHistory(ofFamily id: FamilyID) -> [UInt8]? { history.encoded(.family(id)) }

  /// Adds a history from bytes to a series.
  /// - Returns: false if the bytes are none of its kind or end early; what stood before that has been added.
  package mutating func decodeHistory(_ bytes: [UInt8], into id: SeriesID) -> Bool {
    history.decode(bytes, into: .series(id), isTimer: series[Int(id)].kind.isTimer)
  }
  /// Adds a history from bytes to a family.
  package mutating func decodeHistory(_ bytes: [UInt8], intoFamily id: FamilyID) -> Bool {
    history.decode(bytes, into: .family(id), isTimer: families[Int(id)].kind.isTimer)
  }
}

extension SampleKind {
  /// Whether its samples go into a sketch.
  package var isTimer: Bool {
    switch self {
    case .timer, .histogram, .distribution: true
    case .counter, .event, .gauge, .set, .serviceCheck: false
    }
  }
}
