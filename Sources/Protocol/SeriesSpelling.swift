import Bytes

/// Takes the spelling of a series apart, in any dialect, and checks what stands there.
///
/// One is kept and used for many lines: its memory grows to what the largest needed and stays.
package struct SeriesSpelling {
  /// A tag where it stands in the line.
  struct Tag {
    var key: Range<Int>
    /// `nil` for a bare tag.
    var value: Range<Int>?
  }

  package var keyLabels: KeyLabels

  /// The name without inline tags; SignalFX has it around them.
  private(set) var name: (head: Range<Int>, tail: Range<Int>) = (0..<0, 0..<0)
  /// The key of a keyed count.
  private(set) var key: Range<Int>?
  /// All tags by the bytes of their keys, those of one key in the line's order.
  private(set) var tags: [Tag] = []
  /// The label of a counter's key.
  private(set) var keyLabel: [UInt8] = []

  package init(keyLabels: KeyLabels) {
    self.keyLabels = keyLabels
  }

  /// Writes the normal spelling (`NormalSpelling`) of a sample's series into `spelling`, in place of what was there.
  ///
  /// An event's or a check's spelling as it stands in the line does not tell name from tags by itself: always look those up by the
  /// normal one.
  /// - Parameters:
  ///   - lineStart: where the line begins; faults are counted from there.
  ///   - name: the sample's name with inline tags and key.
  ///   - tags: what stands behind `|#`.
  /// - Complexity: O(n log n) in the length of name and tags; no allocation once the memory has grown, below 64 tags.
  package mutating func normalise(
    _ bytes: PaddedBytes, lineStart: Int, name: Range<Int>, tags: Range<Int>, kind: SampleKind,
    into spelling: inout [UInt8]
  ) throws(LineFault) {
    try resolve(Line(bytes: bytes, start: lineStart, end: bytes.count), name, tags, kind, into: &spelling)
    if let key {
      spelling.append(UInt8(ascii: ":"))
      for place in key { spelling.append(bytes[place]) }
    }
    let keyed = kind == .counter && key == nil ? appendKeyTag(bytes, to: &spelling) : 0..<0
    var separator: StaticString = "|#"
    var index = 0
    while index < self.tags.count {
      let end = endOfKey(at: index, bytes)
      if !keyed.contains(index) {
        spelling.append(separator)
        separator = ","
        for place in self.tags[index].key { NormalSpelling.appendLabelKey(bytes[place], to: &spelling) }
        spelling.append(UInt8(ascii: ":"))
        appendValues(index..<end, bytes) { NormalSpelling.appendValue($0, to: &spelling) }
      }
      index = end
    }
  }

  /// Fills this with the pieces, and `spelling` with the normal name.
  mutating func resolve(
    _ line: Line, _ name: Range<Int>, _ tagText: Range<Int>, _ kind: SampleKind, into spelling: inout [UInt8]
  ) throws(LineFault) {
    let bytes = line.bytes
    tags.removeAll(keepingCapacity: true)
    key = nil
    var metric = name
    if kind == .counter, let colon = name.first(where: { bytes[$0] == UInt8(ascii: ":") }) {
      metric = name.lowerBound..<colon
      key = colon + 1..<name.upperBound
    }
    try line.requireText(metric, else: .badName)
    if let key {
      guard 1...NormalSpelling.longestKey ~= key.count else { throw line.fault(.badValue, at: key.lowerBound) }
      try line.requireText(key, else: .badValue)
    }
    try line.requireText(tagText, else: .badTags)

    self.name = (metric, metric.upperBound..<metric.upperBound)
    if kind != .event, kind != .serviceCheck, let inline = InlineTags.read(bytes, metric, into: &tags) {
      if !tagText.isEmpty { throw line.fault(.badTags, at: tagText.lowerBound) }
      self.name = inline
    }
    if self.name.head.isEmpty && self.name.tail.isEmpty { throw line.fault(.emptyName, at: metric.lowerBound) }
    try readTags(line, tagText)
    sortTags(bytes)

    spelling.removeAll(keepingCapacity: true)
    NormalSpelling.appendName(NameBytes(bytes: bytes, head: self.name.head, tail: self.name.tail), to: &spelling)
    guard kind == .counter else { return }
    keyLabel = keyLabels.label(of: spelling.span)
    if key != nil, let twice = tags.first(where: { equals(keyLabel, $0.key, bytes) }) {
      throw line.fault(.badTags, at: twice.key.lowerBound)
    }
  }

  /// `k:v,flag`; empty items are skipped.
  private mutating func readTags(_ line: Line, _ text: Range<Int>) throws(LineFault) {
    var start = text.lowerBound
    while start < text.upperBound {
      var end = start
      var colon: Int?
      while end < text.upperBound, line.bytes[end] != UInt8(ascii: ",") {
        if colon == nil, line.bytes[end] == UInt8(ascii: ":") { colon = end }
        end += 1
      }
      if colon == start { throw line.fault(.badTags, at: start) }
      if end > start {
        tags.append(Tag(key: start..<(colon ?? end), value: colon.map { $0 + 1..<end }))
      }
      start = end + 1
    }
  }

  private mutating func sortTags(_ bytes: PaddedBytes) {
    // Tags mostly come sorted.
    var isSorted = true
    for index in tags.indices.dropFirst() where Self.order(tags[index - 1], tags[index], bytes) > 0 { isSorted = false }
    if isSorted { return }
    tags.sort { left, right in
      let order = Self.order(left, right, bytes)
      return order < 0 || order == 0 && left.key.lowerBound < right.key.lowerBound
    }
  }

  private static func order(_ left: Tag, _ right: Tag, _ bytes: PaddedBytes) -> Int {
    for offset in 0..<min(left.key.count, right.key.count) {
      let difference = Int(bytes[left.key.lowerBound + offset]) - Int(bytes[right.key.lowerBound + offset])
      if difference != 0 { return difference }
    }
    return left.key.count - right.key.count
  }

  /// Behind the last tag that has the key of the one at `index`.
  func endOfKey(at index: Int, _ bytes: PaddedBytes) -> Int {
    var end = index + 1
    while end < tags.count, Self.order(tags[index], tags[end], bytes) == 0 { end += 1 }
    return end
  }

  /// Writes the value of the tags that bear the key label as a key, if it can be one.
  /// - Returns: the tags that are done with.
  private func appendKeyTag(_ bytes: PaddedBytes, to spelling: inout [UInt8]) -> Range<Int> {
    guard let first = tags.firstIndex(where: { equals(keyLabel, $0.key, bytes) }) else { return 0..<0 }
    let tags = first..<endOfKey(at: first, bytes)
    let start = spelling.count
    spelling.append(UInt8(ascii: ":"))
    appendValues(tags, bytes) { spelling.append($0) }
    if 1...NormalSpelling.longestKey ~= spelling.count - start - 1 { return tags }
    spelling.removeLast(spelling.count - start)
    return 0..<0
  }

  /// Hands out the values of some tags of one key, joined with commas.
  private func appendValues(_ range: Range<Int>, _ bytes: PaddedBytes, _ append: (UInt8) -> Void) {
    for index in range {
      if index > range.lowerBound { append(UInt8(ascii: ",")) }
      if let value = tags[index].value {
        for place in value { append(bytes[place]) }
      } else {
        for byte in "true".utf8 { append(byte) }
      }
    }
  }

  private func equals(_ text: [UInt8], _ range: Range<Int>, _ bytes: PaddedBytes) -> Bool {
    text.count == range.count && text.indices.allSatisfy { text[$0] == bytes[range.lowerBound + $0] }
  }
}

extension [UInt8] {
  fileprivate mutating func append(_ text: StaticString) {
    // Safe: a static string's bytes live for ever.
    text.withUTF8Buffer { unsafe append(contentsOf: $0) }
  }
}

/// A name in two pieces as one text.
struct NameBytes: Collection {
  let bytes: PaddedBytes
  let head: Range<Int>
  let tail: Range<Int>

  var startIndex: Int { 0 }
  var endIndex: Int { head.count + tail.count }
  func index(after index: Int) -> Int { index + 1 }
  subscript(index: Int) -> UInt8 {
    bytes[index < head.count ? head.lowerBound + index : tail.lowerBound + index - head.count]
  }
}
