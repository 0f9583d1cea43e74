import Aggregation
import Platform
import Protocol

/// What a `SharedKey` is called in Redis.
///
///     key  = prefix [ kind ":" ] "{" tag "}" [ ":" part ":" date ]
///     part = "hours" | "minutes" | "members" | "samples"
///     date = year "-" month "-" day [ "T" hour ]                            of UTC
///
/// The kind stands there only if something else of that name might be meant: never for counters, nor for a set's members or a timer's
/// samples, which only they have. A `\` stands before a `}` that a tag begins with, or a Cluster would not take what is between the braces
/// for the key's hash tag; no other tag begins with `\}`.
struct RedisKey: CustomStringConvertible {
  let bytes: [UInt8]
  /// How long history is kept after it was last written, in seconds: longer than any answer looks back (`HistorySpan`).
  let lifetime: Int

  /// - Complexity: O(n)
  init(_ key: SharedKey, prefix: [UInt8]) {
    var bytes = prefix
    let isPlain =
      switch (key.kind, key.part) {
      case (.counter, _), (.set, .members), (.timer, .samples): true
      default: false
      }
    if !isPlain { bytes += "\(key.kind.label):".utf8 }
    bytes.append(UInt8(ascii: "{"))
    if key.tag.first == UInt8(ascii: "}") { bytes.append(UInt8(ascii: "\\")) }
    bytes += key.tag
    bytes.append(UInt8(ascii: "}"))
    let days = 86_400
    switch key.part {
    case .total: lifetime = 9 * days
    case .hours(let day):
      bytes += ":hours:\(Self.date(hour: day * 24).prefix(10))".utf8
      lifetime = 9 * days
    case .minutes(let hour):
      bytes += ":minutes:\(Self.date(hour: hour))".utf8
      lifetime = 26 * 3_600
    case .members(let hour):
      bytes += ":members:\(Self.date(hour: hour))".utf8
      lifetime = 9 * days
    case .samples(let hour):
      bytes += ":samples:\(Self.date(hour: hour))".utf8
      lifetime = 9 * days
    }
    self.bytes = bytes
  }

  /// The stream in which agents tell each other of resets. No series' key is without braces.
  static func resets(prefix: [UInt8]) -> [UInt8] { prefix + "resets".utf8 }

  /// `2026-11-21T14`
  private static func date(hour: Int64) -> Substring {
    WallClock.iso8601(hour * 3_600_000_000_000).prefix(13)
  }

  var description: String { String(decoding: bytes, as: UTF8.self) }
}
