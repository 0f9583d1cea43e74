import Bytes
import Platform

/// One client of `/events` (HTML Living Standard, section 9.2: server-sent events).
///
///     retry: 1000                          come again so many milliseconds after a connection broke
///
///     data: {"time":…,"total_visits":…}    one a flush
///
///     :                                    nothing for a while: keeps proxies from closing, and finds clients that are gone
///
/// It holds a number and a time; the message is the feed's. A piece is asked for only when the last one has gone out.
final class EventsStream {
  static let routes: [Route] = [
    Route(.get, "/events", "The moment, as server-sent events: one a flush", readsCounts: true) { state, _ in
      .ready(answer(state))
    }
  ]

  /// Nanoseconds after which an empty comment is sent.
  private static let silence: Int64 = 15_000_000_000

  private let feed: EventsFeed
  private var seen: Int
  private var lastSent = Clock.monotonic()
  private var hasBegun = false

  private static func answer(_ state: QueryState) -> Response {
    if state.events.streams >= EventsFeed.mostStreams { return .fault(.serviceUnavailable, retryAfterSeconds: 10) }
    let stream = EventsStream(state.events)
    var response = Response(type: "text/event-stream", body: .stream(BodyStream { stream.produce(&$0) }))
    // nginx would gather the pieces otherwise.
    response.fields = [("Cache-Control", "no-store"), ("X-Accel-Buffering", "no")]
    if state.events.streams == 1 { state.events.welcome(state) }
    return response
  }

  init(_ feed: EventsFeed) {
    self.feed = feed
    // While others watch, the newest message is a flush old at most and will do; else one is made.
    seen = feed.streams > 0 ? 0 : feed.number
    feed.streams += 1
  }

  deinit { feed.streams -= 1 }

  /// Appends what there is to say.
  func produce(_ writer: inout ByteWriter) -> BodyStream.Step {
    if feed.hasEnded { return .finished }
    if !hasBegun { writer.append("retry: 1000\n\n" as StaticString) }
    hasBegun = true
    if seen != feed.number {
      seen = feed.number
      writer.append(feed.message)
    } else if Clock.monotonic() - lastSent > Self.silence {
      writer.append(":\n\n" as StaticString)
    }
    if writer.count > 0 { lastSent = Clock.monotonic() }
    return .waiting
  }
}
