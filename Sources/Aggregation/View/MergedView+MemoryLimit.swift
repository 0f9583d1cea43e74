import Protocol

/// Keeps all that is counted within a budget of memory: history gives way first, then new series.
///
///     0 ─────────────────────────────────────────────── limit
///     | elsewhere | series and what they have | history | spare |
///
/// History may grow into what the others leave, but for `spare`, which is kept for new series; as they grow it shrinks. When it has come
/// down to `leastHistory` and the rest is used up, new series count into `__other__` until a good part is free again. What a series has
/// may still grow: a timer's sketch and a set's registers have bounds of their own.
///
/// The books are brought up to date once a flush; what the tables may take until the next one is bounded by `SeriesBudget`'s ceiling.
extension MergedView {
  /// History is not asked for more than this: the least that its option allows.
  private static let leastHistory = 1 << 20

  /// Bytes that tables have claimed for new series up to now; to be noted before a gather begins.
  package var bytesClaimed: Int { budget.bytesClaimed }

  /// All that the view and the tables take.
  /// - Complexity: O(tables).
  package var memoryBytes: Int { memory.reduce(0) { $0 + $1.bytes } }

  /// Brings history and the budget of new series in line with a limit. To be called when a gather has ended.
  /// - Parameters:
  ///   - limit: bytes; nil: history has its own budget alone, and series may come as their number allows.
  ///   - elsewhere: bytes that the rest of the program takes.
  ///   - claimedBefore: `bytesClaimed` when the gather began: what was claimed since is not in the books yet.
  /// - Returns: whether new series have to count into `__other__`.
  /// - Complexity: O(tables); where history has to shrink O(its slots), at most some 30 times from its greatest size to its least.
  package mutating func keepWithin(_ limit: Int?, elsewhere: Int, claimedBefore: Int) -> Bool {
    guard let limit else {
      history.allow(bytes: settings.historyBytes)
      budget.allow(bytesClaimed: .max)
      isFull = false
      return false
    }
    let step = limit / 32
    let others = elsewhere + memoryBytes - history.touchedBytes
    let left = min(settings.historyBytes, limit - others - 4 * step)
    if left < history.touchedBytes - step && history.touchedBytes > Self.leastHistory {
      history.shrink(to: max(Self.leastHistory, left - step))
    } else {
      history.allow(bytes: max(Self.leastHistory, min(left, settings.historyBytes), 0))
    }
    // Series that have left gave their places back to those that come.
    let reusable = freeSeries.count * SeriesCost.bytes(kind: .counter, spelling: 0, newMetric: nil)
    let room = limit - others - history.touchedBytes + reusable
    isFull = room < (isFull ? 2 * step : step / 2)
    budget.allow(bytesClaimed: isFull ? 0 : claimedBefore + room)
    return isFull
  }
}
