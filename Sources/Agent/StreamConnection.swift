import Aggregation
import Platform
import Protocol

/// One client that sends lines over a stream.
final class StreamConnection {
  let descriptor: Descriptor
  let sender: SenderAddress
  let books: ListenerBooks
  var framer: StreamFramer
  /// What the framer left of the last read.
  var rest: [UInt8] = []
  /// When the client last sent something, monotonic nanoseconds.
  var lastActive: Int64
  /// When the line that has no end yet was begun; nil if there is none.
  var lineBegan: Int64?

  init(_ descriptor: Descriptor, from sender: SenderAddress, books: ListenerBooks, mayBePrefixed: Bool, now: Int64) {
    self.descriptor = descriptor
    self.sender = sender
    self.books = books
    framer = StreamFramer(mayBePrefixed: mayBePrefixed)
    lastActive = now
  }

  /// Goes on where another worker was.
  init(_ handed: HandedStream, now: Int64) {
    descriptor = handed.descriptor
    sender = handed.sender
    books = handed.books
    framer = handed.framer
    rest = handed.rest
    lastActive = now
    lineBegan = rest.isEmpty && !framer.isSkipping ? nil : now
  }
}
