/// The two languages of `/metrics`, and whether names that are not plain ASCII may be quoted.
package struct ExpositionFormat: Equatable, Sendable {
  package enum Language: Sendable {
    /// Prometheus text 0.0.4.
    case text
    /// OpenMetrics 1.0.0.
    case openMetrics
  }

  package var language: Language
  /// The scraper reads `{"my.name"}` (Prometheus 3's `escaping=allow-utf-8`); else what is not plain becomes `_`.
  package var quotesNames: Bool

  package init(language: Language = .text, quotesNames: Bool = false) {
    self.language = language
    self.quotesNames = quotesNames
  }

  /// Picks what the client wants most of what there is; nothing suits: text, since a page that cannot be refused helps more than a 406.
  ///
  /// Each language weighs what the most specific range that covers it says (RFC 9110, section 12.5.1); of two that weigh the same
  /// the one asked for more specifically wins, then the one asked for first, then text. A wildcard never brings OpenMetrics up:
  /// who wants it names it.
  package init(_ accept: AcceptHeader) {
    let text = Self.best(of: accept.ranges, for: .text)
    let openMetrics = Self.best(of: accept.ranges, for: .openMetrics)
    let prefersOpenMetrics = openMetrics.rank > text.rank
    language = prefersOpenMetrics ? .openMetrics : .text
    quotesNames = (prefersOpenMetrics ? openMetrics : text).quotesNames
  }

  /// What the answer calls itself. Prometheus 3 does not read a page without it.
  package var contentType: StaticString {
    switch (language, quotesNames) {
    case (.text, false): "text/plain; version=0.0.4; charset=utf-8"
    case (.text, true): "text/plain; version=0.0.4; charset=utf-8; escaping=allow-utf-8"
    case (.openMetrics, false): "application/openmetrics-text; version=1.0.0; charset=utf-8; escaping=underscores"
    case (.openMetrics, true): "application/openmetrics-text; version=1.0.0; charset=utf-8; escaping=allow-utf-8"
    }
  }

  /// How a language fares: its rank (weight, then how specifically it was named, then how early), and its range's escaping.
  private struct Candidate {
    var rank = (weight: 0, specificity: 0, earliness: Int.min)
    var quotesNames = false
  }

  private static func best(of ranges: [AcceptHeader.MediaRange], for language: Language) -> Candidate {
    var best = Candidate()
    for (place, range) in ranges.enumerated() {
      let specificity = specificity(of: range, for: language)
      let isMore = (specificity, range.weight) > (best.rank.specificity, best.rank.weight)
      guard specificity > 0 && isMore else { continue }
      best.rank = (range.weight, specificity, -place)
      best.quotesNames = range.escaping == "allow-utf-8"
    }
    return best.rank.weight == 0 ? Candidate() : best
  }

  /// 0: does not cover it; 1: `*/*`; 2: `text/*`; 3: by name; 4: by name and version.
  private static func specificity(of range: AcceptHeader.MediaRange, for language: Language) -> Int {
    let (type, subtype, version) =
      language == .text ? ("text", "plain", "0.0.4") : ("application", "openmetrics-text", "1.0.0")
    switch (range.type, range.subtype) {
    case (type, subtype): return range.version == nil ? 3 : range.version == version ? 4 : 0
    case (type, "*") where language == .text: return 2
    case ("*", "*") where language == .text: return 1
    default: return 0
    }
  }
}
