import Protocol

/// Telling the journal what has changed.
///
/// A batch holds everything that changed since the one before: the payloads from one that ended a batch up to the next that does. What
/// it says is true of the moment in which it ends.
extension MergedView {
  /// From now on changes are kept for `encodeChanges`. What was restored before is known to the journal.
  package mutating func keepChanges() {
    let numbering = restoring.map { $0.numbering &+ 1 } ?? 1
    // What a limit kept out is told under other names from now on.
    if let tally = restoring?.tally, tally.limited > 0 || tally.unknown > 0 || tally.refused > 0 {
      changes.wantsSnapshot = true
    }
    restoring = nil
    changes.begin(numbering: numbering)
  }

  /// Whether a snapshot is needed to tell what changes alone could not.
  package var wantsSnapshot: Bool { changes.wantsSnapshot && changes.snapshot == nil }

  /// Whether `encodeChanges` has something to say.
  package var hasChanges: Bool { !changes.isEmpty }

  /// Whether so much has happened within a gather that some of it should be taken before the gather has ended.
  package var hasFullPayload: Bool { changes.hasFullPayload }

  /// The next payload of what has changed; nil when there is nothing more, and the batch is whole.
  ///
  /// - Parameter limit: series taken from the queue at most, so that the caller gets its turn again.
  /// - Complexity: O(bytes): some 50 to 100 ns for a counter.
  package mutating func encodeChanges(limit: Int = .max) -> JournalPayload? {
    precondition(changes.snapshot?.following.isEmpty ?? true, "a snapshot's series is told to its end first")
    if changes.hasFullPayload { return changes.take(wall: wall) }
    if !changes.isBatchOpen && changes.isOutOfNumbers && changes.writer.isEmpty {
      changes.renumber(series: seriesMade)
    }
    var left = limit
    while left > 0, changes.writer.bytes.count < KeptChanges.payloadBytes, let id = changes.pop() {
      left -= 1
      if series[id].isLive { tell(id) }
    }
    return changes.take(wall: wall)
  }

  /// Writes a series' totals to the payload in the making.
  private mutating func tell(_ id: Int) {
    let number = number(id)
    let one = self.series[id]
    switch one.kind {
    case .counter, .event:
      changes.writer.appendCounter(number, Total(whole: one.whole, fraction: one.fraction))
      if !seriesBases.isEmpty, let base = seriesBases[SeriesID(id)] {
        changes.writer.append(.base(number: number, whole: base.whole, fraction: base.fraction))
      }
    case .gauge, .serviceCheck: changes.writer.append(.gauge(number: number, value: one.fraction))
    case .timer, .histogram, .distribution:
      let state = timers[Int(one.whole)]
      changes.writer.append(.timer(number: number, count: state.count, sum: state.sum, weights: state.bounds))
    case .set: break
    }
  }

  /// The series' number, which is told first if it is new.
  private mutating func number(_ id: Int) -> UInt32 {
    let known = changes.number(id)
    if known != 0 { return known }
    let number = changes.giveNumber(id)
    changes.writer.append(definition(id, number))
    return number
  }

  func definition(_ id: Int, _ number: UInt32) -> JournalRecord {
    let one = series[id]
    // Safe: the text of a live series is whole; it is copied.
    let spelling = unsafe [UInt8](texts.text(one.spelling, length: Int(one.spellingLength)))
    let bounds = one.kind.isTimer ? sources[0].memory.bounds(one.kind.rawValue).fingerprint : 0
    return .define(number: number, kind: one.kind, bounds: bounds, spelling: spelling)
  }

  // MARK: As it happens

  /// A new series. It is told of before another leaves, so that their metric has a series all the time.
  mutating func keepArrival(_ id: Int) {
    if !changes.isOn || !changes.hasRoom() { return }
    _ = number(id)
    changes.endIfFull(wall: wall)
  }

  /// A sample of a counter that bore its own time; it has been counted.
  mutating func keepLate(_ id: Int, _ amount: HistoryAmount, at second: UInt32?) {
    if !changes.isOn { return }
    changes.mark(id)
    if !changes.hasRoom() { return }
    let number = number(id)
    changes.writer.append(
      .lateCount(number: number, second: second ?? 0, whole: amount.whole, fraction: amount.fraction))
    changes.endIfFull(wall: wall)
  }

  /// A counter was raised, and its metric was not.
  mutating func keepRaise(_ id: Int, _ more: Total, base: Total) {
    if !changes.isOn { return }
    changes.mark(id)
    if !changes.hasRoom() { return }
    let number = number(id)
    changes.writer.append(
      .raise(
        number: number, whole: more.whole, fraction: more.fraction, baseWhole: base.whole, baseFraction: base.fraction))
    changes.endIfFull(wall: wall)
  }

  /// A sample of a timer that bore its own time; it has been counted.
  mutating func keepLate(_ id: Int, value: Double, weight: Double, at second: UInt32?) {
    if !changes.isOn { return }
    changes.mark(id)
    if !changes.hasRoom() { return }
    let number = number(id)
    changes.writer.append(.lateValue(number: number, second: second ?? 0, value: value, weight: weight))
    changes.endIfFull(wall: wall)
  }

  /// What a timer got: a run whose weights are counted in the timer's totals.
  mutating func keepSamples(_ id: Int, run: [UInt8], sum: Double, least: Double, greatest: Double) {
    if !changes.isOn || !changes.hasRoom() { return }
    let number = number(id)
    changes.writer.append(
      .samples(number: number, second: history.clock.wall, sum: sum, least: least, greatest: greatest, run: run))
    changes.endIfFull(wall: wall)
  }

  /// What a set got; `raises` is sorted by register.
  mutating func keepMembers(_ id: Int, _ raises: [HyperLogLog.Raise], at second: UInt32) {
    if !changes.isOn || raises.isEmpty || !changes.hasRoom() { return }
    let number = number(id)
    var members: [UInt8] = []
    HyperLogLog.Members.raise(&members, raises)
    changes.writer.append(.members(number: number, second: second, members: members))
    changes.endIfFull(wall: wall)
  }

  /// The series is about to leave, with its last totals, which its metric has counted.
  mutating func keepDeparture(_ id: Int) {
    if !changes.isOn { return }
    if changes.hasRoom() {
      tell(id)
      changes.writer.append(.left(number: number(id)))
      changes.endIfFull(wall: wall)
    }
    changes.forgetNumber(id)
  }
}
