import Aggregation
import Protocol

/// What could be had of the shared store for one answer.
struct SharedParts {
  private let holdings: [SharedKey: SharedHolding]
  /// Parts that were asked for and could not be had: sums are too small by what they hold.
  let missing: Int

  /// - Parameter keys: all that was asked for, each once.
  init(_ replies: SharedReplies, of keys: [SharedKey]) {
    var holdings: [SharedKey: SharedHolding] = [:]
    for key in keys {
      if case .holding(let holding, _) = replies[key] { holdings[key] = holding }
    }
    self.holdings = holdings
    missing = keys.count - holdings.count
  }

  /// What all agents have counted since their resets, of which this one knows its own better, if it has the metric.
  func total(_ kind: SampleKind, _ metric: [UInt8], own family: FamilyID?, _ view: borrowing MergedView) -> SharedNumber
  {
    guard
      case .total(let others, let stored, let storedBase, _, let isOfRun) = holdings[SharedKey(kind, metric: metric)]
    else {
      guard let family else { return .zero }
      let own = view.shared(family: family)
      return own.total - own.base
    }
    let earlier = isOfRun ? nil : stored
    let (total, base) = family.map { view.shared(family: $0, earlier: earlier) } ?? (stored ?? .zero, storedBase)
    return others + total - (base < storedBase ? storedBase : base)
  }

  /// Whether any agent has a total, or has members or samples of the window.
  func has(_ kind: SampleKind, _ metric: [UInt8], _ span: SharedSpan) -> Bool {
    switch kind {
    case .counter, .event: return hasTotal(kind, metric)
    case .timer, .histogram, .distribution:
      var samples = Sketch()
      addSamples(kind, metric, span, to: &samples)
      return !samples.isEmpty
    case .set:
      var members = HyperLogLog.Ranks()
      addMembers(metric, span, to: &members)
      return members.cardinality > 0
    case .gauge, .serviceCheck: return false
    }
  }

  private func hasTotal(_ kind: SampleKind, _ metric: [UInt8]) -> Bool {
    guard case .total(_, let own, _, let agents, _) = holdings[SharedKey(kind, metric: metric)] else { return false }
    return agents > 0 || own != nil
  }

  /// Calls `body` with the second at which each place begins, and what others have counted in it.
  func forEachCount(
    _ kind: SampleKind, _ metric: [UInt8], in parts: [SharedKey.Part], from start: Int64,
    _ body: (Int64, SharedNumber) -> Void
  ) {
    for part in parts {
      guard case .counts(let counts) = holdings[SharedKey(kind, metric: metric, part)] else { continue }
      for (place, count) in counts {
        if let second = part.second(ofPlace: place), second >= start { body(second, count) }
      }
    }
  }

  /// Adds a set's members, those of all agents.
  func addMembers(_ metric: [UInt8], _ span: SharedSpan, to members: inout HyperLogLog.Ranks) {
    for part in span.members {
      guard case .members(let bytes) = holdings[SharedKey(.set, metric: metric, part)] else { continue }
      // What is no HyperLogLog has no members.
      _ = members.merge(redis: bytes)
    }
  }

  /// Adds others' samples of a timer.
  func addSamples(_ kind: SampleKind, _ metric: [UInt8], _ span: SharedSpan, to sketch: inout Sketch) {
    for part in span.samples {
      if case .samples(let samples) = holdings[SharedKey(kind, metric: metric, part)] { sketch.merge(samples) }
    }
  }
}
