import Aggregation
import Bytes
import Protocol

/// Writes the labels of one family's series, `page="page1",zone="eu"`, straight from their spellings.
///
/// The series of a family mostly have the same label names, so each name is made fit for the page once and then only recognised.
/// Two labels whose names meet once they are fit join their values with commas. Nothing of that sort can happen while no two names of
/// the family meet and no value is empty, and `namesMeet` says when that first happens: from then on labels are sorted and joined with care, and whoever writes
/// the page must look for series that have become the same.
struct LabelText {
  /// Beyond so many names in a family, each series is written with care.
  static let nameLimit = 64

  private let onTimer: Bool
  private let quotesNames: Bool
  private let keyLabels: KeyLabels
  /// The label of the family's keys; empty until one is met.
  private var keyLabel: [UInt8] = []
  /// Label names as the spellings have them, and as the page has them: `page="`. Each behind the other, with where they end, since an
  /// array an element would be counted up and down with each series.
  private var raw = Pieces()
  private var fit = Pieces()
  /// Two of the family's names have met, or there are too many to tell.
  private(set) var namesMeet = false

  init(kind: SampleKind, quotesNames: Bool, keyLabels: KeyLabels) {
    onTimer = kind.isTimer
    self.quotesNames = quotesNames
    self.keyLabels = keyLabels
  }

  /// Appends a series' labels without braces; nothing if it has none.
  mutating func write(_ spelling: Span<UInt8>, to writer: inout ByteWriter) {
    if namesMeet { return writeWithCare(spelling, to: &writer) }
    let start = writer.count
    let labels = SeriesLabels(of: spelling)
    if keyLabel.isEmpty && labels.key != nil { keyLabel = labels.keyLabel(in: spelling, keyLabels) }
    var place = 0
    labels.forEach(in: spelling, keyLabel: keyLabel) { key, value in
      // Left out: to Prometheus an empty label is an absent one, so a series with it may become another.
      if value.isEmpty { namesMeet = true }
      if writer.count > start { writer.append(UInt8(ascii: ",")) }
      let known = place < raw.count && raw.isEqual(place, key) ? place : find(key)
      fit.write(known, to: &writer)
      Self.writeValue(value, to: &writer)
      writer.append(UInt8(ascii: "\""))
      place = known + 1
    }
    if namesMeet {
      writer.truncate(to: start)
      writeWithCare(spelling, to: &writer)
    }
  }

  /// The place of a name that is not where it was expected; a new one is made fit.
  private mutating func find(_ key: Span<UInt8>) -> Int {
    for place in 0..<raw.count where raw.isEqual(place, key) { return place }
    let name = fitName(key)
    if raw.count == Self.nameLimit { namesMeet = true }
    for place in 0..<fit.count where fit.isEqual(place, name.span) { namesMeet = true }
    raw.append(key)
    fit.append(name.span)
    return raw.count - 1
  }

  private func fitName(_ key: Span<UInt8>) -> [UInt8] {
    let plain = key.plainBytes
    var writer = ByteWriter(capacity: key.count + 16)
    if quotesNames && !PrometheusName.isPlainLabel(plain.span) {
      writer.append(UInt8(ascii: "\""))
      PrometheusName.writeLabelValue(plain.span, to: &writer)
      writer.append(UInt8(ascii: "\""))
    } else {
      PrometheusName.writeLabel(plain.span, onTimer: onTimer, to: &writer)
    }
    writer.append("=\"" as StaticString)
    return writer.bytes
  }

  private func writeWithCare(_ spelling: Span<UInt8>, to writer: inout ByteWriter) {
    var labels: [(name: [UInt8], value: [UInt8])] = []
    SeriesLabels(of: spelling).forEach(in: spelling, keyLabels: keyLabels) { key, value in
      if value.isEmpty { return }
      var text = ByteWriter()
      Self.writeValue(value, to: &text)
      labels.append((fitName(key), text.bytes))
    }
    // Sorted by the new names, those of one name in the order of the old ones, so that the same labels always read the same.
    let order = labels.indices.sorted { left, right in
      labels[left].name == labels[right].name
        ? left < right : labels[left].name.lexicographicallyPrecedes(labels[right].name)
    }
    for (turn, place) in order.enumerated() {
      if turn > 0 && labels[order[turn - 1]].name == labels[place].name {
        writer.truncate(to: writer.count - 1)
        writer.append(UInt8(ascii: ","))
      } else {
        if turn > 0 { writer.append(UInt8(ascii: ",")) }
        writer.append(labels[place].name)
      }
      writer.append(labels[place].value)
      writer.append(UInt8(ascii: "\""))
    }
  }

  /// A value escaped for the page. Lines hold no control bytes, so an LF cannot come.
  static func writeValue(_ value: Span<UInt8>, to writer: inout ByteWriter) {
    var start = 0
    for place in value.indices {
      let byte = value[place]
      if byte >= 0x20 && byte != UInt8(ascii: "\"") && byte != UInt8(ascii: "\\") { continue }
      writer.append(value.extracting(start..<place))
      start = place + 1
      if byte >= 0x20 { writer.append(UInt8(ascii: "\\")) }
      writer.append(SeriesLabels.plain(byte))
    }
    writer.append(value.extracting(start..<value.count))
  }
}

/// Short texts in one array.
private struct Pieces {
  private var bytes: [UInt8] = []
  private var ends: [Int] = []

  var count: Int { ends.count }

  func write(_ place: Int, to writer: inout ByteWriter) {
    writer.append(bytes.span.extracting(start(of: place)..<ends[place]))
  }

  func isEqual(_ place: Int, _ text: Span<UInt8>) -> Bool {
    let start = start(of: place)
    if ends[place] - start != text.count { return false }
    for offset in text.indices where bytes[start + offset] != text[offset] { return false }
    return true
  }

  mutating func append(_ text: Span<UInt8>) {
    for place in text.indices { bytes.append(text[place]) }
    ends.append(bytes.count)
  }

  private func start(of place: Int) -> Int { place == 0 ? 0 : ends[place - 1] }
}
