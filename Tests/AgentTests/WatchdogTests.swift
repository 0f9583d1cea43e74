import Platform
import Testing

@testable import Agent

@Suite struct `the watchdog` {
  static let environments: [(granted: String?, process: String?, half: Int64?)] = [
    ("30000000", nil, 15_000_000_000), ("30000000", "7", 15_000_000_000), ("30000000", "8", nil), ("30000000", "", nil),
    (nil, "7", nil), ("0", "7", nil), ("-1", "7", nil), ("x", "7", nil), ("9223372036854775807", "7", nil),
    ("1", "7", 1_000_000),
  ]

  @Test(arguments: environments)
  func `speaks at half the interval that it is granted`(_ granted: String?, _ process: String?, _ half: Int64?) {
    #expect(Watchdog.interval(microseconds: granted, process: process, ownProcess: 7) == half)
  }
}
