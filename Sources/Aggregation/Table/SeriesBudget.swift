import Platform
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
  private let restored = Atomic<Int>(0)
  /// Nil without memory for it.
  private let marks: RestoredMarks?

  /// As the properties have it.
  package init(limit: Int, limitPerMetric: Int) {
    series = Atomic(limit)
    seriesPerMetric = Atomic(limitPerMetric)
    marks = try? RestoredMarks(series: limit)
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

  /// Takes one series of so many bytes, if there is one; always for one that was restored, for which the query thread has paid.
  /// - Parameter hash: of its normal spelling.
  func claim(_ hash: UInt64, bytes: Int) -> Bool {
    if used.wrappingAdd(1, ordering: .relaxed).newValue <= limit && claim(onlyBytes: bytes) { return true }
    // Both pay until the reader finds that they are the same.
    if restored.load(ordering: .relaxed) > 0, let marks, marks.contains(hash) { return true }
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

  /// Takes a series that was kept from before the start. What the workers count meanwhile is no hindrance: it is of the same series, as
  /// a rule.
  func claimRestored(_ hash: UInt64) -> Bool {
    if restored.load(ordering: .relaxed) >= limit { return false }
    restored.wrappingAdd(1, ordering: .relaxed)
    used.wrappingAdd(1, ordering: .relaxed)
    marks?.insert(hash)
    return true
  }

  /// Gives one back.
  func release() { used.wrappingSubtract(1, ordering: .relaxed) }
}

/// Which series were restored, as far as 16 bits for each can tell (Bloom, CACM 13(7), 1970): a worker that meets the first line of one
/// must not find the limit reached. One in some four hundred others passes too.
///
/// `@unchecked Sendable`: the words are atomics. One thread inserts while others ask; who asks too early finds the limit as it is.
@safe
private final class RestoredMarks: @unchecked Sendable {
  private static let probes: UInt64 = 4
  private let memory: Reservation
  private let mask: UInt64

  init(series: Int) throws(SystemError) {
    var bits: UInt64 = 1 << 12
    while bits < UInt64(clamping: series) * 16 && bits < 1 << 36 { bits <<= 1 }
    memory = try Reservation(byteCount: Int(bits / 8))
    mask = bits - 1
  }

  func insert(_ hash: UInt64) {
    for probe in 0..<Self.probes {
      let bit = bit(hash, probe)
      // Safe: `bit` is below the bits reserved. Relaxed: a bit says all by itself.
      unsafe word(bit).pointee.bitwiseOr(1 << (bit & 63), ordering: .relaxed)
    }
  }

  func contains(_ hash: UInt64) -> Bool {
    (0..<Self.probes).allSatisfy {
      let bit = bit(hash, $0)
      // Safe: as above.
      return unsafe word(bit).pointee.load(ordering: .relaxed) & 1 << (bit & 63) != 0
    }
  }

  /// Two halves of the hash make as many as are wanted (Kirsch and Mitzenmacher, ESA 2006).
  private func bit(_ hash: UInt64, _ probe: UInt64) -> UInt64 { (hash &+ probe &* (hash >> 32 | 1)) & mask }

  @unsafe private func word(_ bit: UInt64) -> UnsafeMutablePointer<Atomic<UInt64>> {
    unsafe (memory.base + Int(bit >> 6) * 8).assumingMemoryBound(to: Atomic<UInt64>.self)
  }
}
