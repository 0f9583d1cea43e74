/// An agent's first write of a total in a run claims the place of what it wrote in earlier ones: it says what the agent knows of them.
///
///     open ──▶ sent ──▶ sent again ──▶ settled
///
/// Nobody knows whether a write that got no answer was done. So until one gets its answer, all say the same total: if the store has just that,
/// it is this run's own, and nothing is missing.
extension ShareMarks {
  private enum Claim: UInt8 {
    case open, sent, sentAgain, settled
  }

  private func claim(_ id: Int) -> Claim { Claim(rawValue: claims[id]) ?? .open }

  /// What is to be written of an owner with this total: nil for `known` once that is settled.
  mutating func claim(_ id: Int, _ total: Total) -> (total: Total, known: Total?) {
    switch claim(id) {
    case .settled: return (total, nil)
    case .open:
      sent[total: id] = total
      claims[id] = Claim.sent.rawValue
    case .sent, .sentAgain: claims[id] = Claim.sentAgain.rawValue
    }
    return (sent[total: id], known[total: id])
  }

  /// All of an owner with this total is written. What came after its claim was first made is still to be told.
  mutating func settleClaim(_ id: Int, _ total: Total) {
    let claim = claim(id)
    if claim == .settled { return }
    claims[id] = Claim.settled.rawValue
    if claim != .open, sent[total: id] != total { mark(id) }
  }

  /// The store has this total of an owner.
  /// - Returns: what is known of it, if there may be more; nil if the claim is settled, or the store has what this run has written.
  mutating func found(_ id: Int, _ stored: SharedNumber) -> SharedNumber? {
    let claim = claim(id)
    claims[id] = Claim.settled.rawValue
    let isOwn = claim == .sentAgain && SharedNumber(sent[total: id]) == stored
    return claim == .settled || isOwn ? nil : SharedNumber(known[total: id])
  }
}

extension SharedNumber {
  init(_ total: Total) { self.init(whole: total.whole, fraction: total.fraction) }
}
