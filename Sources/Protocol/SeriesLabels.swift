/// Name and labels of a series, read out of its normal spelling.
///
///     visit:page1|#env:prod,host:web1
///     name  key    labels
///
/// Pieces are handed out as they stand in the spelling, so that a page of a million series needs no copy of them; `plain` undoes the
/// escapes byte by byte.
package struct SeriesLabels {
  /// Where the name stands.
  package let name: Range<Int>
  /// Where the key of a keyed count stands.
  package let key: Range<Int>?
  private let labels: Range<Int>

  /// - Parameter spelling: as `SeriesSpelling` wrote it.
  /// - Complexity: O(length of name and key).
  package init(of spelling: Span<UInt8>) {
    let start = !spelling.isEmpty && spelling[0] == NormalSpelling.unsplitMark ? 1 : 0
    let nameEnd = spelling.first(UInt8(ascii: ":"), or: UInt8(ascii: "|"), from: start)
    var end = nameEnd
    if nameEnd < spelling.count, spelling[nameEnd] == UInt8(ascii: ":") {
      end = spelling.first(UInt8(ascii: "|"), or: UInt8(ascii: "|"), from: nameEnd + 1)
      key = nameEnd + 1..<end
    } else {
      key = nil
    }
    name = start..<nameEnd
    labels = min(end + 2, spelling.count)..<spelling.count
  }

  /// Hands out the labels sorted by key.
  ///
  /// - Parameter spelling: the one that this was read from.
  /// - Complexity: O(length of the spelling), no allocation.
  package func forEach(
    in spelling: Span<UInt8>, keyLabels: KeyLabels, _ body: (_ key: Span<UInt8>, _ value: Span<UInt8>) -> Void
  ) {
    forEach(in: spelling, keyLabel: key == nil ? [] : keyLabel(in: spelling, keyLabels), body)
  }

  /// The label that the key of a count of this metric goes to.
  package func keyLabel(in spelling: Span<UInt8>, _ keyLabels: KeyLabels) -> [UInt8] {
    keyLabels.label(of: spelling.extracting(0..<name.upperBound))
  }

  /// The same for whoever reads many series of one metric and looks its key label up once.
  package func forEach(
    in spelling: Span<UInt8>, keyLabel: [UInt8], _ body: (_ key: Span<UInt8>, _ value: Span<UInt8>) -> Void
  ) {
    var waitingKey = key
    var place = labels.lowerBound
    while place < labels.upperBound {
      let colon = spelling.first(UInt8(ascii: ":"), or: UInt8(ascii: ":"), from: place)
      let end = spelling.first(UInt8(ascii: ","), or: UInt8(ascii: ","), from: colon)
      let label = spelling.extracting(place..<colon)
      if let key = waitingKey, keyLabel.span.order(to: label) < 0 {
        body(keyLabel.span, spelling.extracting(key))
        waitingKey = nil
      }
      body(label, spelling.extracting(colon + 1..<end))
      place = end + 1
    }
    if let key = waitingKey { body(keyLabel.span, spelling.extracting(key)) }
  }

  /// The byte that a byte of a piece stands for.
  package static func plain(_ byte: UInt8) -> UInt8 { NormalSpelling.plain(byte) }
}

extension Span<UInt8> {
  /// Where the first of two bytes stands at or after `start`, or `count`.
  fileprivate func first(_ one: UInt8, or other: UInt8, from start: Int) -> Int {
    var place = start
    while place < count, self[place] != one, self[place] != other { place += 1 }
    return Swift.min(place, count)
  }
}
