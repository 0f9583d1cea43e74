/// Why a line was not taken. The raw value is an index into a ledger's counters, `label` the name that the outside sees.
@frozen @usableFromInline
package enum Refusal: UInt8, CaseIterable, Error, Sendable {
  case emptyName, badName, noValue, badValue, badType, badRate, badTags, badTimestamp, tooLong, truncated, limit,
    refusedSource,
    malformed

  /// The value of the label `reason`, and of `error` in an explanation.
  package var label: StaticString {
    switch self {
    case .emptyName: "empty_name"
    case .badName: "bad_name"
    case .noValue: "no_value"
    case .badValue: "bad_value"
    case .badType: "bad_type"
    case .badRate: "bad_rate"
    case .badTags: "bad_tags"
    case .badTimestamp: "bad_timestamp"
    case .tooLong: "too_long"
    case .truncated: "truncated"
    case .limit: "limit"
    case .refusedSource: "refused_source"
    case .malformed: "malformed"
    }
  }
}

/// A refusal and where in the line it came about: a byte offset from the line's first byte.
@frozen @usableFromInline
package struct LineFault: Error, Equatable, Sendable {
  @usableFromInline package var reason: Refusal
  @usableFromInline package var offset: Int

  @inlinable
  package init(_ reason: Refusal, at offset: Int) {
    self.reason = reason
    self.offset = offset
  }
}
