import Aggregation
import Bytes
import Protocol

/// How a page of `/metrics` is written.
struct PageSettings {
  var format: ExpositionFormat
  /// Shares of timers' quantiles, with what stands in the label.
  var quantiles: [(share: Double, text: [UInt8])]
  /// Labels of the upper bounds of timers' buckets; empty: timers are summaries.
  var buckets: [[UInt8]]
  var hasNegativeBuckets: Bool

  /// OpenMetrics wants `1.0` where text 0.0.4 would take `1`; the same in both keeps a series one series, whoever scrapes.
  init(_ settings: QuerySettings, _ format: ExpositionFormat) {
    self.format = format
    quantiles = settings.quantiles.map { ($0, Array($0.description.utf8)) }
    buckets = settings.buckets.map { Array($0.description.utf8) }
    hasNegativeBuckets = settings.buckets.contains { $0 < 0 }
  }
}

/// Writes one family of series: its HELP and TYPE, then each series' samples.
///
///     # HELP visit_total Counter visit as received.
///     # TYPE visit_total counter
///     visit_total{page="page1"} 1
///
/// What OpenMetrics forbids is left out there: the total of a counter that fell below zero while the page was under way, negative
/// quantiles and sums. A count that is no whole number is rounded there.
struct FamilyText {
  let kind: SampleKind
  private let settings: PageSettings
  private let isOpenMetrics: Bool
  private let isUnknown: Bool
  private let metric: [UInt8]
  /// What the samples' names begin with.
  private let name: [UInt8]
  /// The name as samples without a suffix begin: `visit_total`, or `{"my.visit_total"`.
  private let head: [UInt8]
  private let isQuoted: Bool
  private var labels: LabelText
  /// Labels of a series that has several samples.
  private var scratch = ByteWriter(capacity: 256)

  /// - Parameter isUnknown: this is a counter, and one of its series is negative, so that OpenMetrics must not hear of a counter.
  init(_ family: FamilyID, in view: borrowing MergedView, _ settings: PageSettings, isUnknown: Bool) {
    self.settings = settings
    isOpenMetrics = settings.format.language == .openMetrics
    self.isUnknown = isUnknown
    let metric = view.name(of: family)
    let kind = view.family(family).kind
    let isQuoted = settings.format.quotesNames && !PrometheusName.isPlainMetric(metric.span)
    self.metric = metric
    self.kind = kind
    self.isQuoted = isQuoted
    labels = LabelText(kind: kind, quotesNames: settings.format.quotesNames, keyLabels: view.keyLabels)
    name = Self.name(metric, kind, isQuoted: isQuoted)
    head = isQuoted ? Array("{\"".utf8) + name + [UInt8(ascii: "\"")] : name
  }

  /// The name with `_total` and `_seconds`: made plain, or escaped for quotes.
  private static func name(_ metric: [UInt8], _ kind: SampleKind, isQuoted: Bool) -> [UInt8] {
    var writer = ByteWriter(capacity: metric.count + 8)
    if isQuoted {
      PrometheusName.writeLabelValue(metric.span, to: &writer)
    } else {
      PrometheusName.writeMetric(metric.span, to: &writer)
    }
    switch kind {
    case .counter, .event: return ExposedName.withoutTotal(writer.bytes) + ExposedName.total
    case .timer: return writer.bytes + Array("_seconds".utf8)
    case .gauge, .histogram, .distribution, .set, .serviceCheck: return writer.bytes
    }
  }

  /// Names of labels have met: series may have become the same.
  var labelsMeet: Bool { labels.namesMeet }

  private var isCounter: Bool { kind == .counter || kind == .event }
  private var isHistogram: Bool { kind.isTimer && !settings.buckets.isEmpty }

  /// Writes HELP and TYPE.
  func writeHead(to writer: inout ByteWriter) {
    writer.append("# HELP " as StaticString)
    writeFamilyName(to: &writer)
    writer.append(words)
    PrometheusName.writeHelp(metric.span, in: settings.format.language, to: &writer)
    writer.append(explanation)
    writer.append("\n# TYPE " as StaticString)
    writeFamilyName(to: &writer)
    writer.append(type)
    writer.append(UInt8.lineFeed)
  }

  private func writeFamilyName(to writer: inout ByteWriter) {
    let quote: StaticString = isQuoted ? "\"" : ""
    writer.append(quote)
    writer.append(isCounter && isOpenMetrics && !isUnknown ? ExposedName.withoutTotal(name) : name)
    writer.append(quote)
  }

  private var words: StaticString {
    switch kind {
    case .counter: " Counter "
    case .gauge: " Gauge "
    case .timer: " Timer "
    case .histogram: " Histogram "
    case .distribution: " Distribution "
    case .set: " Set "
    case .event: " Event "
    case .serviceCheck: " Service check "
    }
  }

  private var explanation: StaticString {
    switch kind {
    case .counter, .gauge, .histogram, .distribution: " as received."
    case .timer: " as received, in seconds."
    case .set: ": distinct members over the last hour."
    case .event: ": how often it came."
    case .serviceCheck: ": its last status, 0 to 3."
    }
  }

  private var type: StaticString {
    if isUnknown { return " unknown" }
    if isCounter { return " counter" }
    if kind.isTimer { return isHistogram ? " histogram" : " summary" }
    return " gauge"
  }
}

// MARK: - Series

extension FamilyText {
  /// Appends a series' labels without braces.
  mutating func writeLabels(of id: SeriesID, in view: borrowing MergedView, to writer: inout ByteWriter) {
    view.withSpelling(of: id) { labels.write($0, to: &writer) }
  }

  /// Writes a series' samples.
  mutating func writeSeries(_ id: SeriesID, in view: inout MergedView, to writer: inout ByteWriter) {
    let series = view.series(id)
    if kind.isTimer {
      scratch.removeAll()
      view.withSpelling(of: id) { labels.write($0, to: &scratch) }
      if isHistogram { return writeHistogram(view.timer(series), to: &writer) }
      return writeSummary(view.timer(series), view.recentSketch(series), to: &writer)
    }
    let total = series.total
    if isCounter && isOpenMetrics && !isUnknown && total.value < 0 { return }
    writer.append(head.span)
    writer.append(isQuoted ? UInt8(ascii: ",") : UInt8(ascii: "{"))
    let start = writer.count
    writeLabels(of: id, in: view, to: &writer)
    let hasLabels = writer.count > start
    if !hasLabels { writer.truncate(to: start - 1) }
    if hasLabels || isQuoted { writer.append(UInt8(ascii: "}")) }
    writer.append(UInt8.space)
    switch kind {
    case .counter, .event:
      if let whole = total.whole { writer.append(whole) } else { writer.append(total.value) }
    case .set: writer.append(view.cardinality(series))
    default: writer.append(series.gauge)
    }
    writer.append(UInt8.lineFeed)
  }

  private func writeSummary(_ timer: TimerState, _ recent: Sketch, to writer: inout ByteWriter) {
    for (share, text) in settings.quantiles {
      let value = recent.quantile(share) ?? .nan
      if isOpenMetrics && value < 0 { continue }
      writeSample("", label: "quantile", text, to: &writer)
      writer.append(exported(value))
      writer.append(UInt8.lineFeed)
    }
    if !isOpenMetrics || timer.sum >= 0 { writeSum(timer, to: &writer) }
    writeCount(timer.count, to: &writer)
  }

  private func writeHistogram(_ timer: TimerState, to writer: inout ByteWriter) {
    var below = 0.0
    for (place, text) in (settings.buckets + [Array("+Inf".utf8)]).enumerated() {
      if place < timer.bounds.count { below += timer.bounds[place] }
      writeSample("_bucket", label: "le", text, to: &writer)
      writer.append(counted(below))
      writer.append(UInt8.lineFeed)
    }
    // OpenMetrics: a sum may not be negative, and without it there is no count.
    if isOpenMetrics && (timer.sum < 0 || settings.hasNegativeBuckets) { return }
    writeSum(timer, to: &writer)
    writeCount(below, to: &writer)
  }

  private func writeSum(_ timer: TimerState, to writer: inout ByteWriter) {
    writeSample("_sum", to: &writer)
    writer.append(exported(timer.sum))
    writer.append(UInt8.lineFeed)
  }

  private func writeCount(_ count: Double, to writer: inout ByteWriter) {
    writeSample("_count", to: &writer)
    writer.append(counted(count))
    writer.append(UInt8.lineFeed)
  }

  /// Name and labels of one of several samples.
  private func writeSample(
    _ suffix: StaticString, label: StaticString = "", _ value: [UInt8] = [], to writer: inout ByteWriter
  ) {
    if isQuoted { writer.append("{\"" as StaticString) }
    writer.append(name)
    writer.append(suffix)
    if isQuoted { writer.append(UInt8(ascii: "\"")) }
    var separator = isQuoted ? UInt8(ascii: ",") : UInt8(ascii: "{")
    if scratch.count > 0 {
      writer.append(separator)
      separator = UInt8(ascii: ",")
      writer.append(scratch.bytes)
    }
    if !value.isEmpty {
      writer.append(separator)
      writer.append(label)
      writer.append("=\"" as StaticString)
      writer.append(value)
      writer.append(UInt8(ascii: "\""))
    }
    if isQuoted || scratch.count > 0 || !value.isEmpty { writer.append(UInt8(ascii: "}")) }
    writer.append(UInt8.space)
  }

  /// From the lines' unit to the page's: seconds for what came in milliseconds.
  private func exported(_ value: Double) -> Double { kind == .timer ? value / 1_000 : value }

  private func counted(_ weight: Double) -> Double { isOpenMetrics ? weight.rounded() : weight }
}
