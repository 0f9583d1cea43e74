import Platform

/// Who sent how many lines since the start, as far as a bounded table can tell.
///
/// Space-Saving (Metwally, Agrawal, El Abbadi, ICDT 2005): when the table is full, the one with the fewest lines gives its place and its
/// number to the newcomer, so a number is never too low and too high by at most `overcount`. Whoever sent more than a thousandth of all
/// lines is in it.
package struct SenderRanking: Sendable {
  static let limit = 1_000

  /// A sender in the ranking.
  package struct Entry: Sendable {
    /// Whose lines they are.
    package var address: SenderAddress
    /// Lines, up to `overcount` of them of others.
    package var lines: UInt64
    /// Refused lines since the sender came into the ranking.
    package var refused: UInt64
    /// Lines of others that the number may hold.
    package var overcount: UInt64
  }

  private var entries: [SenderAddress: Entry] = [:]
  /// Lines of senders that came when a worker's table was full.
  package private(set) var others: UInt64 = 0

  mutating func add(_ entry: SenderTally.Entry, isOthers: Bool) {
    if isOthers {
      others += entry.lines
    } else if entry.lines > 0 {
      if entries[entry.address] == nil { entries[entry.address] = newcomer(entry.address) }
      entries[entry.address]?.lines += entry.lines
      entries[entry.address]?.refused += entry.refused
    }
  }

  /// The `count` with the most lines, those first.
  package func top(_ count: Int) -> [Entry] {
    Array(
      entries.values.sorted { ($0.lines, $0.address.description) > ($1.lines, $1.address.description) }.prefix(count))
  }

  private mutating func newcomer(_ address: SenderAddress) -> Entry {
    guard entries.count >= Self.limit, let least = entries.values.min(by: { $0.lines < $1.lines }) else {
      return Entry(address: address, lines: 0, refused: 0, overcount: 0)
    }
    entries[least.address] = nil
    return Entry(address: address, lines: least.lines, refused: 0, overcount: least.lines)
  }
}
