import Bytes

/// Families whose names, types and labels are known when the program is built.
struct OwnPage {
  enum Kind: String {
    case counter, gauge, summary
  }

  private(set) var text = ByteWriter(capacity: 16_384)
  private let language: ExpositionFormat.Language
  /// Families wanted, by their names in text 0.0.4; nil: all.
  private let metric: Glob?
  private var name: StaticString = ""

  init(_ language: ExpositionFormat.Language, _ metric: Glob?) {
    self.language = language
    self.metric = metric
  }

  /// Writes a family, if it is asked for and has a sample.
  /// - Parameter name: as in text 0.0.4, a counter's with `_total`.
  mutating func family(_ name: StaticString, _ kind: Kind, _ help: StaticString, _ samples: (inout OwnPage) -> Void) {
    let bytes = Array("\(name)".utf8)
    if let metric, !metric.matches(bytes.span) { return }
    let start = text.count
    let family = kind == .counter && language == .openMetrics ? ExposedName.withoutTotal(bytes) : bytes
    text.append("# HELP " as StaticString)
    text.append(family)
    text.append(UInt8.space)
    text.append(help)
    text.append("\n# TYPE " as StaticString)
    text.append(family)
    text.append(UInt8.space)
    text.append(kind.rawValue)
    text.append(UInt8.lineFeed)
    let end = text.count
    self.name = name
    samples(&self)
    if text.count == end { text.truncate(to: start) }
  }

  mutating func sample(_ value: UInt64) {
    begin([])
    text.append(value)
    text.append(UInt8.lineFeed)
  }

  mutating func sample(_ labels: [(name: StaticString, value: String)], _ value: UInt64) {
    begin(labels.map { ($0.name, Array($0.value.utf8)) })
    text.append(value)
    text.append(UInt8.lineFeed)
  }

  mutating func sample(_ labels: [(name: StaticString, value: [UInt8])], _ value: UInt64) {
    begin(labels)
    text.append(value)
    text.append(UInt8.lineFeed)
  }

  mutating func sample(_ value: Double) {
    begin([])
    text.append(value)
    text.append(UInt8.lineFeed)
  }

  /// Sum and count of a summary without quantiles.
  mutating func durations(_ total: DurationTotal) {
    begin([], suffix: "_sum")
    text.append(total.seconds)
    text.append(UInt8.lineFeed)
    begin([], suffix: "_count")
    text.append(total.count)
    text.append(UInt8.lineFeed)
  }

  private mutating func begin(_ labels: [(name: StaticString, value: [UInt8])], suffix: StaticString = "") {
    text.append(name)
    text.append(suffix)
    var separator = UInt8(ascii: "{")
    for (label, value) in labels {
      text.append(separator)
      separator = UInt8(ascii: ",")
      text.append(label)
      text.append("=\"" as StaticString)
      PrometheusName.writeLabelValue(value.span, to: &text)
      text.append(UInt8(ascii: "\""))
    }
    if !labels.isEmpty { text.append(UInt8(ascii: "}")) }
    text.append(UInt8.space)
  }
}
