import Protocol

/// What is written of an owner.
///
///     series      total
///     counters    total, hours, minutes       of hours and minutes those since the metric was last told of, each whole,
///     timers      hours, minutes, samples     and hours of days ago in which something was counted late;
///     sets        members                     of samples and members the hours
///
/// The first time after a start it is all hours and minutes, but of samples and members, which take up to 12 KB an hour, the last 3 hours:
/// what this agent had written before it ended is there. What it could not write of them in earlier hours stays its own.
/// - Complexity: at most 8 writes of hours, 25 of minutes, and one of samples or members for each hour since, mostly one or two.
extension MergedView {
  /// All that is to be written of an owner, as it is now: a total, and of a metric what history has got since it was last shared.
  package mutating func writes(of owner: SharedOwner) -> [SharedWrite] {
    if !sharing.isUnderWay(owner) { return [] }
    let id = owner.id
    guard let key = owner.isFamily ? sharedKey(ofFamily: id) : sharedKey(of: id) else { return [] }
    var writes: [SharedWrite] = []
    if key.kind.isCounted {
      let (total, base) = owner.isFamily ? shared(family: id) : shared(id)
      let known = sharing.claim(owner).map { SharedNumber($0) }
      writes.append(SharedWrite(key, .total(total, base: base, known: known), ticket: owner.ticket))
    }
    if owner.isFamily { addHistory(key, id, owner.ticket, to: &writes) }
    return writes
  }

  private mutating func addHistory(
    _ key: SharedKey, _ id: FamilyID, _ ticket: UInt64, to writes: inout [SharedWrite]
  ) {
    let stretch = sharing.takeHistory(of: id, now: history.clock.wall)
    guard let entry = history.entry(of: .family(id)) else { return }
    func add(_ part: SharedKey.Part, _ value: SharedWrite.Value) {
      writes.append(SharedWrite(SharedKey(key, part), value, ticket: ticket))
    }
    if key.kind == .set {
      for (hour, members) in members(of: entry, in: stretch) { add(.members(hour: hour), .members(members.bytes)) }
      return
    }
    var tally = SharedTally(of: stretch, wall: wall)
    history.forEachPoint(of: entry, from: stretch.start) { tally.add($1, at: $0) }
    for (day, counts) in SharedTally.grouped(tally.hours, by: 24) { add(.hours(day: day), .counts(counts)) }
    for (hour, counts) in SharedTally.grouped(tally.minutes, by: 60) { add(.minutes(hour: hour), .counts(counts)) }
    if !key.kind.isTimer { return }
    for (hour, sketch) in sketches(of: entry, in: stretch) {
      var samples = SharedSamples(sketch)
      samples.sum = tally.hours[hour]?.sum ?? 0
      add(.samples(hour: hour), .samples(samples))
    }
  }

  /// A set's members by hour.
  private func members(of entry: HistoryEntry, in stretch: HistoryStretch) -> [(Int64, HyperLogLog)] {
    var hours: [Int64: HyperLogLog.Ranks] = [:]
    history.forEachBlob(of: entry, where: { stretch.hasValues(ofHour: $0 / 3_600) }) { second, bytes in
      HyperLogLog.Members.forEach(bytes) { hours[second / 3_600, default: .init()].raise($0, to: $1) }
    }
    return hours.sorted { $0.key < $1.key }.map { ($0.key, HyperLogLog($0.value)) }
  }

  /// A timer's samples by hour.
  private func sketches(of entry: HistoryEntry, in stretch: HistoryStretch) -> [(Int64, Sketch)] {
    var hours: [Int64: Sketch] = [:]
    history.forEachBlob(of: entry, where: { stretch.hasValues(ofHour: $0 / 3_600) }) { second, bytes in
      hours[second / 3_600, default: Sketch()].merge(Sketch(bytes: bytes))
    }
    return hours.sorted { $0.key < $1.key }
  }
}

/// Counts of a metric by hour and by minute since 1970.
private struct SharedTally {
  private(set) var hours: [Int64: HistoryAmount] = [:]
  private(set) var minutes: [Int64: HistoryAmount] = [:]
  private let stretch: HistoryStretch
  private let firstMinute: Int64

  /// - Parameter wall: now; minutes are those of a day back at most.
  init(of stretch: HistoryStretch, wall: Int64) {
    self.stretch = stretch
    firstMinute = wall / 60 - HistorySpan.minutes
  }

  mutating func add(_ amount: HistoryAmount, at second: Int64) {
    let (hour, minute) = (second / 3_600, second / 60)
    if stretch.hasCounts(ofHour: hour) { hours[hour, default: .init()].add(amount) }
    if minute >= firstMinute && stretch.hasCounts(ofMinute: minute) { minutes[minute, default: .init()].add(amount) }
  }

  /// Counts by the larger time that so many of them make, in order.
  static func grouped(
    _ amounts: [Int64: HistoryAmount], by size: Int64
  ) -> [(Int64, [(place: Int, count: SharedNumber)])] {
    var groups: [Int64: [(place: Int, count: SharedNumber)]] = [:]
    for (time, amount) in amounts.sorted(by: { $0.key < $1.key }) {
      let count = SharedNumber(whole: amount.whole, fraction: amount.fraction)
      groups[time / size, default: []].append((Int(time % size), count))
    }
    return groups.sorted { $0.key < $1.key }
  }
}
