import Aggregation
import Protocol

/// What others have counted of the metrics whose totals `POST /visit` and `POST /buy` answer, as it was a short while ago: those answers
/// wait for nothing.
struct SharedTotals {
  /// Nanoseconds between two looks at most.
  private static let interval: Int64 = 1_000_000_000

  private static let metrics = [VisitNames.visit, VisitNames.buy]
  private static let keys = metrics.map { SharedKey(.counter, metric: $0) }
  private var others = [SharedNumber](repeating: .zero, count: keys.count)
  /// The reads under way, by the metric's place.
  private var tickets = [UInt64](repeating: 0, count: keys.count)
  private var next: Int64 = 0
  /// Somebody has answered with them, or they are likely to have changed.
  var isWanted = true

  /// What others have counted of a metric since its resets.
  func ofOthers(_ metric: [UInt8]) -> SharedNumber {
    others[metric == VisitNames.visit ? 0 : 1]
  }

  /// When the next look is due.
  var dueTime: Int64 { isWanted ? next : .max }

  /// Asks again, if that is wanted and the last time is a while ago.
  mutating func refresh(_ sharing: Sharing, _ now: Int64) {
    if !isWanted || now < next || !sharing.isUp { return }
    isWanted = false
    next = now + Self.interval
    for (place, key) in Self.keys.enumerated() {
      tickets[place] = sharing.asking.read(key) ?? 0
    }
  }

  mutating func take(_ reply: SharedReply, for ticket: UInt64) {
    guard let place = tickets.firstIndex(of: ticket) else { return }
    if case .holding(.total(let others, _, _, _, _), _) = reply { self.others[place] = others }
  }
}
