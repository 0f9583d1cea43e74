import Aggregation
import Platform
import Protocol

/// A connection on its way from one worker to another, or to another process.
struct HandedStream: Sendable {
  let descriptor: Descriptor
  let sender: SenderAddress
  let books: ListenerBooks
  let framer: StreamFramer
  /// The bytes of a line that has no end yet.
  let rest: [UInt8]
  /// Whose it was, or is to be.
  let worker: Int
}

extension HandedStream {
  /// Streams that another process has left, dealt out to the workers.
  /// - Parameter books: of the listeners that there are now.
  /// - Returns: the streams, and how many could not be gone on with: their listener is no more, or nothing is known of them.
  static func inherited(_ inheritance: Inheritance, books: [ListenerBooks], workers: Int) -> ([HandedStream], lost: Int)
  {
    var streams: [HandedStream] = []
    for socket in inheritance.streams {
      let descriptor = Descriptor(owning: socket.descriptor)
      guard (try? Socket.stopBlocking(descriptor)) != nil,
        let note = inheritance.notes.streams[Socket.cookie(descriptor)],
        let books = books.first(where: { $0.name == note.listener }), let framer = StreamFramer(mark: note.mark),
        note.rest.count <= StreamFramer.longestRest
      else { continue }
      streams.append(
        HandedStream(
          descriptor: descriptor, sender: socket.family == .unix ? .local : Socket.peer(descriptor), books: books,
          framer: framer, rest: note.rest, worker: streams.count % workers))
    }
    return (streams, inheritance.streams.count - streams.count)
  }

  var note: HandoverNotes.Stream { .init(mark: framer.mark, listener: books.name, rest: rest) }
}
