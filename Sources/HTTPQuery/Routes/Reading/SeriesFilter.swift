import Aggregation
import Protocol

/// Which series a request is about: by their labels, all of which must fit.
struct SeriesFilter {
  /// The series' label `label` fits `glob`; a series without that label does not.
  struct LabelMatch {
    var label: [UInt8]
    var glob: Glob
  }

  var matches: [LabelMatch] = []

  func includes(_ series: SeriesID, _ view: borrowing MergedView) -> Bool {
    if matches.isEmpty { return true }
    let keyLabels = view.keyLabels
    return view.withSpelling(of: series) { spelling in
      var found = 0
      SeriesLabels(of: spelling).forEach(in: spelling, keyLabels: keyLabels) { key, value in
        for match in matches where key.plainEquals(match.label) && match.glob.matches(value.plainBytes.span) {
          found += 1
        }
      }
      return found == matches.count
    }
  }
}

extension Span<UInt8> {
  /// A piece of a spelling as what it stands for.
  var plainBytes: [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(count)
    for place in indices { bytes.append(SeriesLabels.plain(self[place])) }
    return bytes
  }

  /// Whether a piece of a spelling stands for `text`.
  func plainEquals(_ text: [UInt8]) -> Bool {
    if count != text.count { return false }
    for place in indices where SeriesLabels.plain(self[place]) != text[place] { return false }
    return true
  }
}
