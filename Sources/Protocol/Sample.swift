/// What a sample does to its series. Part of a series' identity: a counter and a gauge of one name are two series.
@frozen @usableFromInline
package enum SampleKind: UInt8, CaseIterable, Sendable {
  case counter, gauge, timer, histogram, distribution, set, event, serviceCheck

  /// The name that `explain`, `/stats` and `/series` give it.
  package var label: StaticString {
    switch self {
    case .counter: "counter"
    case .gauge: "gauge"
    case .timer: "timer"
    case .histogram: "histogram"
    case .distribution: "distribution"
    case .set: "set"
    case .event: "event"
    case .serviceCheck: "service_check"
    }
  }
}

/// How the caller goes on after a line was read.
@frozen @usableFromInline
package enum SampleForm: UInt8, Sendable {
  /// One number, or a set's one member.
  case single
  /// Packed values or packed types: ask `LineReader.forEachSample`.
  case several
  /// An empty line: not counted as read.
  case empty
  /// Refused: `fault` says why.
  case refused
}

/// What one line says, by offsets into the bytes that it was read from. It owns nothing and is overwritten by the next line.
///
///     visit:page1|c|@0.5|#env:prod,beta
///     └─────────┘         └───────────┘
///     name (with a key)    tags
///
/// `name` and `tags` together are the series' *spelling*: two lines with the same spelling and kind are of one series, so a table
/// finds it by these bytes as they stand. Only a spelling that it does not know is taken apart (`SeriesSpelling`), which is also
/// where its bytes are checked: a known spelling is a good one.
@frozen @usableFromInline
package struct Sample {
  @usableFromInline package var form: SampleForm = .empty
  @usableFromInline package var kind: SampleKind = .counter
  /// The gauge's value is added to what it was.
  @usableFromInline package var isRelative = false
  /// `integer` holds the value, else `double` does. `double` is set in both cases.
  @usableFromInline package var isInteger = true
  /// First byte of the line, from which faults are counted.
  @usableFromInline package var lineStart = 0
  /// The name with its inline tags, and for a keyed count `:key`.
  @usableFromInline package var nameStart = 0
  @usableFromInline package var nameEnd = 0
  /// What stands after `|#`, up to the next section; empty if there is none.
  @usableFromInline package var tagsStart = 0
  @usableFromInline package var tagsEnd = 0
  /// A set's member, or all values and types of a `.several` line.
  @usableFromInline package var valueStart = 0
  @usableFromInline package var valueEnd = 0
  @usableFromInline package var integer: Int64 = 0
  @usableFromInline package var double = 0.0
  /// As it stands in the line; 1 if it does not. Finite and above 0.
  @usableFromInline package var rate = 1.0
  /// Seconds since 1970, or `Sample.noTimestamp`.
  @usableFromInline package var timestamp: Int64 = Sample.noTimestamp
  /// Sections of the line that the grammar does not know.
  @usableFromInline package var skippedSections = 0
  @usableFromInline package var fault = LineFault(.malformed, at: 0)

  @usableFromInline package static let noTimestamp = Int64.min

  /// An empty line.
  @inlinable
  package init() {}
}
