import Bytes

/// Normal spellings of series that are named by their labels, not by a line.
extension SeriesSpelling {
  /// Writes the normal spelling of the series `name` with `labels`.
  ///
  /// Unlike a line's, a value may hold any text without control bytes, `|` and `,` too.
  /// - Parameters:
  ///   - name: a metric's, without any of `[ # , ; : |`.
  ///   - labels: by the bytes of their keys, each key once.
  /// - Complexity: O(length).
  package static func write(
    _ name: StaticString, _ labels: [(key: [UInt8], value: [UInt8])], kind: SampleKind, keyLabels: KeyLabels,
    into spelling: inout [UInt8]
  ) {
    spelling.removeAll(keepingCapacity: true)
    // Safe: a static string's bytes live for ever.
    name.withUTF8Buffer { unsafe spelling.append(contentsOf: $0) }
    append(labels, kind: kind, keyLabels: keyLabels, to: &spelling)
  }

  /// The same of a metric whose name may be any.
  package static func write(
    _ name: [UInt8], _ labels: [(key: [UInt8], value: [UInt8])], kind: SampleKind, keyLabels: KeyLabels,
    into spelling: inout [UInt8]
  ) {
    spelling.removeAll(keepingCapacity: true)
    NormalSpelling.appendName(name, to: &spelling)
    append(labels, kind: kind, keyLabels: keyLabels, to: &spelling)
  }

  /// - Parameter spelling: holds the normal name.
  private static func append(
    _ labels: [(key: [UInt8], value: [UInt8])], kind: SampleKind, keyLabels: KeyLabels, to spelling: inout [UInt8]
  ) {
    var keyed: Int?
    if kind == .counter {
      let keyLabel = keyLabels.label(of: spelling.span)
      keyed = labels.firstIndex { $0.key == keyLabel && 1...NormalSpelling.longestKey ~= $0.value.count }
    }
    if let keyed {
      spelling.append(UInt8(ascii: ":"))
      for byte in labels[keyed].value { NormalSpelling.appendKey(byte, to: &spelling) }
    }
    var separator: [UInt8] = [UInt8(ascii: "|"), UInt8(ascii: "#")]
    for (place, label) in labels.enumerated() where place != keyed {
      spelling += separator
      separator = [UInt8(ascii: ",")]
      for byte in label.key { NormalSpelling.appendLabelKey(byte, to: &spelling) }
      spelling.append(UInt8(ascii: ":"))
      for byte in label.value { NormalSpelling.appendValue(byte, to: &spelling) }
    }
  }
}
