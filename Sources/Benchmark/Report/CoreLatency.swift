import Platform
import Synchronization

/// Nanoseconds to hand a cache line from one processor to another: half a round trip, the middle of 40 means of 500. A thread that loses
/// its processor for a while spoils one mean only.
///
/// Where a machine's processors are shared, this moves by a factor of five within seconds, and with it every figure that crosses cores:
/// only what was measured in one phase, interleaved, can be compared.
enum CoreLatency {
  private static let means = 40
  private static let roundsAMean = 500
  private static let rounds = means * roundsAMean

  private final class Flag: Sendable {
    // A cache line of its own on both sides.
    private let before: InlineArray<16, UInt64> = .init(repeating: 0)
    let value = Atomic<Int>(0)
    private let after: InlineArray<16, UInt64> = .init(repeating: 0)

    func wait(for wanted: Int) { while value.load(ordering: .acquiring) != wanted {} }
  }

  /// Nil where there is one processor only.
  static func nanoseconds() throws(SystemError) -> Double? {
    if ProcessFacts.processors < 2 { return nil }
    let flag = Flag()
    let thread = try Thread("answer") {
      Pinning.on(1) {
        for round in 0..<rounds {
          flag.wait(for: 2 * round + 1)
          flag.value.store(2 * round + 2, ordering: .releasing)
        }
      }
    }
    var times: [Int64] = []
    Pinning.on(0) {
      for round in 0..<rounds {
        if round % roundsAMean == 0 { times.append(Clock.monotonic()) }
        flag.value.store(2 * round + 1, ordering: .releasing)
        flag.wait(for: 2 * round + 2)
      }
      times.append(Clock.monotonic())
    }
    thread.join()
    let means = zip(times, times.dropFirst()).map { Double($1 - $0) / Double(roundsAMean) / 2 }
    return Spread(means).median
  }

  /// `near, 41 ns` or `far, 190 ns`.
  static func text() throws(SystemError) -> String {
    guard let latency = try nanoseconds() else { return "one processor" }
    return "\(latency < 100 ? "near" : "far"), \(latency.short) ns"
  }
}
