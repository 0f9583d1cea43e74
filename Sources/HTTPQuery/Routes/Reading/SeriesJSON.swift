import Aggregation
import Protocol

/// Series and families as JSON.
extension JSONWriter {
  /// `"labels":{…},"value":…`; of a timer `count` and `sum` instead of the value.
  mutating func members(of id: SeriesID, in view: inout MergedView) {
    let series = view.series(id)
    key("labels")
    writeLabels(of: id, in: view)
    switch series.kind {
    case .counter, .event:
      key("value")
      number(view.countSinceReset(id))
    case .gauge, .serviceCheck: member("value", series.gauge)
    case .set: member("value", view.cardinality(series))
    case .timer, .histogram, .distribution:
      let timer = view.timer(series)
      member("count", timer.count)
      member("sum", timer.sum)
    }
  }

  private mutating func writeLabels(of id: SeriesID, in view: borrowing MergedView) {
    let keyLabels = view.keyLabels
    object { json in
      view.withSpelling(of: id) { spelling in
        SeriesLabels(of: spelling).forEach(in: spelling, keyLabels: keyLabels) { key, value in
          json.key(key.plainBytes)
          json.string(value.plainBytes)
        }
      }
    }
  }
}
