/// Normal spellings that come from no line.
extension SeriesSpelling {
  /// The part of a normal spelling that is the metric's name, as it stands there.
  package static func normalName(of spelling: [UInt8]) -> ArraySlice<UInt8> {
    spelling[..<SeriesLabels(of: spelling.span).name.upperBound]
  }

  /// The metric's name as it came.
  package static func plainName(of spelling: [UInt8]) -> [UInt8] {
    spelling[SeriesLabels(of: spelling.span).name].map(SeriesLabels.plain)
  }

  /// Writes the normal spelling of a series that has one label, the one of its metric's keys, with the value `key`.
  /// - Parameter normalName: as `normalName(of:)` gives it.
  package func write(
    _ normalName: ArraySlice<UInt8>, key: StaticString, kind: SampleKind, into spelling: inout [UInt8]
  ) {
    var text = Array(normalName)
    if kind != .counter {
      text += [UInt8(ascii: "|"), UInt8(ascii: "#")]
      for byte in keyLabels.label(of: Array(normalName).span) { NormalSpelling.appendLabelKey(byte, to: &text) }
    }
    text.append(UInt8(ascii: ":"))
    // Safe: a static string's bytes live for ever.
    key.withUTF8Buffer { unsafe text.append(contentsOf: $0) }
    spelling = text
  }
}
