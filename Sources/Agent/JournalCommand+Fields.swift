import Aggregation
import Protocol

/// How `footfall journal dump` shows a record: its name and its fields. Of sketches, sets and history it tells the size.
extension JournalRecord {
  /// A field's value, as JSON has it.
  enum FieldValue {
    case whole(Int64)
    case number(Double)
    case numbers([Double])
    case text([UInt8])

    static func whole(_ number: some BinaryInteger) -> Self { .whole(Int64(clamping: number)) }
    static func text(_ text: StaticString) -> Self { .text(Array(text.description.utf8)) }
  }

  typealias Fields = [(name: String, value: FieldValue)]

  /// The record's name, and what it says, in the order in which it is shown.
  var shown: (name: String, fields: Fields) {
    switch self {
    case .define(let number, let kind, _, let spelling):
      (
        "define",
        [("number", .whole(number)), ("kind", .text(kind.label)), ("series", .text(spelling.map(SeriesLabels.plain)))]
      )
    case .left(let number): ("left", [("number", .whole(number))])
    case .counter(let number, let whole, let fraction): ("counter", Self.total(number, whole, fraction))
    case .base(let number, let whole, let fraction): ("base", Self.total(number, whole, fraction))
    case .raise(let number, let whole, let fraction, let baseWhole, let baseFraction):
      (
        "raise",
        Self.total(number, whole, fraction)
          + [("base", .whole(baseWhole)), ("base_fraction", .number(baseFraction))]
      )
    case .gauge(let number, let value): ("gauge", [("number", .whole(number)), ("value", .number(value))])
    case .timer(let number, let count, let sum, let weights):
      (
        "timer",
        [("number", .whole(number)), ("count", .number(count)), ("sum", .number(sum)), ("weights", .numbers(weights))]
      )
    case .lateCount(let number, let second, let whole, let fraction):
      ("late_count", Self.total(number, whole, fraction) + [("second", .whole(second))])
    case .lateValue(let number, let second, let value, let weight):
      (
        "late_value",
        [
          ("number", .whole(number)), ("second", .whole(second)), ("value", .number(value)),
          ("weight", .number(weight)),
        ]
      )
    case .samples(let number, let second, let sum, let least, let greatest, let run):
      ("samples", Self.samples(number, second, sum, least, greatest, run))
    case .members(let number, let second, let members):
      ("members", [("number", .whole(number)), ("second", .whole(second)), ("bytes", .whole(members.count))])
    case .snapshotBegins: ("snapshot_begins", [])
    case .snapshotEnds: ("snapshot_ends", [])
    case .series(let number, let age): ("series", [("number", .whole(number)), ("age", .whole(age))])
    case .recentSamples(let number, let second, let sum, let least, let greatest, let run):
      ("recent_samples", Self.samples(number, second, sum, least, greatest, run))
    case .recentMembers(let number, let second, let members):
      ("recent_members", [("number", .whole(number)), ("second", .whole(second)), ("bytes", .whole(members.count))])
    case .history(let number, let bytes): ("history", [("number", .whole(number)), ("bytes", .whole(bytes.count))])
    case .family(let kind, let name, let totals):
      (
        "family",
        [
          ("kind", .text(kind.label)), ("metric", .text(name)), ("total", .whole(totals.whole)),
          ("fraction", .number(totals.fraction)), ("sum", .number(totals.sum)), ("base", .whole(totals.baseWhole)),
          ("base_fraction", .number(totals.baseFraction)),
        ]
      )
    case .familyHistory(let kind, let name, let bytes):
      (
        "family_history", [("kind", .text(kind.label)), ("metric", .text(name)), ("bytes", .whole(bytes.count))]
      )
    }
  }

  private static func total(_ number: UInt32, _ whole: Int64, _ fraction: Double) -> Fields {
    let fields: Fields = [("number", .whole(number)), ("total", .whole(whole))]
    return fraction == 0 ? fields : fields + [("fraction", .number(fraction))]
  }

  private static func samples(
    _ number: UInt32, _ second: UInt32, _ sum: Double, _ least: Double, _ greatest: Double, _ run: [UInt8]
  ) -> Fields {
    [
      ("number", .whole(number)), ("second", .whole(second)), ("sum", .number(sum)), ("least", .number(least)),
      ("greatest", .number(greatest)), ("bytes", .whole(run.count)),
    ]
  }
}
