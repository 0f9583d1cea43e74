import Protocol

/// A series or a metric whose own counts other agents are told of, for as long as it lives.
package struct SharedOwner: Hashable, Sendable {
  /// As a ticket: no two owners of a run have the same, whatever ids are used again.
  package let ticket: UInt64

  package init(ticket: UInt64) { self.ticket = ticket }
}

/// What is told to other agents, and what they tell.
extension MergedView {
  /// From now on changes are noted for `nextToShare`, beginning with everything there is.
  package mutating func shareChanges() {}

  /// Owners that wait for `nextToShare`.
  package var waitingToShare: Int { 0 }
  /// Those, and the ones that are under way or were not shared.
  package var unshared: Int { 0 }

  /// The next that has changed, which is under way from now on.
  package mutating func nextToShare() -> SharedOwner? { nil }

  /// All that is to be written of an owner, as it is now: a total, and of a metric what history has got since it was last shared.
  package mutating func writes(of owner: SharedOwner) -> [SharedWrite] { [] }

  /// All writes of an owner are done: it waits again only if it has changed meanwhile.
  package mutating func markShared(_ owner: SharedOwner) {}

  /// Some write of an owner was not done: it waits for `retryUnshared`.
  package mutating func markUnshared(_ owner: SharedOwner) {}

  /// What was not shared waits again.
  package mutating func retryUnshared() {}

  /// Everything waits, changed or not.
  package mutating func shareAll() {}

  /// An owner waits, changed or not: a reset elsewhere is to be learned of.
  package mutating func share(_ key: SharedKey) {}

  /// Raises an owner's total by what the store has more of it than was known when it began to count.
  package mutating func raise(_ owner: SharedOwner, _ key: SharedKey, to total: SharedNumber, base: SharedNumber) {}

  /// Takes over a base that another agent's reset has set.
  package mutating func rebase(_ owner: SharedOwner, _ key: SharedKey, base: SharedNumber) {}

  /// The key of a series; nil for a kind that is not shared.
  package func sharedKey(of id: SeriesID) -> SharedKey? { nil }
  /// The key of a metric; nil for a kind that is not shared.
  package func sharedKey(ofFamily id: FamilyID, _ part: SharedKey.Part = .total) -> SharedKey? { nil }

  /// What a counter has counted, and what its last reset has set.
  package func shared(_ id: SeriesID) -> (total: SharedNumber, base: SharedNumber) { (.zero, .zero) }
  /// The same of all of a metric.
  package func shared(family id: FamilyID) -> (total: SharedNumber, base: SharedNumber) { (.zero, .zero) }
}
