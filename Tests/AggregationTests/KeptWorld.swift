import Protocol
import Testing

@testable import Aggregation

extension World {
  /// Takes a payload back.
  func restore(_ payload: [UInt8], second: Int64, wall: Int64) {
    workers[workers.count - 1].withTable { view.restore(payload, into: &$0, second: second, wall: wall) }
  }

  // Copies, since the checks of the tests take no view apart.
  var restoreTally: RestoreTally { view.restoreTally }
  var wantsSnapshot: Bool { view.wantsSnapshot }
  var hasChanges: Bool { view.hasChanges }
  var seriesCount: Int { view.seriesCount }
  var familyCount: Int { view.familyCount }
  func count(of name: String) -> Int64? {
    view.family(named: Array(name.utf8), kind: .counter).flatMap { view.countSinceReset(family: $0).whole }
  }

  /// Everything that has changed, as payloads.
  func encodeBatch() -> [JournalPayload] {
    var payloads: [JournalPayload] = []
    while let payload = view.encodeChanges() { payloads.append(payload) }
    return payloads
  }

  /// What a snapshot still has to tell, one slice and those that belong to it.
  func encodeSlice() -> [JournalPayload] {
    var payloads: [JournalPayload] = []
    repeat {
      guard let payload = view.encodeSnapshot() else { break }
      payloads.append(payload)
    } while view.isWithinSlice
    return payloads
  }

  /// Windows to ask for, in seconds.
  private static let windows: [Int64] = [60, 600, 3_600, 86_400, 7 * 86_400]

  /// All that anybody can ask of the view, in words: two views with the same facts are the same to their readers.
  /// - Parameter looksBack: what is asked of windows belongs to it. Where the time of day has jumped, some of them are kept more finely by
  ///   one that was restored; then there is the longest window of counts alone.
  func facts(wall: Int64, looksBack: Bool = true) -> [String: String] {
    var facts: [String: String] = [:]
    for (name, id) in series {
      let one = view.series(id)
      facts[name] = account(of: id, one, wall: wall, looksBack: looksBack)
    }
    var family = view.firstFamily
    while let id = family {
      let one = view.family(id)
      let name = "metric \(one.kind.label) " + String(decoding: view.name(of: id), as: UTF8.self)
      var text =
        "\(Self.text(one.total)) sum \(Self.rounded(one.sum)) since \(Self.text(view.countSinceReset(family: id)))"
      for window in looksBack ? Self.windows : Array(Self.windows.suffix(1)) {
        let counts = HistorySpan.start(ofCounts: window, before: wall)
        let sketches = HistorySpan.start(ofSketches: window, before: wall)
        text += " | \(window): \(Self.text(view.recent(ofFamily: id, from: counts)))"
        if one.kind.isTimer, looksBack {
          var sketch = Sketch()
          view.addSketch(ofFamily: id, from: sketches, to: &sketch)
          text += " \(Self.text(sketch))"
        } else if one.kind == .set, looksBack {
          var ranks = HyperLogLog.Ranks()
          view.addMembers(ofFamily: id, from: sketches, to: &ranks)
          text += " \(ranks.cardinality)"
        }
      }
      facts[name] = text
      family = view.family(after: id)
    }
    return facts
  }

  private func account(of id: SeriesID, _ one: Series, wall: Int64, looksBack: Bool) -> String {
    var text: String
    switch one.kind {
    case .counter, .event: text = "\(Self.text(one.total)) since \(Self.text(view.countSinceReset(id)))"
    case .gauge, .serviceCheck: text = "\(Self.rounded(one.gauge))"
    case .timer, .histogram, .distribution:
      let timer = view.timer(one)
      text = "\(Self.rounded(timer.count)) \(Self.rounded(timer.sum)) \(timer.bounds.map(Self.rounded))"
      if looksBack { text += " recent \(Self.text(view.recentSketch(one)))" }
    case .set: text = looksBack ? "\(cardinality(one))" : ""
    }
    for window in looksBack ? Self.windows : Array(Self.windows.suffix(1)) {
      let counts = HistorySpan.start(ofCounts: window, before: wall)
      let sketches = HistorySpan.start(ofSketches: window, before: wall)
      text += " | \(window): \(Self.text(view.recent(of: id, from: counts)))"
      if one.kind.isTimer, looksBack {
        var sketch = Sketch()
        view.addSketch(of: id, from: sketches, to: &sketch)
        text += " \(Self.text(sketch))"
      } else if one.kind == .set, looksBack {
        var ranks = HyperLogLog.Ranks()
        view.addMembers(of: id, from: sketches, to: &ranks)
        text += " \(ranks.cardinality)"
      }
    }
    return text
  }

  /// To nine digits: sums of fractions differ with the order in which they were added.
  private static func rounded(_ value: Double) -> String {
    if value == 0 || value.magnitude < 1e-9 { return "0" }
    var scale = 1.0
    while (value * scale).magnitude < 1e8 { scale *= 10 }
    return "\(((value * scale).rounded() / scale))"
  }

  private static func text(_ total: (whole: Int64?, value: Double)) -> String { rounded(total.value) }

  private static func text(_ amount: HistoryAmount?) -> String {
    guard let amount else { return "0" }
    return amount.sum == 0 ? rounded(amount.count.value) : "\(rounded(amount.count.value)) sum \(rounded(amount.sum))"
  }

  private static func text(_ sketch: Sketch) -> String {
    if sketch.isEmpty { return "none" }
    let quantiles = [0.0, 0.25, 0.5, 0.9, 1].map { rounded(sketch.quantile($0) ?? .nan) }
    return "\(rounded(sketch.count)) \(quantiles)"
  }
}

/// Where two sets of facts differ.
func difference(_ found: [String: String], _ wanted: [String: String]) -> [String] {
  Set(found.keys).union(wanted.keys).sorted().filter { found[$0] != wanted[$0] }.map {
    "\($0)\n  is     \(found[$0] ?? "not there")\n  should \(wanted[$0] ?? "not be there")"
  }
}
