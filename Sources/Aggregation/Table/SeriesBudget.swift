import Synchronization

/// How many series all tables together may still begin.
///
/// A table asks once for each series that it makes, not for each sample. Two tables that make the same series both pay; the reader
/// gives one back when it finds that they are the same, so near the limit the budget errs for one flush towards `__other__`.
package final class SeriesBudget: Sendable {
  /// Series in all.
  package let limit: Int
  /// Series with one name and kind.
  package let limitPerMetric: Int
  private let used = Atomic<Int>(0)

  /// As the properties have it.
  package init(limit: Int, limitPerMetric: Int) {
    self.limit = limit
    self.limitPerMetric = limitPerMetric
  }

  /// Takes one series, if there is one.
  func claim() -> Bool {
    if used.wrappingAdd(1, ordering: .relaxed).newValue <= limit { return true }
    release()
    return false
  }

  /// Gives one back.
  func release() { used.wrappingSubtract(1, ordering: .relaxed) }
}
