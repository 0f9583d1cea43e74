import Protocol

/// What is written of an owner.
///
///     series      total
///     counters    total, hours, minutes       of hours and minutes those since the metric was last told of, each whole
///     timers      hours, minutes, samples     of samples and members the hours
///     sets        members
///
/// - Complexity: at most 8 writes of hours, 25 of minutes and 170 of samples or members.
extension MergedView {
  /// All that is to be written of an owner, as it is now: a total, and of a metric what history has got since it was last shared.
  package mutating func writes(of owner: SharedOwner) -> [SharedWrite] {
    if !sharing.isUnderWay(owner) { return [] }
    let id = owner.id
    guard let key = owner.isFamily ? sharedKey(ofFamily: id) : sharedKey(of: id) else { return [] }
    var writes: [SharedWrite] = []
    if key.kind.isCounted {
      let base = SharedNumber((owner.isFamily ? familyBases[id] : seriesBases[id]) ?? Total())
      let (total, known) =
        owner.isFamily
        ? sharing.families.claim(Int(id), total(family: Int(id))) : sharing.series.claim(Int(id), total(Int(id)))
      writes.append(
        SharedWrite(
          key, .total(SharedNumber(total), base: base, known: known.map { SharedNumber($0) }), ticket: owner.ticket))
    }
    if owner.isFamily { addHistory(key, id, owner.ticket, to: &writes) }
    return writes
  }

  private mutating func addHistory(
    _ key: SharedKey, _ id: FamilyID, _ ticket: UInt64, to writes: inout [SharedWrite]
  ) {
    let start = Int64(sharing.takeHistory(of: id, now: history.clock.wall))
    guard let entry = history.entry(of: .family(id)) else { return }
    func add(_ part: SharedKey.Part, _ value: SharedWrite.Value) {
      writes.append(SharedWrite(SharedKey(key, part), value, ticket: ticket))
    }
    if key.kind == .set {
      for (hour, members) in members(of: entry, from: start) { add(.members(hour: hour), .members(members.bytes)) }
      return
    }
    var tally = SharedTally(from: start, wall: wall)
    history.forEachPoint(of: entry, from: start / 3_600 * 3_600) { tally.add($1, at: $0) }
    for (day, counts) in SharedTally.grouped(tally.hours, by: 24) { add(.hours(day: day), .counts(counts)) }
    for (hour, counts) in SharedTally.grouped(tally.minutes, by: 60) { add(.minutes(hour: hour), .counts(counts)) }
    if !key.kind.isTimer { return }
    for (hour, sketch) in sketches(of: entry, from: start) {
      var samples = SharedSamples(sketch)
      samples.sum = tally.hours[hour]?.sum ?? 0
      add(.samples(hour: hour), .samples(samples))
    }
  }

  /// A set's members by hour, those of all hours since one with `start`.
  private func members(of entry: HistoryEntry, from start: Int64) -> [(Int64, HyperLogLog)] {
    var hours: [Int64: HyperLogLog.Ranks] = [:]
    history.forEachBlob(of: entry, from: start / 3_600 * 3_600) { second, bytes in
      HyperLogLog.Members.forEach(bytes) { hours[second / 3_600, default: .init()].raise($0, to: $1) }
    }
    return hours.sorted { $0.key < $1.key }.map { ($0.key, HyperLogLog($0.value)) }
  }

  /// The same of a timer's samples.
  private func sketches(of entry: HistoryEntry, from start: Int64) -> [(Int64, Sketch)] {
    var hours: [Int64: Sketch] = [:]
    history.forEachBlob(of: entry, from: start / 3_600 * 3_600) { second, bytes in
      hours[second / 3_600, default: Sketch()].merge(Sketch(bytes: bytes))
    }
    return hours.sorted { $0.key < $1.key }
  }
}

/// Counts of a metric by hour and by minute since 1970.
private struct SharedTally {
  private(set) var hours: [Int64: HistoryAmount] = [:]
  private(set) var minutes: [Int64: HistoryAmount] = [:]
  private let firstMinute: Int64

  /// - Parameter start: the second from which minutes are wanted, of a day back at most.
  init(from start: Int64, wall: Int64) {
    firstMinute = max(start / 60, wall / 60 - HistorySpan.minutes)
  }

  mutating func add(_ amount: HistoryAmount, at second: Int64) {
    hours[second / 3_600, default: .init()].add(amount)
    if second / 60 >= firstMinute { minutes[second / 60, default: .init()].add(amount) }
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
