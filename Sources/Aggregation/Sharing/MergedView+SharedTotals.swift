import Protocol

/// Totals and bases that agents tell each other of.
extension MergedView {
  /// What a counter has counted, and what its last reset has set.
  /// - Parameter earlier: what the store has of it from an earlier run. As far as that is more than was known, it is in the total though
  ///   it is taken over only with the first write.
  package func shared(
    _ id: SeriesID, earlier: SharedNumber? = nil
  ) -> (total: SharedNumber, base: SharedNumber) {
    let total = SharedNumber(total(Int(id))) + more(earlier, than: sharing.series.claim(Int(id)))
    return (total, SharedNumber(seriesBases[id] ?? Total()))
  }

  /// The same of all of a metric.
  package func shared(
    family id: FamilyID, earlier: SharedNumber? = nil
  ) -> (total: SharedNumber, base: SharedNumber) {
    let total = SharedNumber(total(family: Int(id))) + more(earlier, than: sharing.families.claim(Int(id)))
    return (total, SharedNumber(familyBases[id] ?? Total()))
  }

  /// What a counter has counted without what was taken over from the store: it grows by what is counted here alone.
  package func countedHere(_ id: SeriesID) -> SharedNumber {
    SharedNumber(total(Int(id))) - SharedNumber(sharing.series.adopted(Int(id)))
  }

  /// - Parameter known: looked at only while there is something to compare it with.
  private func more(_ earlier: SharedNumber?, than known: @autoclosure () -> Total?) -> SharedNumber {
    guard sharing.isOn, let earlier, let known = known().map({ SharedNumber($0) }), known < earlier else {
      return .zero
    }
    return earlier - known
  }

  func total(_ id: Int) -> Total { Total(whole: series[id].whole, fraction: series[id].fraction) }

  func total(family id: Int) -> Total { Total(whole: families[id].whole, fraction: families[id].fraction) }

  /// Raises an owner's total by what the store has more of it than was known when it began to count.
  ///
  /// History does not hear of it, since nobody knows when that was counted. A series' metric neither, nor of the base: it claims both for
  /// itself.
  package mutating func raise(_ owner: SharedOwner, _ key: SharedKey, to total: SharedNumber, base: SharedNumber) {
    guard isLive(owner, key) else { return }
    let id = Int(owner.id)
    var more = Total()
    if let known = sharing.claim(owner).map({ SharedNumber($0) }), known < total {
      generation &+= 1
      more = Total(total - known)
      if owner.isFamily {
        (families[id].whole, families[id].fraction) = Self.add(
          (families[id].whole, families[id].fraction), more.whole, more.fraction)
      } else {
        raise(id, more, base: Total(base))
        keepRaise(id, more, base: seriesBases[owner.id] ?? Total())
      }
    }
    sharing.settleClaim(owner, adopted: more)
    sharing.mark(owner)
    rebase(owner, key, base: base)
  }

  /// Raises a series' total, and its base to `base` if that is smaller, and nothing else.
  mutating func raise(_ id: Int, _ more: Total, base: Total) {
    (series[id].whole, series[id].fraction) = Self.add(
      (series[id].whole, series[id].fraction), more.whole, more.fraction)
    if SharedNumber(seriesBases[SeriesID(id)] ?? Total()) < SharedNumber(base) {
      seriesBases[SeriesID(id)] = base
      forgetBusiest(of: series[id].family)
    }
    noteCount(id, hasGrown: true)
  }

  /// Takes over a base that another agent's reset has set.
  package mutating func rebase(_ owner: SharedOwner, _ key: SharedKey, base: SharedNumber) {
    guard isLive(owner, key) else { return }
    if owner.isFamily {
      guard SharedNumber(familyBases[owner.id] ?? Total()) < base else { return }
      familyBases[owner.id] = Total(base)
      generation &+= 1
      noteShared(family: Int(owner.id))
    } else if SharedNumber(seriesBases[owner.id] ?? Total()) < base {
      setBase(owner.id, Total(base))
    }
  }

  /// Whether an owner lives and has this key.
  private func isLive(_ owner: SharedOwner, _ key: SharedKey) -> Bool {
    if !sharing.isOn || !sharing.isCurrent(owner) { return false }
    if owner.isFamily {
      return Int(owner.id) < familiesMade && families[Int(owner.id)].isLive && sharedKey(ofFamily: owner.id) == key
    }
    return isLive(owner.id) && sharedKey(of: owner.id) == key
  }
}

extension Total {
  init(_ number: SharedNumber) {
    switch number {
    case .whole(let whole): self.init(whole: whole)
    case .real(let real):
      // In parts as a counter has them, so that what is equal differs by nothing.
      let whole = real.magnitude < 0x1p53 ? Int64(real) : 0
      self.init(whole: whole, fraction: real - Double(whole))
    }
  }
}

extension SharedNumber {
  init(_ total: Total) { self.init(whole: total.whole, fraction: total.fraction) }
}
