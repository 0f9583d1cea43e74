import Bytes
import Protocol
import Synchronization

/// Where series and families come and go.
extension MergedView {
  /// Finds or makes the series of a record that the reader meets for the first time; false if there is no room for its text.
  mutating func link(_ record: SeriesRecord, _ number: Int, _ source: TableSource) -> Bool {
    // Safe: the record's spelling was written before its number entered the log.
    let spelling = unsafe UnsafeRawBufferPointer(start: record.spelling, count: record.spellingLength)
    guard let kind = SampleKind(rawValue: record.kind) else { return false }
    let hash = unsafe hashOf(spelling, kind)
    guard let id = unsafe find(spelling, hash, kind) ?? make(spelling, hash, kind) else { return false }
    let isPaid = record.role == .series
    series[id].records += 1
    if isPaid {
      if series[id].paidRecords > 0 { budget.release() }
      series[id].paidRecords += 1
    }
    source.seriesOf[number] = UInt32(id + 1) | (isPaid ? TableSource.paid : 0)
    source.seen[number] = .init(first: 0, second: 0)
    return true
  }

  /// Parts a record that its worker has forgotten from its series; a series without records leaves.
  mutating func unlink(_ number: Int, _ source: TableSource) {
    let entry = source.seriesOf[number]
    source.seriesOf[number] = 0
    source.seen[number] = .init(first: 0, second: 0)
    if entry == 0 { return }
    let id = Int(entry & ~TableSource.paid) - 1
    if entry & TableSource.paid != 0 {
      series[id].paidRecords -= 1
      if series[id].paidRecords == 0 { budget.release() }
    }
    series[id].records -= 1
    if series[id].records > 0 { return }
    if pins == 0 && !isUnshared(id) { remove(id) } else { departed.append(SeriesID(id)) }
  }

  /// Asks the table's owner to forget records whose series have not changed for their time to live; a part of the table each time.
  func condemnIdle(_ source: TableSource, epoch: UInt64) {
    if condemnDismissed(source) { return }
    if settings.seriesTTL == nil && settings.counterTTL == nil { return }
    let made = source.memory.recordsInUse.load(ordering: .relaxed)
    if made == 0 || source.memory.hasCondemned { return }
    var idle: [UInt32] = []
    // A sixtieth of the table each time, so that all of it is looked at about once a minute.
    for _ in 0..<min(made, max(4_096, made / 60)) {
      source.sweep = source.sweep + 1 < made ? source.sweep + 1 : 0
      let entry = source.seriesOf[source.sweep]
      if entry == 0 { continue }
      let id = Int(entry & ~TableSource.paid) - 1
      let series = series[id]
      let ttl = series.kind == .counter || series.kind == .event ? settings.counterTTL : settings.seriesTTL
      guard let ttl, second - Int64(series.changed) > ttl, !isUnshared(id) else { continue }
      idle.append(UInt32(source.sweep))
      if idle.count == TableMemory.condemnedLimit { break }
    }
    if !idle.isEmpty { _ = source.memory.condemn(idle, since: epoch) }
  }

  /// Removes series that have no records any more, once nobody walks over them and others were told of them.
  mutating func removeDeparted() {
    if departed.isEmpty || pins > 0 { return }
    var waiting: [SeriesID] = []
    for id in departed where series[Int(id)].records == 0 && series[Int(id)].isLive {
      if isUnshared(Int(id)) { waiting.append(id) } else { remove(Int(id)) }
    }
    departed = waiting
  }

  private mutating func remove(_ id: Int) {
    keepDeparture(id)
    let leaving = series[id]
    // Safe: the text is live until it is given back below.
    let hash = unsafe hashOf(texts.text(leaving.spelling, length: Int(leaving.spellingLength)), leaving.kind)
    seriesIndex.remove(id, hash: hash)
    texts.remove(leaving.spelling, length: Int(leaving.spellingLength))
    let family = Int(leaving.family)
    if leaving.previous == 0 {
      families[family].first = leaving.next
    } else {
      series[Int(leaving.previous) - 1].next = leaving.next
    }
    if leaving.next == 0 {
      families[family].last = leaving.previous
    } else {
      series[Int(leaving.next) - 1].previous = leaving.previous
    }
    families[family].seriesCount -= 1
    seriesByKind[Int(leaving.kind.rawValue)] -= 1
    switch leaving.kind {
    case .timer, .histogram, .distribution: timers.remove(Int(leaving.whole), leaving: TimerState())
    case .set: sets.remove(Int(leaving.whole), leaving: SetState())
    default: break
    }
    series[id].isLive = false
    if sharing.isOn { sharing.series.forget(id) }
    generation &+= 1
    if families[family].busiest != 0 { busiestSeries[Int(families[family].busiest) - 1].remove(SeriesID(id)) }
    history.remove(.series(SeriesID(id)))
    seriesBases[SeriesID(id)] = nil
    freeSeries.append(SeriesID(id))
    if families[family].seriesCount == 0 { removeFamily(family) }
  }

  private mutating func removeFamily(_ id: Int) {
    let leaving = families[id]
    familyIndex.remove(id, hash: hashOf(name(of: FamilyID(id)), leaving.kind))
    texts.remove(leaving.name, length: Int(leaving.nameLength))
    if leaving.previous == 0 {
      firstFamilyLink = leaving.next
    } else {
      families[Int(leaving.previous) - 1].next = leaving.next
    }
    if leaving.next == 0 {
      lastFamilyLink = leaving.previous
    } else {
      families[Int(leaving.next) - 1].previous = leaving.previous
    }
    families[id].isLive = false
    if sharing.isOn { sharing.forget(family: FamilyID(id)) }
    // What the family gathered meanwhile must not come in the name of the next one with its number.
    settleFamilies()
    history.remove(.family(FamilyID(id)))
    familyBases[FamilyID(id)] = nil
    freeFamilies.append(FamilyID(id))
    familyChanges.append(.left(FamilyID(id)))
  }

  private mutating func make(_ spelling: UnsafeRawBufferPointer, _ hash: UInt64, _ kind: SampleKind) -> Int? {
    // Series that have left but are pinned keep their places, so that the records may outnumber what is free.
    if freeSeries.isEmpty && seriesMade == series.capacity { return nil }
    let name = unsafe SeriesSpelling.plainName(of: Array(spelling))
    guard let text = unsafe texts.add(spelling), let family = findFamily(name, kind) ?? makeFamily(name, kind) else {
      return nil
    }
    let id = freeSeries.popLast().map(Int.init) ?? seriesMade
    if id == seriesMade { seriesMade += 1 }
    let last = families[Int(family)].last
    series[id] = Series(
      whole: 0, fraction: 0, spelling: text, spellingLength: UInt16(spelling.count), records: 0, paidRecords: 0,
      isLive: true,
      kind: kind, family: family, next: 0, previous: last, changed: UInt32(truncatingIfNeeded: second))
    switch kind {
    case .timer, .histogram, .distribution: series[id].whole = Int64(timers.add(TimerState()))
    case .set: series[id].whole = Int64(sets.add(SetState()))
    default: break
    }
    if last == 0 { families[Int(family)].first = UInt32(id + 1) } else { series[Int(last) - 1].next = UInt32(id + 1) }
    families[Int(family)].last = UInt32(id + 1)
    families[Int(family)].seriesCount += 1
    seriesByKind[Int(kind.rawValue)] += 1
    seriesIndex.insert(id, hash: hash)
    keepArrival(id)
    return id
  }

  private mutating func makeFamily(_ name: [UInt8], _ kind: SampleKind) -> FamilyID? {
    guard let text = unsafe name.withUnsafeBytes({ unsafe texts.add($0) }) else { return nil }
    let id = freeFamilies.popLast().map(Int.init) ?? familiesMade
    if id == familiesMade { familiesMade += 1 }
    families[id] = Family(
      name: text, nameLength: UInt16(name.count), isLive: true, kind: kind, next: 0, previous: lastFamilyLink, first: 0,
      last: 0,
      seriesCount: 0, changed: UInt32(truncatingIfNeeded: second), whole: 0, fraction: 0, sum: 0)
    if lastFamilyLink == 0 {
      firstFamilyLink = UInt32(id + 1)
    } else {
      families[Int(lastFamilyLink) - 1].next = UInt32(id + 1)
    }
    lastFamilyLink = UInt32(id + 1)
    familyIndex.insert(id, hash: hashOf(name, kind))
    familyChanges.append(.appeared(FamilyID(id)))
    return FamilyID(id)
  }

  func findFamily(_ name: [UInt8], _ kind: SampleKind) -> FamilyID? {
    let hash = hashOf(name, kind)
    var place = familyIndex.home(of: hash)
    while true {
      let id = familyIndex.probe(place, for: hash)
      if id == -2 { return nil }
      // Safe: the texts of live families are whole.
      if id >= 0, families[id].kind == kind, Int(families[id].nameLength) == name.count,
        unsafe texts.text(families[id].name, length: name.count).elementsEqual(name)
      {
        return FamilyID(id)
      }
      place = familyIndex.next(after: place)
    }
  }

  func find(_ spelling: UnsafeRawBufferPointer, _ hash: UInt64, _ kind: SampleKind) -> Int? {
    var place = seriesIndex.home(of: hash)
    while true {
      let id = seriesIndex.probe(place, for: hash)
      if id == -2 { return nil }
      // Safe: the texts of live series are whole.
      if id >= 0, series[id].kind == kind, Int(series[id].spellingLength) == spelling.count,
        unsafe texts.text(series[id].spelling, length: spelling.count).elementsEqual(spelling)
      {
        return id
      }
      place = seriesIndex.next(after: place)
    }
  }

  func hashOf(_ spelling: UnsafeRawBufferPointer, _ kind: SampleKind) -> UInt64 {
    unsafe withUnsafeTemporaryAllocation(byteCount: spelling.count + 40, alignment: 8) { room in
      // Safe: the copy is padded for the hash's loads.
      unsafe room.copyMemory(from: spelling)
      return unsafe hasher.hash(UnsafeRawPointer(room.baseAddress!), count: spelling.count, salt: UInt64(kind.rawValue))
    }
  }

  private func hashOf(_ text: [UInt8], _ kind: SampleKind) -> UInt64 {
    unsafe text.withUnsafeBytes { unsafe hashOf($0, kind) }
  }
}
