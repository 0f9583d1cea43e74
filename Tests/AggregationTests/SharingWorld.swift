import Protocol

@testable import Aggregation

/// What a store holds of one agent, by key.
struct HeldByStore {
  var totals: [SharedKey: (total: SharedNumber, base: SharedNumber)] = [:]
  var counts: [SharedKey: [Int: SharedNumber]] = [:]
  var members: [SharedKey: HyperLogLog.Ranks] = [:]
  var samples: [SharedKey: SharedSamples] = [:]

  mutating func apply(_ write: SharedWrite) {
    switch write.value {
    case .total(let total, let base, _): totals[write.key] = (total, base)
    case .counts(let counts): for one in counts { self.counts[write.key, default: [:]][one.place] = one.count }
    case .members(let bytes): precondition(members[write.key, default: .init()].merge(redis: bytes))
    case .samples(let samples): self.samples[write.key] = samples
    }
  }

  func total(_ key: SharedKey) -> SharedNumber? { totals[key]?.total }
}

extension World {
  // Copies, since the checks of the tests take no view apart.
  var waitingToShare: Int { view.waitingToShare }
  var unshared: Int { view.unshared }

  /// Tells a store of everything that waits.
  func share(to store: inout HeldByStore) {
    while let owner = view.nextToShare() {
      for write in view.writes(of: owner) { store.apply(write) }
      view.markShared(owner)
    }
  }

  /// Everything that waits, told.
  func sharedWrites() -> [SharedWrite] {
    var all: [SharedWrite] = []
    while let owner = view.nextToShare() {
      all += view.writes(of: owner)
      view.markShared(owner)
    }
    return all
  }

  /// The owner of this key, under way; whoever waits before it is told.
  func next(_ key: SharedKey) -> (owner: SharedOwner, writes: [SharedWrite])? {
    while let owner = view.nextToShare() {
      let writes = view.writes(of: owner)
      if writes.contains(where: { $0.key == key }) { return (owner, writes) }
      view.markShared(owner)
    }
    return nil
  }
}

extension SharedKey {
  static func metric(_ name: String, _ kind: SampleKind = .counter, _ part: Part = .total) -> SharedKey {
    SharedKey(kind, metric: name.utf8, part)
  }

  static func page(_ page: String) -> SharedKey {
    SharedKey(.counter, metric: "visit".utf8, labels: [(Array("page".utf8), Array(page.utf8))])
  }
}
