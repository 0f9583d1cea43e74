import Protocol

/// Telling the journal everything, a slice at a time, while counting goes on.
///
///     begins ─▶ series … ─▶ metrics … ─▶ ends          changes go between the slices
///
/// A slice is made only when nothing that changed is left untold, so that it says what a start would know from what was told before:
/// whoever reads up to any place between two batches has the truth of that moment. Metrics come behind all series: what one counted was
/// told under numbers that this snapshot had given by then.
extension MergedView {
  /// Bytes of a slice, but for the last series: about a millisecond.
  private static let sliceBytes = 64 << 10
  /// Places looked at in a slice, that of series that have left among them.
  private static let slicePlaces = 20_000
  /// Bytes of a part of a history.
  private static let partBytes = 64 << 10

  /// Begins a snapshot; `encodeSnapshot` makes it. One that is under way begins anew.
  package mutating func beginSnapshot() {
    changes.wantsSnapshot = false
    changes.snapshot = SnapshotProgress()
  }

  /// Whether there is more to tell.
  package var isInSnapshot: Bool { changes.snapshot != nil }

  /// Whether the next slice belongs together with the one before, and nothing may come between them.
  package var isWithinSlice: Bool { !(changes.snapshot?.following.isEmpty ?? true) }

  /// The next slice; nil if there is none, or if changes are to be told first.
  package mutating func encodeSnapshot() -> JournalPayload? {
    guard var progress = changes.snapshot else { return nil }
    if !progress.following.isEmpty {
      let bytes = progress.following.removeFirst()
      changes.snapshot = progress
      return JournalPayload(bytes: bytes, endsBatch: progress.following.isEmpty, part: .snapshot)
    }
    if !changes.isEmpty { return nil }
    if !progress.hasBegun {
      progress.hasBegun = true
      changes.snapshot = progress
      changes.renumber(series: seriesMade)
      var writer = JournalRecordWriter()
      writer.append(.snapshotBegins)
      return JournalPayload(bytes: sealed(writer), endsBatch: true, part: .snapshotBegins)
    }
    return slice(&progress)
  }

  private mutating func slice(_ progress: inout SnapshotProgress) -> JournalPayload {
    var writer = JournalRecordWriter(capacity: Self.sliceBytes + 4_096)
    var full: [[UInt8]] = []
    var places = Self.slicePlaces
    while full.isEmpty, places > 0, writer.bytes.count < Self.sliceBytes, progress.nextSeries < seriesMade {
      places -= 1
      if series[progress.nextSeries].isLive { tell(series: progress.nextSeries, to: &writer, &full) }
      progress.nextSeries += 1
    }
    while full.isEmpty, places > 0, writer.bytes.count < Self.sliceBytes, progress.nextSeries >= seriesMade,
      progress.nextFamily < familiesMade
    {
      places -= 1
      if families[progress.nextFamily].isLive { tell(family: progress.nextFamily, to: &writer, &full) }
      progress.nextFamily += 1
    }
    let hasEnded = full.isEmpty && progress.nextSeries >= seriesMade && progress.nextFamily >= familiesMade
    if hasEnded { writer.append(.snapshotEnds) }
    full.append(sealed(writer))
    let bytes = full.removeFirst()
    progress.following = full
    changes.snapshot = hasEnded ? nil : progress
    return JournalPayload(bytes: bytes, endsBatch: full.isEmpty, part: hasEnded ? .snapshotEnds : .snapshot)
  }

  private func sealed(_ writer: consuming JournalRecordWriter) -> [UInt8] {
    writer.sealed(isSnapshot: true, wall: wall, numbering: changes.numbering)
  }

  /// Ends a payload that has become long within one series.
  private static func end(
    _ writer: inout JournalRecordWriter, ifFull full: inout [[UInt8]], _ wall: Int64, _ numbering: UInt32
  ) {
    if writer.bytes.count < KeptChanges.payloadBytes { return }
    var next = JournalRecordWriter()
    swap(&next, &writer)
    full.append(next.sealed(isSnapshot: true, wall: wall, numbering: numbering))
  }

  /// Writes all of a series. Payloads that become full on the way go to `full`.
  private mutating func tell(series id: Int, to writer: inout JournalRecordWriter, _ full: inout [[UInt8]]) {
    let one = series[id]
    let (wall, numbering) = (wall, changes.numbering)
    var number = changes.number(id)
    if number == 0 {
      number = changes.giveNumber(id)
      writer.append(definition(id, number))
    }
    writer.append(.series(number: number, age: UInt64(max(0, second - Int64(one.changed)))))
    switch one.kind {
    case .counter, .event:
      writer.appendCounter(number, Total(whole: one.whole, fraction: one.fraction))
      if let base = seriesBases[SeriesID(id)] {
        writer.append(.base(number: number, whole: base.whole, fraction: base.fraction))
      }
    case .gauge, .serviceCheck: writer.append(.gauge(number: number, value: one.fraction))
    case .timer, .histogram, .distribution:
      let state = timers[Int(one.whole)]
      writer.append(.timer(number: number, count: state.count, sum: state.sum, weights: state.bounds))
      state.forEachRecent(second: second, window: settings.quantileWindow) { age, slice in
        writer.append(
          .recentSamples(
            number: number, second: Self.second(wall, age), sum: slice.sum, least: slice.least,
            greatest: slice.greatest,
            run: slice.run))
      }
    case .set:
      sets[Int(one.whole)].forEachRecent(second: second) { age, members in
        writer.append(.recentMembers(number: number, second: Self.second(wall, age), members: members))
        Self.end(&writer, ifFull: &full, wall, numbering)
      }
    }
    history.encode(.series(SeriesID(id)), limit: Self.partBytes) {
      writer.append(.history(number: number, bytes: $0))
      Self.end(&writer, ifFull: &full, wall, numbering)
    }
  }

  private func tell(family id: Int, to writer: inout JournalRecordWriter, _ full: inout [[UInt8]]) {
    let family = families[id]
    let name = name(of: FamilyID(id))
    let (wall, numbering) = (wall, changes.numbering)
    let base = familyBases[FamilyID(id)] ?? Total()
    writer.append(
      .family(
        kind: family.kind, name: name,
        totals: JournalFamilyTotals(
          whole: family.whole, fraction: family.fraction, sum: family.sum, baseWhole: base.whole,
          baseFraction: base.fraction)))
    history.encode(.family(FamilyID(id)), limit: Self.partBytes) {
      writer.append(.familyHistory(kind: family.kind, name: name, bytes: $0))
      Self.end(&writer, ifFull: &full, wall, numbering)
    }
  }

  /// The time of day so many seconds ago.
  private static func second(_ wall: Int64, _ age: Int64) -> UInt32 { HistoryClock.clamped(wall - max(0, age)) }
}
