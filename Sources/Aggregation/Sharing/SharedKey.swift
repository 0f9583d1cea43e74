import Protocol

/// What agents share one thing under: a counter of all of them, a metric, or a part of a metric's history.
///
///     tag    = metric                                              a metric
///            | metric "|" [ label "=" value { "," label "=" value } ]   a series
///
/// Labels come by the bytes of their names. `\` stands before `\`, `,`, `=` and `|` inside a name or a value, so that no two series meet.
/// Bytes, not `String`: two spellings of one accented letter are two series.
package struct SharedKey: Hashable, Sendable {
  /// What is kept there.
  package enum Part: Hashable, Sendable {
    /// Running totals and their bases, of a series or a metric.
    case total
    /// Counts by hour of a day (UTC), of a metric. Days since 1970.
    case hours(day: Int64)
    /// Counts by minute of an hour, of a metric. Hours since 1970.
    case minutes(hour: Int64)
    /// A set's members of an hour, of a metric: a HyperLogLog.
    case members(hour: Int64)
    /// A timer's samples of an hour, of a metric: buckets.
    case samples(hour: Int64)
  }

  /// Whose it is: kinds of one name are told apart.
  package let kind: SampleKind
  /// Which metric or series, in the form above.
  package let tag: [UInt8]
  /// What of it.
  package let part: Part

  /// A metric's.
  /// - Complexity: O(n)
  package init(_ kind: SampleKind, metric: some Sequence<UInt8>, _ part: Part = .total) {
    self.kind = kind
    self.part = part
    var tag: [UInt8] = []
    Self.append(metric, to: &tag)
    self.tag = tag
  }

  /// A series'.
  /// - Parameter labels: by name, as a series has them.
  /// - Complexity: O(n)
  package init(_ kind: SampleKind, metric: some Sequence<UInt8>, labels: [(name: [UInt8], value: [UInt8])]) {
    self.kind = kind
    part = .total
    var tag: [UInt8] = []
    Self.append(metric, to: &tag)
    tag.append(UInt8(ascii: "|"))
    for (index, label) in labels.enumerated() {
      if index > 0 { tag.append(UInt8(ascii: ",")) }
      Self.append(label.name, to: &tag)
      tag.append(UInt8(ascii: "="))
      Self.append(label.value, to: &tag)
    }
    self.tag = tag
  }

  /// A total's, by its tag, as the store gives it back.
  package init(_ kind: SampleKind, tag: [UInt8]) {
    self.kind = kind
    self.tag = tag
    part = .total
  }

  /// The key of another part of the same.
  package init(_ whole: SharedKey, _ part: Part) {
    kind = whole.kind
    tag = whole.tag
    self.part = part
  }

  private static func append(_ part: some Sequence<UInt8>, to tag: inout [UInt8]) {
    for byte in part {
      if "\\,=|".utf8.contains(byte) { tag.append(UInt8(ascii: "\\")) }
      tag.append(byte)
    }
  }
}
