import Bytes

@testable import HTTPQuery

/// The same requests come out however the stream is cut; parser and connection hold no more than they say; every request is answered.
func checkRequests(_ input: [UInt8]) throws(Broken) {
  guard let stream = CutStream(input) else { return }
  var whole = ParsedStream()
  try whole.take(stream.bytes[...])
  var cut = ParsedStream()
  for piece in stream.pieces { try cut.take(piece) }
  try hold(whole.found == cut.found, "whole \(whole.found), cut \(cut.found)")

  var served = ServedStream()
  for piece in stream.pieces { try served.take(piece) }
  try served.end()
  // A connection reads on until a request, or a fault, is the last.
  let last = whole.found.firstIndex { $0.isLast }.map { $0 + 1 } ?? whole.found.count
  try hold(served.found == Array(whole.found[..<last]), "parsed \(whole.found), served \(served.found)")
}

/// Longest body, in bytes.
private let bodyLimit = 1_000

/// A request or a refusal, by all that a route can see of it.
private struct Found: Equatable {
  var text: String
  var bytes: [UInt8] = []
  var isLast: Bool
  var isRefusal = false

  init(_ request: Request) {
    text = "\(request.method) \(request.isAboutServer) \(request.path) \(request.version) \(request.host)"
    text += " \(request.query) \(request.headers.count)"
    bytes = request.headers.storage + request.body
    isLast = !request.keepsAlive
  }

  init(_ status: Status) {
    text = "\(status.rawValue)"
    isLast = true
    isRefusal = true
  }
}

private struct ParsedStream: ~Copyable {
  var parser = RequestParser()
  var found: [Found] = []

  mutating func take(_ bytes: ArraySlice<UInt8>) throws(Broken) {
    if found.last?.isRefusal == true { return }
    let piece = Array(bytes)
    parser.append(piece.span)
    // What was read is dropped once it is half of what is held.
    let most = 2 * (RequestParser.Limits.requestLine + RequestParser.Limits.fields) + piece.count
    while true {
      try hold(parser.input.count <= most, "the parser holds \(parser.input.count) bytes")
      switch parser.next(bodyLimit: { _ in bodyLimit }) {
      case .needsMore:
        return try hold(
          parser.unreadCount <= RequestParser.Limits.fields + 2, "\(parser.unreadCount) bytes wait to be read")
      case .expectsContinue: continue
      case .request(let request):
        try hold(request.body.count <= bodyLimit, "a body of \(request.body.count) bytes")
        found.append(Found(request))
      case .refused(let status): return found.append(Found(status))
      }
    }
  }
}

/// A connection with a loop's part played around it, and a peer that takes little at a time.
private struct ServedStream: ~Copyable {
  private static let readSize = 4_096

  var connection = Connection(nanoseconds: 0)
  var found: [Found] = []

  mutating func take(_ bytes: ArraySlice<UInt8>) throws(Broken) {
    var rest = bytes
    while !rest.isEmpty && connection.phase == .open {
      if connection.wantsInput {
        let piece = Array(rest.prefix(Self.readSize))
        rest = rest.dropFirst(piece.count)
        connection.receive(piece.span)
      }
      try step(taking: 700)
    }
  }

  mutating func end() throws(Broken) {
    connection.receiveEnd()
    repeat {
      try step(taking: .max)
    } while connection.pendingCount > 0 || connection.wantsProduce
    try hold(connection.phase == .closed, "the connection is not closed at the end")
  }

  /// Answers what there is and lets the peer take up to `count` bytes.
  private mutating func step(taking count: Int) throws(Broken) {
    try serve()
    let limits = connection.limits
    try hold(
      connection.parser.unreadCount <= limits.inputHighWater + Self.readSize, "the connection reads ahead too far")
    // Two answers on top: the largest here repeats a target's path, escaped.
    try hold(connection.pendingCount <= limits.outputHighWater + 65_536, "the output outgrows its bound")
    connection.didWrite(min(count, connection.pendingCount), nanoseconds: 0)
    if connection.wantsProduce { connection.produce(nanoseconds: 0) }
    try serve()
  }

  private mutating func serve() throws(Broken) {
    while true {
      switch connection.next(nanoseconds: 0, bodyLimit: { _ in bodyLimit }) {
      case .none: return
      case .request(let request):
        found.append(Found(request))
        connection.answer(Self.response(to: request), Self.stamp)
      case .refused(let status):
        found.append(Found(status))
        connection.answer(.fault(status), Self.stamp)
      }
    }
  }

  /// The path, whole or, for every other one, in three pieces.
  private static func response(to request: Request) -> Response {
    var body = ByteWriter()
    body.appendJSON(request.path.joined(separator: "/"))
    if request.version == .http10 || request.path.count % 2 == 0 { return .json(body) }
    let piece = body.bytes
    var left = 3
    let stream = BodyStream { writer in
      writer.append(piece)
      left -= 1
      return left > 0 ? .more : .finished
    }
    return Response(.ok, type: "application/json", body: .stream(stream))
  }

  private static let stamp = AnswerStamp(
    nanoseconds: 0, processNanoseconds: 1_234_567, date: Array("Thu, 21 Nov 2024 03:57:00 GMT".utf8))
}
