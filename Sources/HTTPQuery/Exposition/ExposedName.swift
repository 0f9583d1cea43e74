import Aggregation
import Bytes
import Protocol

/// The name that a family bears on the pages of a language, and the suffixes that its samples may add to it.
///
///     family         text 0.0.4                            OpenMetrics
///     counter x      x_total                               x: _total, _created
///     gauge x        x                                     x
///     timer x        x_seconds: _sum, _count, [_bucket]    the same, and _created
struct ExposedName {
  /// Made of what can stand in a plain name.
  let bytes: [UInt8]
  let suffixes: NameSuffixes

  /// What a counter's samples end in, in both languages.
  static let total = Array("_total".utf8)

  init(_ name: [UInt8], kind: SampleKind, language: ExpositionFormat.Language, hasBuckets: Bool) {
    var writer = ByteWriter(capacity: name.count + 8)
    PrometheusName.writeMetric(name.span, to: &writer)
    let isOpenMetrics = language == .openMetrics
    switch kind {
    case .counter, .event:
      bytes = isOpenMetrics ? Self.withoutTotal(writer.bytes) : Self.withoutTotal(writer.bytes) + Self.total
      suffixes = isOpenMetrics ? [.total, .created] : []
    case .gauge, .set, .serviceCheck:
      bytes = writer.bytes
      suffixes = []
    case .timer, .histogram, .distribution:
      if kind == .timer { writer.append("_seconds" as StaticString) }
      bytes = writer.bytes
      suffixes = [.sum, .count, hasBuckets ? .bucket : [], isOpenMetrics ? .created : []]
    }
  }

  /// A counter's name as OpenMetrics wants it. One that is nothing but the suffix keeps it.
  static func withoutTotal(_ name: [UInt8]) -> [UInt8] {
    name.count > total.count && name.ends(with: "_total") ? Array(name.dropLast(total.count)) : name
  }

  /// Whether the name is kept for this program's own metrics.
  var isReserved: Bool {
    bytes.starts(with: "footfall_".utf8) || bytes.starts(with: "process_".utf8)
  }
}

/// What a family's samples add to its name. OpenMetrics reserves `_created` also where it is not sent.
struct NameSuffixes: OptionSet {
  let rawValue: UInt8

  static let total = NameSuffixes(rawValue: 1)
  static let created = NameSuffixes(rawValue: 2)
  static let sum = NameSuffixes(rawValue: 4)
  static let count = NameSuffixes(rawValue: 8)
  static let bucket = NameSuffixes(rawValue: 16)

  /// Each with its text.
  static let all: [(suffix: NameSuffixes, text: StaticString)] = [
    (.total, "_total"), (.created, "_created"), (.sum, "_sum"), (.count, "_count"), (.bucket, "_bucket"),
  ]
}

extension [UInt8] {
  func ends(with suffix: StaticString) -> Bool {
    // Safe: a static string's bytes live for ever.
    suffix.withUTF8Buffer { bytes in
      unsafe count >= bytes.count && self[(count - bytes.count)...].elementsEqual(bytes)
    }
  }
}
