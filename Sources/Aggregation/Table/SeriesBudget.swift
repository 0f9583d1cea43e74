import Synchronization

/// How many series all tables together may still begin, and how many bytes they may still take for new ones.
///
/// A table asks once for each series that it makes, not for each sample. Two tables that make the same series both pay; the reader
/// gives one back when it finds that they are the same, so near the limit the budget errs for one flush towards `__other__`.
///
/// Bytes are those that a new series is likely to take in all, claimed when it is made. The reader, who knows what there is by its books,
/// sets at each flush the ceiling of all claims: so between two flushes tables cannot take more than was left at the first of them.
///
/// Relaxed throughout: each number stands for itself, and is added to whole.
package final class SeriesBudget: Sendable {
  private let series: Atomic<Int>
  private let seriesPerMetric: Atomic<Int>
  private let used = Atomic<Int>(0)
  private let claimed = Atomic<Int>(0)
  private let ceiling = Atomic<Int>(.max)

  /// As the properties have it.
  package init(limit: Int, limitPerMetric: Int) {
    series = Atomic(limit)
    seriesPerMetric = Atomic(limitPerMetric)
  }

  /// Series in all. A limit below what there is lets nothing new begin.
  package var limit: Int {
    get { series.load(ordering: .relaxed) }
    set { series.store(newValue, ordering: .relaxed) }
  }
  /// Series with one name and kind.
  package var limitPerMetric: Int {
    get { seriesPerMetric.load(ordering: .relaxed) }
    set { seriesPerMetric.store(newValue, ordering: .relaxed) }
  }

  /// Bytes claimed since the start; never falls but by what was claimed in vain.
  var bytesClaimed: Int { claimed.load(ordering: .relaxed) }

  /// Lets tables claim until `bytesClaimed` is `bytes`; `max`: without end.
  func allow(bytesClaimed bytes: Int) { ceiling.store(bytes, ordering: .relaxed) }

  /// Takes one series of so many bytes, if there is one.
  func claim(bytes: Int) -> Bool {
    if used.wrappingAdd(1, ordering: .relaxed).newValue <= limit && claim(onlyBytes: bytes) { return true }
    release()
    return false
  }

  /// Takes bytes, for what is no series.
  func claim(onlyBytes bytes: Int) -> Bool {
    let ceiling = ceiling.load(ordering: .relaxed)
    if claimed.wrappingAdd(bytes, ordering: .relaxed).newValue <= ceiling { return true }
    claimed.wrappingSubtract(bytes, ordering: .relaxed)
    return false
  }

  /// Gives one back.
  func release() { used.wrappingSubtract(1, ordering: .relaxed) }
}
