import Bytes
import Platform
import Protocol
import Synchronization

/// What all tables have counted together: every series once, with its total.
///
/// One thread owns the view; it is the tables' only reader. `gather` (MergedView+Gather.swift) brings it up to date and costs what has
/// changed, not what there is.
///
///     tables' logs ─ gather ─▶ series ─┬─ families, in order of appearance
///                                      └─ states of timers and sets
///
/// Series and families keep their ids while they live. A `pin` keeps everything in its place, so that long work may pause between slices.
@safe
package struct MergedView: ~Copyable {
  let hasher: SpellingHash
  /// Where the key of a keyed count goes.
  package let keyLabels: KeyLabels
  let budget: SeriesBudget
  /// How long things stay; all but the quantile window may be set anew.
  package var settings: Settings
  /// See MergedView+MemoryLimit.swift.
  var isFull = false
  var sources: [TableSource]

  var series: ReservedArray<Series>
  var seriesMade = 0
  var freeSeries: [SeriesID] = []
  var seriesIndex: SpellingIndex
  var families: ReservedArray<Family>
  var familiesMade = 0
  var freeFamilies: [FamilyID] = []
  var familyIndex: SpellingIndex
  var firstFamilyLink: UInt32 = 0
  var lastFamilyLink: UInt32 = 0
  var texts: TextArena
  var timers = StateList<TimerState>()
  var sets = StateList<SetState>()

  /// What counters had counted when they were last reset (MergedView+Reset.swift); of most there is nothing.
  var seriesBases: [SeriesID: Total] = [:]
  var familyBases: [FamilyID: Total] = [:]

  /// Samples that a limit sent to `__other__`, by metric; those of metrics beyond `limitedMetrics` under `__other__`.
  package internal(set) var limited: [[UInt8]: Int64] = [:]
  static let limitedMetrics = 1_000
  static let otherMetrics = Array("__other__".utf8)
  /// The last refused lines that were kept, oldest first, at most `recentRefusalLimit`.
  package internal(set) var recentRefusals: [RefusedLine] = []
  static let recentRefusalLimit = 100
  /// Who sent how much.
  package internal(set) var senders = SenderRanking()
  /// Live series by kind.
  package internal(set) var seriesByKind = InlineArray<8, Int>(repeating: 0)
  /// Families that appeared or left since somebody last asked; whoever keeps names by family takes them after each gather.
  package var familyChanges: [FamilyChange] = []

  /// What everything has counted over the last 168 hours.
  var history: History
  var familyGathering = FamilyGathering()
  /// See MergedView+Busiest.swift.
  var busiestSeries: [BusiestSeries] = []
  /// Changes whenever something was counted, came or left: what was answered from the view holds as long as it stays.
  package internal(set) var generation: UInt64 = 0
  /// Samples whose own time could not be heeded, since too many bore one within a flush: they count as of the present.
  package internal(set) var lateMisplaced: UInt64 = 0
  // Where letting history grow older goes on, and when it last did.
  var seriesSweep = 0
  var familySweep = 0
  var historySwept: Int64 = -1

  // The gather in hand, and the reader's clock.
  var second: Int64 = 0
  var gathering: GatherProgress?
  var pins = 0
  var departed: [SeriesID] = []
  var sketchScratch: SketchScratch
  var raiseScratch: [HyperLogLog.Raise] = []

  // What the journal is to be told (Keeping/), and what it gives back.
  var changes: KeptChanges
  var restoring: Restoration?
  /// What other agents are to be told (Sharing/).
  var sharing: ShareBooks

  /// What became of a family.
  package enum FamilyChange: Sendable {
    case appeared(FamilyID)
    case left(FamilyID)
  }

  /// How long things stay.
  package struct Settings: Sendable {
    /// Seconds without a change after which gauges, timers and sets leave; nil is never.
    package var seriesTTL: Int64?
    /// The same for counters.
    package var counterTTL: Int64?
    /// Seconds that a timer's quantiles look back.
    package var quantileWindow: Int64
    /// Bytes that history may take.
    package var historyBytes: Int

    /// As the properties have it.
    package init(seriesTTL: Int64?, counterTTL: Int64?, quantileWindow: Int64, historyBytes: Int = 256 << 20) {
      self.seriesTTL = seriesTTL
      self.counterTTL = counterTTL
      self.quantileWindow = quantileWindow
      self.historyBytes = historyBytes
    }
  }

  /// An empty view of `tables`.
  package init(
    tables: [TableMemory], hasher: SpellingHash, keyLabels: KeyLabels, budget: SeriesBudget, settings: Settings
  ) throws(SystemError) {
    let capacity = tables.reduce(0) { $0 + $1.capacity }
    // All that can fail comes before the first member is set.
    let series = try ReservedArray<Series>(capacity: capacity)
    let families = try ReservedArray<Family>(capacity: capacity)
    let seriesIndex = try SpellingIndex()
    let familyIndex = try SpellingIndex()
    // A spelling is bounded by a line, and a family's name by a spelling.
    let sketchScratch = try SketchScratch()
    let texts = try TextArena(limit: capacity * (LineReader.longestLine + 64))
    var sources: [TableSource] = []
    for memory in tables { sources.append(try TableSource(memory: memory)) }
    let history = try History(byteLimit: settings.historyBytes, capacity: capacity, expected: budget.limit)
    let changes = try KeptChanges(capacity: capacity)
    let sharing = try ShareBooks(capacity: capacity)
    self.series = series
    self.families = families
    self.seriesIndex = seriesIndex
    self.familyIndex = familyIndex
    self.texts = texts
    self.sketchScratch = sketchScratch
    self.sources = sources
    self.history = history
    self.changes = changes
    self.sharing = sharing
    self.hasher = hasher
    self.keyLabels = keyLabels
    self.budget = budget
    self.settings = settings
  }

  // MARK: Reading

  /// Tables that feed it.
  package var tableCount: Int { sources.count }
  /// Live series.
  package var seriesCount: Int { seriesIndex.count }
  /// Live families.
  package var familyCount: Int { familyIndex.count }

  /// Whether a number from outside names a series.
  package func isLive(_ id: SeriesID) -> Bool { Int(id) < seriesMade && series[Int(id)].isLive }
  /// The series with a number that the view gave out.
  package func series(_ id: SeriesID) -> Series { series[Int(id)] }
  /// The family with a number that the view gave out.
  package func family(_ id: FamilyID) -> Family { families[Int(id)] }

  /// The family that appeared first of those live.
  package var firstFamily: FamilyID? { Self.id(firstFamilyLink) }
  /// The family that appeared next.
  package func family(after id: FamilyID) -> FamilyID? { Self.id(families[Int(id)].next) }
  /// The family's series that appeared first of those live.
  package func firstSeries(of id: FamilyID) -> SeriesID? { Self.id(families[Int(id)].first) }
  /// The series of the same family that appeared next.
  package func series(after id: SeriesID) -> SeriesID? { Self.id(series[Int(id)].next) }

  /// The metric's name, as it came.
  package func name(of id: FamilyID) -> [UInt8] {
    let family = families[Int(id)]
    // Safe: the text lives as long as the family; the bytes are copied.
    return unsafe [UInt8](texts.text(family.name, length: Int(family.nameLength)))
  }

  /// Lends the series' normal spelling (`SeriesSpelling`).
  package func withSpelling<Result>(of id: SeriesID, _ body: (Span<UInt8>) -> Result) -> Result {
    let series = series[Int(id)]
    // Safe: the text lives as long as the series, and the view does not change while it is borrowed.
    return unsafe texts.text(series.spelling, length: Int(series.spellingLength)).withMemoryRebound(to: UInt8.self) {
      unsafe body($0.span)
    }
  }

  /// The family of this name and kind.
  package func family(named name: [UInt8], kind: SampleKind) -> FamilyID? { findFamily(name, kind) }

  /// A timer's totals.
  package func timer(_ series: Series) -> TimerState { timers[Int(series.whole)] }

  /// A timer's samples of the last window.
  package mutating func recentSketch(_ series: Series) -> Sketch {
    timers.modify(Int(series.whole)) { $0.recentSketch(second: second, window: settings.quantileWindow) }
  }

  /// A set's distinct members over the last hour.
  package mutating func cardinality(_ series: Series) -> UInt64 {
    sets.modify(Int(series.whole)) { $0.cardinality(second: second) }
  }

  /// Adds a set's members of the last hour to a union over several sets.
  package mutating func addMembers(of series: Series, to union: inout HyperLogLog.Ranks) {
    sets.modify(Int(series.whole)) { $0.add(to: &union, second: second) }
  }

  /// Keeps every id and place valid until `unpin`: series that leave meanwhile wait.
  package mutating func pin() { pins += 1 }

  /// Ends a `pin`; with the last one, series that left meanwhile go.
  package mutating func unpin() {
    pins -= 1
    if pins == 0 { removeDeparted() }
  }

  /// Bytes by what they are for; reservations count as far as they were touched, since what was touched stays with the process. `values` is
  /// what the workers gather timers and sets in, `states` what the view keeps of them, `journal` what is known of what has changed,
  /// `sharing` the same of what other agents are to be told, `allocator` what malloc(3) is likely to add to both: a head of 8 bytes and rounding to 16, in blocks of some 50 bytes and more.
  /// - Complexity: O(tables).
  package var memory: [(part: StaticString, bytes: Int)] {
    var records = 0
    var indexes = seriesIndex.byteCount + familyIndex.byteCount
    var blocks = 0
    var spellings = texts.byteCount
    for source in sources {
      let used = source.memory.recordsInUse.load(ordering: .relaxed)
      records += used * (SeriesRecord.byteCount + TableSource.bytesPerRecord)
      indexes += source.memory.indexBytes.load(ordering: .relaxed)
      spellings += source.memory.textBytes.load(ordering: .relaxed)
      blocks += source.memory.blockBytes.load(ordering: .relaxed) - source.freedBytes
    }
    let view =
      seriesMade * MemoryLayout<Series>.stride + familiesMade * MemoryLayout<Family>.stride
      + (seriesBases.capacity + familyBases.capacity) * Self.bytesPerBase
    let states = timers.byteCount + sets.byteCount
    return [
      ("records", records), ("indexes", indexes), ("series", view), ("texts", spellings),
      ("values", max(0, blocks)), ("states", states), ("history", history.touchedBytes),
      ("journal", changes.isOn ? seriesMade * KeptChanges.bytesPerSeries + changes.byteCount : 0),
      ("sharing", sharing.byteCount(series: seriesMade, families: familiesMade)),
      ("allocator", max(0, blocks + states) / 6),
    ]
  }

  /// Of a base: key and value in a hash table at most three quarters full.
  private static let bytesPerBase = 32

  static func id(_ link: UInt32) -> UInt32? { link == 0 ? nil : link - 1 }
}
