/// How long a connection may keep its peer's place and how much it may hold. Times in nanoseconds, sizes in bytes.
package struct ConnectionLimits: Sendable {
  /// From a request's first byte to the end of its head, in all: a byte now and then does not prolong it.
  package var head: UInt64 = 10_000_000_000
  /// A body may take this long, and a second more for each `bodyBytesPerSecond` that have come.
  package var body: UInt64 = 10_000_000_000
  /// A modem's pace is enough for a body.
  package var bodyBytesPerSecond: UInt64 = 1_024
  /// Between requests (`--http-idle`).
  package var idle: UInt64 = 60_000_000_000
  /// Without the peer taking a byte of what is there for it, and for an answer in all; it may take a second more for each
  /// `outputBytesPerSecond` that the peer has taken.
  package var write: UInt64 = 30_000_000_000
  /// Who reads more slowly holds an answer, and what it is made from, for too long.
  package var outputBytesPerSecond: UInt64 = 16_384
  /// From the end of the last answer until the peer has closed.
  package var drain: UInt64 = 2_000_000_000
  /// While this much waits to be sent, no request is read: who does not take answers gets to ask no more. With one whole answer on
  /// top, it bounds the output.
  package var outputHighWater = 65_536
  /// A stream is asked for its next piece only below this.
  package var outputLowWater = 32_768
  /// While this much is held unread, the socket is not read. With one read on top, it bounds the input.
  package var inputHighWater = 65_536

  /// The limits above.
  package init() {}

  /// The same for who holds one of few places: there is time to ask and to take the answer, and no more.
  var hurried: ConnectionLimits {
    var limits = self
    (limits.idle, limits.head, limits.body, limits.write) = (Self.hurry, Self.hurry, Self.hurry, Self.hurry)
    return limits
  }

  private static let hurry: UInt64 = 2_000_000_000
}
