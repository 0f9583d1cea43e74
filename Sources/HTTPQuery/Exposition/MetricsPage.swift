import Aggregation
import Bytes
import Platform
import Protocol

/// A page of `/metrics`, made while it goes out: the program's own families, then those of the series, each whole and once.
///
///     own ─▶ family ─┬────────────▶ series … ─▶ family … ─▶ end
///                    └▶ examine … ─┘  └▶ recall … ─┘
///
/// - `examine`: OpenMetrics must know before a counter's head is written whether one of its series is negative.
/// - `recall`: names of labels have met (`LabelText`), so what was written of this family is looked through once more by hash; from
///   there on a series whose labels are on the page already is left out.
///
/// A page's memory is one piece and, in a family where labels have met, eight bytes a series. The view is pinned as long as the page
/// lives, so that it finds its way on after every pause.
final class MetricsPage {
  /// A piece ends at this many bytes, or after this much work; at about 100 ns a series either is well below a millisecond.
  private static let pieceBytes = 48 * 1_024
  private static let pieceWork = 5_000
  /// What a sketch or a set costs, in plain series.
  private static let mergeCost = 100

  private enum Stage {
    case own
    case family(FamilyID?)
    case examine(FamilyID, next: SeriesID?)
    case recall(upTo: SeriesID, next: SeriesID)
    case series(SeriesID?)
    case end
  }

  private let state: QueryState
  private let pin: ViewPin
  private let settings: PageSettings
  private let metric: Glob?
  private var stage = Stage.own
  private var family: FamilyID = 0
  private var text: FamilyText?
  /// Hashes of the labels that the family has on the page; nil while its labels' names have not met.
  private var written: Set<Int>?
  private var nanoseconds: Int64 = 0

  static func answer(_ state: QueryState, _ call: Route.Call) -> Route.Answer {
    var parameters = QueryParameters(call.request)
    let metric = parameters.glob("metric")
    if let refusal = parameters.refusal { return .ready(refusal) }
    let format = ExpositionFormat(call.request.accept)
    let page = MetricsPage(state, format, metric)
    var response = Response(type: format.contentType, body: .stream(BodyStream { page.produce(&$0) }))
    response.fields.append(("Vary", "Accept"))
    response.fields.append(("Cache-Control", "no-store"))
    return .ready(response)
  }

  init(_ state: QueryState, _ format: ExpositionFormat, _ metric: Glob? = nil) {
    self.state = state
    self.metric = metric
    pin = ViewPin(state)
    settings = PageSettings(state.settings, format)
  }

  /// Appends the next piece.
  func produce(_ writer: inout ByteWriter) -> BodyStream.Step {
    let begin = Clock.monotonic()
    var work = Self.pieceWork
    var isFinished = false
    while !isFinished && writer.count < Self.pieceBytes && work > 0 {
      work -= 1
      isFinished = step(&writer, &state.view, &work)
    }
    nanoseconds += Clock.monotonic() - begin
    if isFinished { state.scrapes.add(nanoseconds: nanoseconds) }
    return isFinished ? .finished : .more
  }

  /// - Returns: true at the end of the page.
  private func step(_ writer: inout ByteWriter, _ view: inout MergedView, _ work: inout Int) -> Bool {
    switch stage {
    case .own:
      writer.append(OwnMetrics.text(state, view, settings.format.language, metric))
      stage = .family(view.firstFamily)
    case .family(let next):
      guard let next else {
        stage = .end
        return false
      }
      begin(next, in: view, to: &writer)
    case .examine(let family, let next):
      examine(family, next, in: view, to: &writer)
    case .recall(let last, let next):
      recall(next, upTo: last, in: view)
    case .series(let next):
      guard let next else {
        stage = .family(view.family(after: family))
        return false
      }
      writeSeries(from: next, in: &view, to: &writer, &work)
    case .end:
      if settings.format.language == .openMetrics { writer.append("# EOF\n" as StaticString) }
      return true
    }
    return false
  }

  private func begin(_ next: FamilyID, in view: borrowing MergedView, to writer: inout ByteWriter) {
    family = next
    guard state.exposed.contains(next, in: settings.format.language), isWanted(next, in: view) else {
      stage = .family(view.family(after: next))
      return
    }
    let kind = view.family(next).kind
    if settings.format.language == .openMetrics && (kind == .counter || kind == .event) {
      stage = .examine(next, next: view.firstSeries(of: next))
    } else {
      open(in: view, isUnknown: false, to: &writer)
    }
  }

  /// By the metric's own name, or by the one that it has on the page.
  private func isWanted(_ family: FamilyID, in view: borrowing MergedView) -> Bool {
    guard let metric else { return true }
    let name = view.name(of: family)
    if metric.matches(name.span) { return true }
    let exposed = ExposedName(name, kind: view.family(family).kind, language: .text, hasBuckets: false)
    return metric.matches(exposed.bytes.span)
  }

  private func open(in view: borrowing MergedView, isUnknown: Bool, to writer: inout ByteWriter) {
    let text = FamilyText(family, in: view, settings, isUnknown: isUnknown)
    text.writeHead(to: &writer)
    self.text = text
    written = nil
    stage = .series(view.firstSeries(of: family))
  }

  private func examine(
    _ family: FamilyID, _ next: SeriesID?, in view: borrowing MergedView, to writer: inout ByteWriter
  ) {
    guard let next else { return open(in: view, isUnknown: false, to: &writer) }
    if view.series(next).total.value < 0 { return open(in: view, isUnknown: true, to: &writer) }
    stage = .examine(family, next: view.series(after: next))
  }

  /// Writes series until the piece is full or the family ends.
  private func writeSeries(
    from first: SeriesID, in view: inout MergedView, to writer: inout ByteWriter, _ work: inout Int
  ) {
    // Out of the object for the length of the loop: a member of a class is checked for exclusive access each time.
    guard var text = text.take() else { return }
    defer { self.text = text }
    let cost = text.kind.isTimer || text.kind == .set ? Self.mergeCost : 1
    var next: SeriesID? = first
    while let id = next, writer.count < Self.pieceBytes && work > 0 {
      work -= cost
      if written == nil || written?.insert(Self.hash(of: id, &text, in: view)).inserted == true {
        let start = writer.count
        text.writeSeries(id, in: &view, to: &writer)
        if text.labelsMeet && written == nil {
          // They met within this series: it comes again when all before it is known.
          writer.truncate(to: start)
          written = []
          stage = view.firstSeries(of: family).map { .recall(upTo: id, next: $0) } ?? .end
          return
        }
      } else {
        state.exposed.countSeriesLeftOut(of: view.name(of: family))
      }
      next = view.series(after: id)
    }
    stage = .series(next)
  }

  private func recall(_ next: SeriesID, upTo last: SeriesID, in view: borrowing MergedView) {
    guard next != last, var text else {
      stage = .series(last)
      return
    }
    written?.insert(Self.hash(of: next, &text, in: view))
    stage = view.series(after: next).map { .recall(upTo: last, next: $0) } ?? .series(last)
  }

  private static func hash(of id: SeriesID, _ text: inout FamilyText, in view: borrowing MergedView) -> Int {
    var labels = ByteWriter(capacity: 128)
    text.writeLabels(of: id, in: view, to: &labels)
    return labels.bytes.hashValue
  }
}
