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
    spelling.removeAll(keepingCapacity: true)
    spelling.append(contentsOf: normalName)
    if kind != .counter {
      spelling.append(UInt8(ascii: "|"))
      spelling.append(UInt8(ascii: "#"))
      for byte in keyLabels.label(of: normalName.span) { NormalSpelling.appendLabelKey(byte, to: &spelling) }
    }
    spelling.append(UInt8(ascii: ":"))
    // Safe: a static string's bytes live for ever.
    key.withUTF8Buffer { unsafe spelling.append(contentsOf: $0) }
  }
}
