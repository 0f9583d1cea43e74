import Bytes

@testable import HTTPQuery

/// A connection with the loop's part played by hand: time is set, the peer takes as much as it is told to.
final class Client {
  var connection: Connection
  /// What the peer has received.
  var received: [UInt8] = []
  /// Milliseconds on the clock that the connection is told.
  var milliseconds: UInt64 = 0
  var requests: [String] = []
  var bodyLimit = 1_000

  init(limits: ConnectionLimits = ConnectionLimits()) {
    connection = Connection(limits: limits, nanoseconds: 0)
  }

  var nanoseconds: UInt64 { milliseconds * 1_000_000 }
  var phase: Connection.Phase { connection.phase }
  var wantsInput: Bool { connection.wantsInput }
  var wantsProduce: Bool { connection.wantsProduce }
  var pendingCount: Int { connection.pendingCount }
  var heldCount: Int { connection.output.count }
  var timeout: Timeout? { connection.timeout }
  var text: String { String(decoding: received, as: UTF8.self) }

  var stamp: AnswerStamp {
    AnswerStamp(
      nanoseconds: nanoseconds, processNanoseconds: 1_234_567, date: Array("Thu, 21 Nov 2024 03:57:00 GMT".utf8))
  }

  func send(_ text: String) { connection.receive(Array(text.utf8).span) }

  /// The next thing to answer.
  func next() -> Connection.Event {
    let limit = bodyLimit
    return connection.next(nanoseconds: nanoseconds) { _ in limit }
  }

  func answer(_ response: Response) { connection.answer(response, stamp) }

  /// Answers all there is, as a route that says which path it was asked for.
  func serve() {
    while true {
      switch next() {
      case .none: return
      case .request(let request):
        requests.append(RequestReader.describe(request))
        var body = ByteWriter()
        body.appendJSON(request.path.joined(separator: "/"))
        answer(.json(body))
      case .refused(let status): answer(.fault(status))
      }
    }
  }

  /// The peer takes up to `count` bytes.
  func take(_ count: Int = .max) {
    let some = connection.withOutput { output in (0..<min(count, output.count)).map { output[$0] } }
    received += some
    connection.didWrite(some.count, nanoseconds: nanoseconds)
  }

  /// Serves, takes and produces until nothing moves. What lies behind taken output is served too, as the loop must.
  func settle() {
    repeat {
      serve()
      take()
      if wantsProduce { connection.produce(nanoseconds: nanoseconds) }
      serve()
    } while pendingCount > 0 || wantsProduce
  }

  /// The status lines received, by their codes.
  var statuses: [String] {
    text.components(after: "HTTP/1.1 ").map { String($0.prefix(3)) }
  }
}

extension String {
  /// What stands behind each `marker`, up to the next.
  func components(after marker: String) -> [String] {
    var found: [String] = []
    var rest = self[...]
    while let range = rest.firstRange(of: marker) {
      rest = rest[range.upperBound...]
      found.append(String(rest[..<(rest.firstRange(of: marker)?.lowerBound ?? rest.endIndex)]))
    }
    return found
  }

  /// What stands behind the head of a message.
  var messageBody: String {
    firstRange(of: "\r\n\r\n").map { String(self[$0.upperBound...]) } ?? ""
  }
}
