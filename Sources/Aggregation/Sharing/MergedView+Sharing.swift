import Protocol

/// A series or a metric whose own counts other agents are told of, for as long as it lives.
package struct SharedOwner: Hashable, Sendable {
  /// As a ticket: no two owners of a run have the same, whatever ids are used again.
  package let ticket: UInt64

  init(ticket: UInt64) { self.ticket = ticket }
}

/// What is told to other agents: whose turn it is.
extension MergedView {
  /// Seconds of history that are told anew with everything.
  private static let retoldSeconds: Int64 = 7_200
  /// Seconds of members and samples that are told after a start.
  private static let firstToldSeconds: Int64 = 10_800

  /// From now on changes are noted for `nextToShare`, beginning with everything there is.
  /// - Complexity: O(series and families).
  package mutating func shareChanges() {
    sharing.begin()
    for id in 0..<seriesMade where series[id].isLive && series[id].kind.isCounted {
      sharing.series.know(total(id), of: id)
    }
    let start = HistoryClock.clamped(wall - Self.firstToldSeconds)
    for id in 0..<familiesMade where families[id].isLive {
      sharing.begin(FamilyID(id), valuesFrom: start)
      if families[id].kind.isCounted { sharing.families.know(total(family: id), of: id) }
    }
    shareAll()
  }

  /// Owners that wait for `nextToShare`.
  package var waitingToShare: Int { sharing.series.waitingCount + sharing.families.waitingCount }
  /// Those, and the ones that are under way or were not shared.
  package var unshared: Int { sharing.series.uncleanCount + sharing.families.uncleanCount }

  /// The next that has changed, which is under way from now on.
  package mutating func nextToShare() -> SharedOwner? { sharing.next() }

  /// All writes of an owner are done: it waits again only if it has changed meanwhile.
  package mutating func markShared(_ owner: SharedOwner) {
    if sharing.isUnderWay(owner) { sharing.settle(owner) }
  }

  /// Some write of an owner was not done: it waits for `retryUnshared`.
  package mutating func markUnshared(_ owner: SharedOwner) {
    if sharing.isUnderWay(owner) { sharing.park(owner) }
  }

  /// What was not shared waits again.
  /// - Complexity: O(1).
  package mutating func retryUnshared() {
    sharing.series.retry()
    sharing.families.retry()
  }

  /// Everything waits, changed or not, with the history of the last hours.
  /// - Complexity: O(series and families), about 2 ns each.
  package mutating func shareAll() {
    if !sharing.isOn { return }
    for id in 0..<seriesMade where series[id].isLive && series[id].kind.isCounted { sharing.series.mark(id) }
    let start = HistoryClock.clamped(wall - Self.retoldSeconds)
    for id in 0..<familiesMade where families[id].isLive && families[id].kind.isShared {
      sharing.lower(FamilyID(id), to: start)
      sharing.families.mark(id)
    }
  }

  // MARK: Marks

  /// A counter has changed.
  @inline(__always)
  mutating func noteShared(_ id: Int, _ family: Int) {
    if sharing.isOn { sharing.mark(id, family) }
  }

  /// A metric has changed.
  @inline(__always)
  mutating func noteShared(family: Int) {
    if sharing.isOn { sharing.families.mark(family) }
  }

  /// The same, at a second that may have been told.
  mutating func noteShared(family: FamilyID, late second: UInt32) {
    if !sharing.isOn { return }
    sharing.addLate(second, to: family)
    sharing.families.mark(Int(family))
  }

  /// Whether a series has to stay until others were told of it, or of its metric, which would leave with it.
  func isUnshared(_ id: Int) -> Bool {
    if !sharing.isOn { return false }
    let family = Int(series[id].family)
    return sharing.series.isUnclean(id) || families[family].seriesCount == 1 && sharing.families.isUnclean(family)
  }
}

extension SampleKind {
  /// Whether its series have totals that people reset.
  var isCounted: Bool { self == .counter || self == .event }

  /// Whether other agents are told of its metrics.
  var isShared: Bool { self != .gauge && self != .serviceCheck }
}
