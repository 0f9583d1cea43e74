import Bytes
import Protocol

/// What became of the records that a journal gave back.
package struct RestoreTally: Sendable {
  /// Payloads read, and those of them of which the rest, or all, could not be.
  package var payloads = 0
  package var malformed = 0
  package var records: UInt64 = 0
  /// Records of a series whose definition was lost.
  package var unknown: UInt64 = 0
  /// Records that say what cannot be of the series that they name.
  package var refused: UInt64 = 0
  /// Series that the limits of today keep out: they count into `__other__`, gauges are gone.
  package var limited = 0

  /// Nothing was read.
  package init() {}

  /// Records that were not applied.
  package var skipped: UInt64 { unknown + refused + UInt64(malformed) }
}

/// What is known while a journal is read back; gone once it has been.
struct Restoration {
  /// Where a number's records go.
  struct Target {
    var id: SeriesID
    var record: UInt32
    /// The place in `shared` of one that counts into a series with others.
    var shared: Int?
    /// Its weights by bound are for other bounds than those of today.
    var hasOtherBounds = false
    /// No limit leaves room for it, nor for it among others.
    static let none = Target(id: .max, record: 0, shared: nil)
  }

  /// What was kept of a series that a limit now sends to `__other__`.
  struct Shared {
    var total = Total()
    var count = 0.0
    var sum = 0.0
    /// It is of another metric than what it counts into.
    var isForeign: Bool
  }

  var numbering: UInt32 = 0
  var targets: [UInt32: Target] = [:]
  var shared: [Shared] = []
  /// By kind and spelling.
  var sharedPlaces: [[UInt8]: Int] = [:]
  /// What series of other metrics have brought into a metric.
  var foreign: [FamilyID: HistoryAmount] = [:]
  /// Series told of since a snapshot began, by number; nil outside of one.
  var told: [Bool]?
  var tally = RestoreTally()

  mutating func noteForeign(_ amount: HistoryAmount, _ place: Int, _ family: FamilyID) {
    if shared[place].isForeign { foreign[family, default: HistoryAmount()].add(amount) }
  }

  mutating func noteTold(_ id: SeriesID) {
    guard var told = told.take() else { return }
    if told.count <= Int(id) { told += repeatElement(false, count: Int(id) + 1 - told.count) }
    told[Int(id)] = true
    self.told = told
  }
}

/// Taking back what a journal kept.
///
/// Each series gets a record in the query thread's own table, so that limits, times to live and resets hold for it as for any other. What
/// its total has grown by from one payload to the next goes to history at the time of the second one; so of history comes back what was
/// told, in the buckets that are kept at its age.
extension MergedView {
  /// What has been restored so far.
  package var restoreTally: RestoreTally { restoring?.tally ?? RestoreTally() }

  /// Takes the next payload over. Nothing may have been gathered before; `keepChanges` ends the restoring.
  ///
  /// - Parameters:
  ///   - table: the view's last, outside a batch.
  ///   - second: the reader's clock. It should be far from 0, since it stands for times before the start too.
  ///   - wall: now, in seconds since 1970.
  /// - Complexity: O(records); about a microsecond for a new series.
  package mutating func restore(_ payload: [UInt8], into table: inout WorkerTable, second: Int64, wall: Int64) {
    precondition(gathering == nil && !changes.isOn && !sharing.isOn, "what was kept comes before what is counted")
    self.second = max(self.second, second)
    history.clock = HistoryClock(wall: wall, second: self.second)
    generation &+= 1
    var restoration = restoring.take() ?? Restoration()
    restoration.tally.payloads += 1
    if var reader = JournalRecordReader(payload) {
      if reader.numbering != restoration.numbering {
        restoration.numbering = reader.numbering
        restoration.targets.removeAll(keepingCapacity: true)
      }
      table.beginBatch(monotonic: 0, wall: wall)
      while let record = reader.next() {
        restoration.tally.records += 1
        apply(record, reader, &restoration, &table)
      }
      table.endBatch()
      if reader.isMalformed { restoration.tally.malformed += 1 }
      takeOwn(sources.count - 1, second: second, wall: wall)
    } else {
      restoration.tally.malformed += 1
    }
    restoring = restoration
  }

  private mutating func apply(
    _ record: JournalRecord, _ payload: JournalRecordReader, _ restoration: inout Restoration,
    _ table: inout WorkerTable
  ) {
    switch record {
    case .define(let number, let kind, let bounds, let spelling):
      define(number, kind, bounds, spelling, &restoration, &table)
    case .left(let number):
      guard let target = target(number, &restoration) else { return }
      restoration.targets[number] = nil
      if target.shared != nil {
        restoration.sharedPlaces = restoration.sharedPlaces.filter { $0.value != target.shared }
      } else if target.id != .max {
        removeRestored(Int(target.record), &table)
      }
    case .snapshotBegins: restoration.told = []
    case .snapshotEnds: removeUntold(&restoration, &table)
    case .family(let kind, let name, let totals): restoreFamily(kind, name, totals, restoration)
    case .familyHistory(let kind, let name, let bytes):
      guard let id = findFamily(name, kind) else { return }
      if !decodeHistory(bytes, intoFamily: id) { restoration.tally.refused += 1 }
    case .counter(let number, _, _), .raise(let number, _, _, _, _), .base(let number, _, _), .gauge(let number, _),
      .timer(let number, _, _, _),
      .lateCount(let number, _, _, _), .lateValue(let number, _, _, _), .samples(let number, _, _, _, _, _),
      .members(let number, _, _), .series(let number, _), .recentSamples(let number, _, _, _, _, _),
      .recentMembers(let number, _, _), .history(let number, _):
      guard let target = target(number, &restoration), target.id != .max else { return }
      if !applyToSeries(record, target, payload, &restoration) { restoration.tally.refused += 1 }
    }
  }

  private func target(_ number: UInt32, _ restoration: inout Restoration) -> Restoration.Target? {
    if let target = restoration.targets[number] { return target }
    restoration.tally.unknown += 1
    return nil
  }

  // MARK: Which series

  private mutating func define(
    _ number: UInt32, _ kind: SampleKind, _ bounds: UInt64, _ spelling: [UInt8], _ restoration: inout Restoration,
    _ table: inout WorkerTable
  ) {
    guard SeriesSpelling.isSound(spelling, keyLabels) else {
      restoration.targets[number] = Restoration.Target.none
      restoration.tally.refused += 1
      return
    }
    let source = sources[sources.count - 1]
    guard let record = table.restore(spelling, kind, tables: sources.count),
      source.seriesOf[record] != 0 || link(source.memory.record(record), record, source)
    else {
      restoration.targets[number] = Restoration.Target.none
      restoration.tally.limited += 1
      return
    }
    let id = source.seriesOf[record] & ~TableSource.paid - 1
    var target = Restoration.Target(id: id, record: UInt32(record), shared: nil)
    if source.memory.record(record).role == .overflow {
      target.shared = shared(kind, spelling, id, &restoration)
    } else if kind.isTimer, bounds != source.memory.bounds(kind.rawValue).fingerprint {
      target.hasOtherBounds = true
    }
    restoration.targets[number] = target
    restoration.noteTold(id)
  }

  /// Where it is noted what was kept of a series that counts into one with others.
  private func shared(
    _ kind: SampleKind, _ spelling: [UInt8], _ id: SeriesID, _ restoration: inout Restoration
  ) -> Int {
    let key = [kind.rawValue] + spelling
    if let place = restoration.sharedPlaces[key] { return place }
    let name = SeriesSpelling.plainName(of: spelling)
    restoration.shared.append(.init(isForeign: name != self.name(of: series[Int(id)].family)))
    restoration.sharedPlaces[key] = restoration.shared.count - 1
    if !withSpelling(
      of: id, { own in own.count == spelling.count && own.indices.allSatisfy { own[$0] == spelling[$0] } })
    {
      restoration.tally.limited += 1
    }
    return restoration.shared.count - 1
  }

  /// Lets a restored series leave at once: nobody else has counted into it.
  private mutating func removeRestored(_ record: Int, _ table: inout WorkerTable) {
    unlink(record, sources[sources.count - 1])
    table.drop(record)
  }

  private mutating func removeUntold(_ restoration: inout Restoration, _ table: inout WorkerTable) {
    guard let told = restoration.told.take() else { return }
    let source = sources[sources.count - 1]
    for record in 0..<table.recordsMade {
      guard let id = Self.id(source.seriesOf[record] & ~TableSource.paid) else { continue }
      if Int(id) >= told.count || !told[Int(id)] { removeRestored(record, &table) }
    }
  }

  // MARK: What it had counted

  /// Applies a record of a series.
  /// - Returns: false if it cannot be of this one.
  private mutating func applyToSeries(
    _ record: JournalRecord, _ target: Restoration.Target, _ payload: JournalRecordReader,
    _ restoration: inout Restoration
  ) -> Bool {
    let id = Int(target.id)
    let kind = series[id].kind
    let isCounter = kind == .counter || kind == .event
    series[id].changed = UInt32(restoredSecond(at: payload.wall, kind))
    families[Int(series[id].family)].changed = series[id].changed
    switch record {
    case .counter(_, let whole, let fraction) where isCounter:
      restoreTotal(Total(whole: whole, fraction: fraction), target, payload, &restoration)
    case .raise(_, let whole, let fraction, let baseWhole, let baseFraction) where isCounter:
      let more = Total(whole: whole, fraction: fraction)
      raise(id, more, base: Total(whole: baseWhole, fraction: baseFraction))
      if let place = target.shared { restoration.shared[place].total.add(more) }
    case .base(_, let whole, let fraction) where isCounter:
      if target.shared == nil { restoreBase(id, Total(whole: whole, fraction: fraction), payload) }
    case .gauge(_, let value) where kind == .gauge || kind == .serviceCheck: series[id].fraction = value
    case .timer(_, let count, let sum, let weights) where kind.isTimer:
      restoreTimer((count, sum, weights), target, payload, &restoration)
    case .lateCount(_, let second, let whole, let fraction) where isCounter:
      let amount = HistoryAmount(whole: whole, fraction: fraction)
      count(id, amount, at: second == 0 ? nil : second)
      note(amount, target, &restoration)
    case .lateValue(_, let second, let value, let weight) where kind.isTimer:
      countLate(
        id, value: value, weight: weight, at: second == 0 ? nil : second, isRecent: false, sources[0].memory)
      if second != 0 && Int64(second) >= payload.wall - settings.quantileWindow {
        let run = BucketRun.run(of: [.init(number: SketchBucket.number(of: value), weight: weight)])
        restoreRecent(id, payload.wall, sum: (value * weight).finite, least: value, greatest: value, run)
      }
      note(HistoryAmount(weight: weight, sum: (value * weight).finite), target, &restoration)
    case .samples(_, let second, let sum, let least, let greatest, let run) where kind.isTimer:
      for owner in [History.Owner.series(target.id), .family(series[id].family)] {
        history.add(HistoryAmount(), run: run, least: least, greatest: greatest, at: clamped(second), to: owner)
      }
      restoreRecent(id, Int64(second), sum: sum, least: least, greatest: greatest, run)
    case .recentSamples(_, let second, let sum, let least, let greatest, let run) where kind.isTimer:
      restoreRecent(id, Int64(second), sum: sum, least: least, greatest: greatest, run)
    case .members(_, let second, let members) where kind == .set:
      let raises = HyperLogLog.Members.raises(members)
      history.add(raises, at: clamped(second), to: .series(target.id))
      history.add(raises, at: clamped(second), to: .family(series[id].family))
      // As when they came: those of the last hour count as of the present.
      if Int64(second) >= payload.wall - 3_600 { restoreRecent(id, payload.wall, raises) }
    case .recentMembers(_, let second, let members) where kind == .set:
      restoreRecent(id, Int64(second), HyperLogLog.Members.raises(members))
    case .series(_, let age):
      series[id].changed = UInt32(restoredSecond(at: payload.wall - Int64(clamping: min(age, 1 << 40)), kind))
      if target.shared == nil { clearRestored(id) }
    case .history(_, let bytes): return decodeHistory(bytes, into: target.id)
    default: return false
    }
    return true
  }

  /// The reader's clock at a time of day before the start. A series that may leave stays an hour at least: the clock may have been wrong.
  private func restoredSecond(at wall: Int64, _ kind: SampleKind) -> Int64 {
    let ttl = kind == .counter || kind == .event ? settings.counterTTL : settings.seriesTTL
    let limit = ttl.map { max(0, $0 - 3_600) } ?? .max
    return max(0, second - min(limit, age(of: wall)))
  }

  /// Seconds since a time of day; none of one to come.
  private func age(of wall: Int64) -> Int64 {
    let age = self.wall.subtractingReportingOverflow(wall)
    return age.overflow ? 0 : max(0, age.partialValue)
  }

  private func clamped(_ second: UInt32) -> UInt32 { HistoryClock.clamped(Int64(second)) }

  /// A total, of which what is more than the one known goes to history and to the metric.
  private mutating func restoreTotal(
    _ total: Total, _ target: Restoration.Target, _ payload: JournalRecordReader, _ restoration: inout Restoration
  ) {
    let id = Int(target.id)
    let known =
      target.shared.map { restoration.shared[$0].total }
      ?? Total(whole: series[id].whole, fraction: series[id].fraction)
    if !payload.isSnapshot || target.shared != nil {
      let amount = total.amount(since: known)
      count(id, amount, at: payload.isSnapshot ? nil : HistoryClock.clamped(payload.wall))
      if let shared = target.shared {
        restoration.noteForeign(amount, shared, series[id].family)
        restoration.shared[shared].total = total
        return
      }
    }
    (series[id].whole, series[id].fraction) = (total.whole, total.fraction)
  }

  private mutating func restoreBase(_ id: Int, _ base: Total, _ payload: JournalRecordReader) {
    // Of a snapshot the metric's record says what its base is.
    if payload.isSnapshot { seriesBases[SeriesID(id)] = base } else { setBase(SeriesID(id), base) }
  }

  private mutating func restoreTimer(
    _ timer: (count: Double, sum: Double, weights: [Double]), _ target: Restoration.Target,
    _ payload: JournalRecordReader, _ restoration: inout Restoration
  ) {
    let id = Int(target.id)
    let state = Int(series[id].whole)
    let known: (count: Double, sum: Double) =
      target.shared.map { (restoration.shared[$0].count, restoration.shared[$0].sum) }
      ?? (timers[state].count, timers[state].sum)
    let amount = HistoryAmount(weight: timer.count - known.count, sum: timer.sum - known.sum)
    let places = sources[0].memory.bounds(series[id].kind.rawValue).places
    if let shared = target.shared {
      let before = (timers[state].count, timers[state].sum)
      let bounds = Self.weights(timers[state].bounds, places, above: timer.count - known.count)
      timers.modify(state) {
        $0.restore(
          count: (before.0 + timer.count - known.count).finite, sum: (before.1 + amount.sum).finite, bounds: bounds)
      }
      restoration.noteForeign(amount, shared, series[id].family)
      (restoration.shared[shared].count, restoration.shared[shared].sum) = (timer.count, timer.sum)
    } else {
      let isOther = target.hasOtherBounds || timer.weights.count > places
      let bounds = isOther ? Self.weights([], places, above: timer.count) : timer.weights
      timers.modify(state) { $0.restore(count: timer.count, sum: timer.sum, bounds: bounds) }
      if payload.isSnapshot { return }
    }
    noteTotal(id, timers[state].count, hasGrown: true)
    let family = Int(series[id].family)
    (families[family].whole, families[family].fraction) = Self.add(
      (families[family].whole, families[family].fraction), amount.whole, amount.fraction)
    families[family].sum = (families[family].sum + amount.sum).finite
    if amount.whole == 0 && amount.fraction == 0 || payload.isSnapshot { return }
    for owner in [History.Owner.series(target.id), .family(series[id].family)] {
      history.add(amount, at: HistoryClock.clamped(payload.wall), to: owner, isTimer: true)
    }
  }

  /// Weights by bound with so much more above all bounds: what was kept for other bounds can be nowhere else.
  private static func weights(_ weights: [Double], _ places: Int, above: Double) -> [Double] {
    if places == 0 { return [] }
    var all = weights + repeatElement(0, count: max(0, places - weights.count))
    all[places - 1] = (all[places - 1] + above).finite
    return all
  }

  private mutating func restoreRecent(
    _ id: Int, _ wall: Int64, sum: Double, least: Double, greatest: Double, _ run: [UInt8]
  ) {
    let age = age(of: wall)
    if age > second { return }
    timers.modify(Int(series[id].whole)) {
      $0.restoreRecent(
        run, sum: sum, least: least, greatest: greatest, at: second - age, second: second,
        window: settings.quantileWindow)
    }
  }

  private mutating func restoreRecent(_ id: Int, _ wall: Int64, _ raises: [HyperLogLog.Raise]) {
    let age = age(of: wall)
    if age > second { return }
    sets.modify(Int(series[id].whole)) { $0.restoreRecent(raises, at: second - age, second: second) }
  }

  /// Forgets all of a series but that it is there.
  private mutating func clearRestored(_ id: Int) {
    history.remove(.series(SeriesID(id)))
    seriesBases[SeriesID(id)] = nil
    switch series[id].kind {
    case .counter, .event, .gauge, .serviceCheck: (series[id].whole, series[id].fraction) = (0, 0)
    case .timer, .histogram, .distribution: timers.modify(Int(series[id].whole)) { $0 = TimerState() }
    case .set: sets.modify(Int(series[id].whole)) { $0 = SetState() }
    }
  }

  private mutating func restoreFamily(
    _ kind: SampleKind, _ name: [UInt8], _ totals: JournalFamilyTotals, _ restoration: Restoration
  ) {
    // All its series may have been kept out.
    guard let family = findFamily(name, kind) else { return }
    let id = Int(family)
    let foreign = restoration.foreign[family] ?? HistoryAmount()
    (families[id].whole, families[id].fraction) = Self.add(
      (totals.whole, totals.fraction), foreign.whole, foreign.fraction)
    families[id].sum = (totals.sum + foreign.sum).finite
    let base = Total(whole: totals.baseWhole, fraction: totals.baseFraction)
    familyBases[family] = base.whole == 0 && base.fraction == 0 ? nil : base
    history.remove(.family(family))
  }

  /// What came with a time of its own is known of a series that counts into one with others.
  private func note(_ amount: HistoryAmount, _ target: Restoration.Target, _ restoration: inout Restoration) {
    guard let place = target.shared else { return }
    restoration.noteForeign(amount, place, series[Int(target.id)].family)
    var shared = restoration.shared[place]
    shared.total.add(Total(whole: amount.whole, fraction: amount.fraction))
    shared.count = (shared.count + amount.count.value).finite
    shared.sum = (shared.sum + amount.sum).finite
    restoration.shared[place] = shared
  }
}

extension Total {
  /// What is more than `known`. Sums of fractions differ with the order in which they were added up: a difference of the last digits is
  /// none.
  fileprivate func amount(since known: Total) -> HistoryAmount {
    let more = whole.subtractingReportingOverflow(known.whole)
    var rest = fraction - known.fraction
    if rest.magnitude <= fraction.magnitude * 1e-12 { rest = 0 }
    if more.overflow { return HistoryAmount(whole: 0, fraction: (rest + Double(whole) - Double(known.whole)).finite) }
    return HistoryAmount(whole: more.partialValue, fraction: rest.finite)
  }
}
