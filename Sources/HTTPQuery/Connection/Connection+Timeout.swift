/// What a connection waits for, since when, and until when it will.
package struct Timeout: Equatable, Sendable {
  /// What is waited for.
  package enum Kind: Sendable {
    /// The next request's first byte.
    case idle
    /// The end of a request's head.
    case head
    /// The end of a request's body.
    case body
    /// The peer to take what there is for it.
    case write
    /// The peer to close after the last answer.
    case drain
  }

  /// What is waited for.
  package var kind: Kind
  /// Since when, in nanoseconds on the connection's clock.
  package var since: UInt64
  /// Until when, on the same clock.
  package var deadline: UInt64
}

extension Connection {
  /// The one time-out that applies, if one does: none does while the loop makes an answer or a stream has nothing to say.
  package var timeout: Timeout? {
    switch state {
    case .closed: nil
    case .draining(let since): Timeout(kind: .drain, since: since, deadline: since + limits.drain)
    case _ where pendingCount > 0: writeTimeout
    case .reading: Timeout(kind: waiting.for, since: waiting.since, deadline: waiting.since + allowance)
    case .answering, .streaming, .ending: nil
    }
  }

  /// Does what is due when the deadline has passed: a request that is late is refused with 408, everything else ends the connection.
  package mutating func expire(nanoseconds: UInt64) -> Event {
    guard let timeout, nanoseconds >= timeout.deadline else { return .none }
    switch timeout.kind {
    case .head, .body:
      parser.refuse(.requestTimeout)
      return refuse(.requestTimeout)
    case .idle, .write, .drain:
      state = .closed
      return .none
    }
  }

  /// Notes what is waited for; what was waited for before keeps its beginning.
  mutating func wait(_ nanoseconds: UInt64) {
    let kind: Timeout.Kind =
      switch parser.progress {
      case .betweenRequests: .idle
      case .inHead: .head
      case .inBody: .body
      }
    if kind != waiting.for { waiting = (kind, nanoseconds) }
  }

  /// Whichever comes first: no byte was taken for too long, or all of the answer takes too long.
  private var writeTimeout: Timeout {
    let pace = UInt64(answerTaken) * 1_000 / limits.outputBytesPerSecond * 1_000_000
    let (stalled, slow) = (outputSince + limits.write, answerSince + limits.write + pace)
    return stalled <= slow
      ? Timeout(kind: .write, since: outputSince, deadline: stalled)
      : Timeout(kind: .write, since: answerSince, deadline: slow)
  }

  private var allowance: UInt64 {
    switch parser.progress {
    case .betweenRequests: limits.idle
    case .inHead: limits.head
    case .inBody(let count): limits.body + UInt64(count) * 1_000_000_000 / limits.bodyBytesPerSecond
    }
  }
}
