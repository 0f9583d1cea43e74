import Platform
import Testing

@testable import HTTPQuery

@Suite struct `the rate of a client` {
  private let second: UInt64 = 1_000_000_000
  private func address(_ text: String) throws -> SenderAddress { try #require(SenderAddress(text)) }

  @Test func `is a second's worth at once, and then what the seconds bring`() throws {
    var limiter = RateLimiter(perSecond: 5)
    let client = try address("192.0.2.1")
    var now = 1_000 * second
    func taken() -> Int { (0..<20).count { _ in limiter.take(client, nanoseconds: now) == nil } }
    #expect(taken() == 5 && taken() == 0)
    now += second / 5
    #expect(taken() == 1)
    now += 3 * second
    #expect(taken() == 5)
    #expect(limiter.take(client, nanoseconds: now) == 1)
  }

  @Test func `is each client's own`() throws {
    var limiter = RateLimiter(perSecond: 1)
    for client in ["192.0.2.1", "192.0.2.2", "2001:db8::1", "2001:db8:0:1::1"] {
      #expect(limiter.take(try address(client), nanoseconds: second) == nil)
      #expect(limiter.take(try address(client), nanoseconds: second) != nil)
    }
    // The same /64.
    #expect(limiter.take(try address("2001:db8::ffff:1"), nanoseconds: second) != nil)
  }

  @Test func `takes memory for those alone whose bucket is not full`() throws {
    var limiter = RateLimiter(perSecond: 2)
    for number in 0..<1_000 {
      #expect(limiter.take(try address("10.0.\(number / 250).\(number % 250)"), nanoseconds: second) == nil)
    }
    #expect(limiter.count == 1_000)
    limiter.forgetFull(nanoseconds: second + second / 4)
    #expect(limiter.count == 1_000)
    limiter.forgetFull(nanoseconds: second * 2)
    #expect(limiter.count == 0)
  }

  @Test func `is shared by those who come when there are too many`() throws {
    var limiter = RateLimiter(perSecond: 1)
    for number in 0..<RateLimiter.most {
      _ = limiter.take(try address("10.\(number >> 16).\(number >> 8 & 255).\(number & 255)"), nanoseconds: second)
    }
    #expect(limiter.take(try address("192.0.2.1"), nanoseconds: second) == nil)
    #expect(limiter.take(try address("192.0.2.2"), nanoseconds: second) != nil)
    #expect(limiter.count == RateLimiter.most)
    limiter.forgetFull(nanoseconds: 3 * second)
    #expect(limiter.take(try address("192.0.2.2"), nanoseconds: 3 * second) == nil)
  }
}
