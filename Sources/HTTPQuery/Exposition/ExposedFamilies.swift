import Aggregation
import Protocol

/// Which families stand on the pages: of families whose names meet, the one that came first, and never one of the program's own names.
///
/// Each language has its own names, so a family can be missing in one and stand in the other.
struct ExposedFamilies {
  private let hasBuckets: Bool
  private var text = NameClaims()
  private var openMetrics = NameClaims()
  /// How often a family was found to be in conflict, or a series was left out of a page, by metric; of metrics beyond `metricLimit` under `__other__`.
  private(set) var conflicts: [[UInt8]: UInt64] = [:]

  /// Metrics that conflicts are counted for one by one: whoever sends names that meet can send many.
  private static let metricLimit = 1_000
  private static let otherMetrics = Array("__other__".utf8)

  /// Bytes that it takes, about.
  var byteCount: Int { text.byteCount + openMetrics.byteCount }

  init(hasBuckets: Bool) { self.hasBuckets = hasBuckets }

  /// Whether a family stands on a page.
  func contains(_ family: FamilyID, in language: ExpositionFormat.Language) -> Bool {
    language == .text ? text.contains(family) : openMetrics.contains(family)
  }

  /// Follows what the view says of its families.
  mutating func take(_ changes: [MergedView.FamilyChange], in view: borrowing MergedView) {
    // A family that has left has no name any more; if it also appeared here, nobody needs to know.
    var last: [FamilyID: Int] = [:]
    for (place, change) in changes.enumerated() {
      if case .left(let family) = change { last[family] = place }
    }
    for (place, change) in changes.enumerated() {
      switch change {
      case .appeared(let family):
        if let left = last[family], left > place { continue }
        if !add(family, in: view) { count(view.name(of: family)) }
      case .left(let family):
        for other in text.remove(family) where !isLeaving(other, after: place, last) {
          _ = Self.add(other, to: &text, .text, in: view, hasBuckets)
        }
        for other in openMetrics.remove(family) where !isLeaving(other, after: place, last) {
          _ = Self.add(other, to: &openMetrics, .openMetrics, in: view, hasBuckets)
        }
      }
    }
  }

  /// Notes that a series was left out of a page, because its labels had become those of an earlier one.
  mutating func countSeriesLeftOut(of metric: [UInt8]) { count(metric) }

  private func isLeaving(_ family: FamilyID, after place: Int, _ last: [FamilyID: Int]) -> Bool {
    last[family].map { $0 > place } ?? false
  }

  /// - Returns: false if the family is missing in a language.
  private mutating func add(_ family: FamilyID, in view: borrowing MergedView) -> Bool {
    let isInText = Self.add(family, to: &text, .text, in: view, hasBuckets)
    let isInOpenMetrics = Self.add(family, to: &openMetrics, .openMetrics, in: view, hasBuckets)
    return isInText && isInOpenMetrics
  }

  private static func add(
    _ family: FamilyID, to claims: inout NameClaims, _ language: ExpositionFormat.Language,
    in view: borrowing MergedView, _ hasBuckets: Bool
  ) -> Bool {
    let name = ExposedName(
      view.name(of: family), kind: view.family(family).kind, language: language, hasBuckets: hasBuckets)
    return !name.isReserved && claims.add(family, name)
  }

  private mutating func count(_ metric: [UInt8]) {
    let isKnown = conflicts[metric] != nil || conflicts.count < Self.metricLimit
    conflicts[isKnown ? metric : Self.otherMetrics, default: 0] += 1
  }
}
