import Glibc
import Testing

@testable import Platform

@Suite struct PollTests {
  private func tokens(_ poll: Poll, milliseconds: Int? = 0) -> [UInt64] {
    var found: [UInt64] = []
    #expect(poll.wait(milliseconds: milliseconds) { found.append($0.token) } == found.count)
    return found.sorted()
  }

  @Test func `a wake-up is heard until it is cleared, however often it was given`() throws {
    let poll = try Poll()
    let wakeUp = try WakeUp()
    try poll.add(wakeUp.descriptor, token: 7, for: .input)
    #expect(tokens(poll) == [])
    wakeUp.signal()
    wakeUp.signal()
    #expect(tokens(poll) == [7])
    #expect(tokens(poll) == [7])
    wakeUp.clear()
    #expect(tokens(poll) == [])
    // Clearing what was not given does not block.
    wakeUp.clear()
  }

  @Test func `another thread's wake-up ends a wait without a limit`() throws {
    let poll = try Poll()
    let wakeUp = try WakeUp()
    try poll.add(wakeUp.descriptor, token: .max, for: .input)
    let thread = try Thread("waker") { wakeUp.signal() }
    #expect(tokens(poll, milliseconds: nil) == [.max])
    thread.join()
  }

  @Test func `interests are told apart, changed and taken back`() throws {
    var ends: [Int32] = [0, 0]
    #expect(unsafe socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &ends) == 0)
    let (one, other) = (Descriptor(owning: ends[0]), Descriptor(owning: ends[1]))
    let poll = try Poll()
    try poll.add(one, token: 1, for: [.input, .output])
    poll.wait(milliseconds: 0) { #expect($0.isWritable && !$0.isReadable) }
    try poll.modify(one, token: 2, for: .input)
    #expect(tokens(poll) == [])
    #expect(other.write([1].span) == .bytes(1))
    poll.wait(milliseconds: 0) { #expect($0.token == 2 && $0.isReadable && !$0.isWritable) }
    poll.remove(one)
    #expect(tokens(poll) == [])
    #expect(throws: SystemError.self) { try poll.modify(one, token: 3, for: .input) }
  }

  @Test func `a peer's hang-up makes its connection readable`() throws {
    var ends: [Int32] = [0, 0]
    #expect(unsafe socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &ends) == 0)
    let one = Descriptor(owning: ends[0])
    let poll = try Poll()
    try poll.add(one, token: 5, for: .input)
    do { _ = Descriptor(owning: ends[1]) }
    var isReadable = false
    poll.wait(milliseconds: 0) { isReadable = $0.isReadable }
    #expect(isReadable)
  }

  @Test func `a closed descriptor is no longer watched`() throws {
    let poll = try Poll()
    do {
      let wakeUp = try WakeUp()
      try poll.add(wakeUp.descriptor, token: 1, for: .input)
      wakeUp.signal()
    }
    #expect(tokens(poll) == [])
  }
}
