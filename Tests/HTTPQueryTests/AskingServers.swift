import Platform
import Testing

@testable import Aggregation
@testable import HTTPQuery

// What tests of a running query thread say often.

/// Waits until something is so.
func wait(sourceLocation: SourceLocation = #_sourceLocation, until isSo: () -> Bool) {
  let end = Clock.monotonic() + 30_000_000_000
  while !isSo() {
    if Clock.monotonic() > end { return #expect(isSo(), "waited in vain", sourceLocation: sourceLocation) }
    Clock.sleep(nanoseconds: 1_000_000)
  }
}

/// A request without a body, after which the server closes.
func request(_ method: String, _ path: String) -> String {
  "\(method) \(path) HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
}

/// All that comes, up to the end.
func text(_ peer: Peer) -> String { String(decoding: peer.read(.max), as: UTF8.self) }

/// What agents share a page's visits under.
func visits(of page: String) -> SharedKey {
  SharedKey(.counter, metric: "visit".utf8, labels: [(name: Array("page".utf8), value: Array(page.utf8))])
}

extension RunningServer {
  /// The answer to a request, head and all.
  func ask(_ method: String, _ path: String) throws -> String {
    let peer = try Peer(self)
    peer.send(request(method, path))
    return text(peer)
  }
}
