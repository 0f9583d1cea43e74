import Bytes

extension SeriesSpelling {
  /// Bytes of a normal spelling at most: a line's, and a few for what it is written with.
  package static let longestNormal = LineReader.longestLine + 64

  /// Whether bytes from outside are a normal spelling that a series can have under these key labels.
  package static func isSound(_ spelling: [UInt8], _ keyLabels: KeyLabels) -> Bool {
    if spelling.isEmpty || spelling.count > longestNormal || !isText(spelling) { return false }
    let pieces = SeriesLabels(of: spelling.span)
    if pieces.name.isEmpty { return false }
    if let key = pieces.key, !(1...NormalSpelling.longestKey ~= key.count) { return false }
    let end = pieces.key?.upperBound ?? pieces.name.upperBound
    return end == spelling.count || areLabels(spelling, from: end, pieces, keyLabels)
  }

  /// UTF-8 without control bytes, but for the escapes.
  private static func isText(_ spelling: [UInt8]) -> Bool {
    var validator = UTF8Validator()
    for (place, byte) in spelling.enumerated() {
      if !validator.accept(byte) || byte == 0x7F { return false }
      if byte < 0x20 && ![1, 2, 4].contains(byte) && (byte != NormalSpelling.unsplitMark || place > 0) { return false }
    }
    return validator.isComplete
  }

  /// `|#key:value,…` with each key once, in order, and none of them that of the count's key.
  private static func areLabels(
    _ spelling: [UInt8], from start: Int, _ pieces: SeriesLabels, _ keyLabels: KeyLabels
  ) -> Bool {
    if spelling.count < start + 2 || spelling[start] != UInt8(ascii: "|") || spelling[start + 1] != UInt8(ascii: "#") {
      return false
    }
    let keyLabel = pieces.key == nil ? [] : pieces.keyLabel(in: spelling.span, keyLabels)
    var before: [UInt8] = []
    for label in spelling[(start + 2)...].split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false) {
      guard let colon = label.firstIndex(of: UInt8(ascii: ":")), colon > label.startIndex else { return false }
      let key = Array(label[..<colon])
      if !before.isEmpty && key.span.order(to: before.span) <= 0 { return false }
      if key.span.order(to: keyLabel.span) == 0 { return false }
      before = key
    }
    return true
  }
}
