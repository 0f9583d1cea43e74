import Protocol
import Synchronization

/// What became of the lines of one batch.
@frozen
package struct LineTally: Sendable {
  /// Reasons of refusal, in the order of `Refusal`.
  package static let refusals = Refusal.allCases.count
  /// Kinds of sample, in the order of `SampleKind`.
  package static let kinds = SampleKind.allCases.count

  /// Datagrams received, those of a joined run one by one.
  package var datagrams: UInt64 = 0
  /// Bytes received.
  package var bytes: UInt64 = 0
  /// Lines read, empty ones not counted.
  package var lines: UInt64 = 0
  /// Lines that were counted.
  package var accepted: UInt64 = 0
  /// Sections of accepted lines that nobody here knows.
  package var skippedSections: UInt64 = 0
  /// Accepted lines whose own time history does not reach.
  package var outOfWindow: UInt64 = 0
  /// Lines refused, by reason.
  package var refused = InlineArray<13, UInt64>(repeating: 0)
  /// Samples counted, by kind.
  package var samples = InlineArray<8, UInt64>(repeating: 0)

  package init() {}

  /// Adds another's numbers.
  package mutating func add(_ other: LineTally) {
    datagrams += other.datagrams
    bytes += other.bytes
    lines += other.lines
    accepted += other.accepted
    skippedSections += other.skippedSections
    outOfWindow += other.outOfWindow
    for reason in 0..<Self.refusals { refused[reason] += other.refused[reason] }
    for kind in 0..<Self.kinds { samples[kind] += other.samples[kind] }
  }

  /// Books a line that no parser saw (`truncated`, `too_long` in a stream, `refused_source`).
  package mutating func refuse(_ reason: Refusal) {
    lines += 1
    refused[Int(reason.rawValue)] += 1
  }
}

/// The books of one listener as one worker keeps them: monotone counters, written by that worker alone, read by anyone.
///
/// - Invariant: once nothing is in flight, lines = accepted + the sum of refused.
package final class ListenerLedger: Sendable {
  // Relaxed load and store: there is one writer, and a reader needs no order between the numbers.
  private let words = Words()

  private struct Words: ~Copyable {
    let datagrams = Atomic<UInt64>(0)
    let bytes = Atomic<UInt64>(0)
    let lines = Atomic<UInt64>(0)
    let accepted = Atomic<UInt64>(0)
    let skippedSections = Atomic<UInt64>(0)
    let outOfWindow = Atomic<UInt64>(0)
    let refused = Counters()
    let samples = Counters()
  }

  private struct Counters: ~Copyable {
    let values: InlineArray<16, Atomic<UInt64>> = .init { _ in Atomic(0) }
  }

  package init() {}

  /// Adds a batch.
  package func add(_ tally: LineTally) {
    Self.add(tally.datagrams, to: words.datagrams)
    Self.add(tally.bytes, to: words.bytes)
    Self.add(tally.lines, to: words.lines)
    Self.add(tally.accepted, to: words.accepted)
    Self.add(tally.skippedSections, to: words.skippedSections)
    Self.add(tally.outOfWindow, to: words.outOfWindow)
    if tally.lines != tally.accepted {
      for reason in 0..<LineTally.refusals { Self.add(tally.refused[reason], to: words.refused.values[reason]) }
    }
    for kind in 0..<LineTally.kinds { Self.add(tally.samples[kind], to: words.samples.values[kind]) }
  }

  /// The numbers as they are now.
  package func read() -> LineTally {
    var tally = LineTally()
    tally.datagrams = words.datagrams.load(ordering: .relaxed)
    tally.bytes = words.bytes.load(ordering: .relaxed)
    tally.lines = words.lines.load(ordering: .relaxed)
    tally.accepted = words.accepted.load(ordering: .relaxed)
    tally.skippedSections = words.skippedSections.load(ordering: .relaxed)
    tally.outOfWindow = words.outOfWindow.load(ordering: .relaxed)
    for reason in 0..<LineTally.refusals {
      tally.refused[reason] = words.refused.values[reason].load(ordering: .relaxed)
    }
    for kind in 0..<LineTally.kinds { tally.samples[kind] = words.samples.values[kind].load(ordering: .relaxed) }
    return tally
  }

  @inline(__always)
  private static func add(_ more: UInt64, to word: borrowing Atomic<UInt64>) {
    if more != 0 { word.store(word.load(ordering: .relaxed) &+ more, ordering: .relaxed) }
  }
}
