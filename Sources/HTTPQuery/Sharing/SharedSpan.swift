import Aggregation

/// Where the store that several agents share keeps what belongs to a window.
///
///     start                                                     now
///       ├─ minutes of its hour ─┼─ whole hours, by their days ───┤
///
/// A window begins with a minute or an hour, so that what the places say from its start on is exactly what was counted within it. What
/// lies ahead of the clock belongs to it, as it does in history.
struct SharedSpan {
  /// Seconds since 1970.
  let start: Int64
  private let end: Int64

  init(from start: Int64, wall: Int64) {
    self.start = start
    end = max(start, wall + HistorySpan.secondsAhead)
  }

  /// The fewest parts that hold all counts.
  var counts: [SharedKey.Part] {
    var parts: [SharedKey.Part] = []
    if start % 3_600 != 0 { parts.append(.minutes(hour: start / 3_600)) }
    // Both are of hours that begin within the window.
    let (first, last) = ((start + 3_599) / 3_600, end / 3_600)
    if first <= last { parts += (first / 24...last / 24).map { .hours(day: $0) } }
    return parts
  }

  /// The parts that hold all counts by steps of a plot: a minute, or an hour.
  func counts(step: Int64) -> [SharedKey.Part] { step == 60 ? hours.map { .minutes(hour: $0) } : counts }

  /// Of a window that begins with an hour: the parts with all of a set's members.
  var members: [SharedKey.Part] { hours.map { .members(hour: $0) } }
  /// The same for a timer's samples.
  var samples: [SharedKey.Part] { hours.map { .samples(hour: $0) } }

  private var hours: ClosedRange<Int64> { start / 3_600...end / 3_600 }
}

extension SharedKey.Part {
  /// The second since 1970 at which a place begins; nil for one that there is not.
  func second(ofPlace place: Int) -> Int64? {
    switch self {
    case .hours(let day): 0..<24 ~= place ? day * 86_400 + Int64(place) * 3_600 : nil
    case .minutes(let hour): 0..<60 ~= place ? hour * 3_600 + Int64(place) * 60 : nil
    case .total, .members, .samples: nil
    }
  }
}
