import Bytes

/// One client's connection without its socket, its clock or its thread: bytes in, requests out, answers in, bytes out (RFC 9112).
///
///     reading ──request──▶ answering ──whole body──▶ reading
///        │                     │   └──stream──▶ streaming ──finished──▶ reading
///        │ refusal, end        │ to be closed                │ to be closed
///        └────────────────▶ ending ◀─────────────────────────┘
///                              │ all sent
///                              ▼
///                           draining ──peer closed, or time over──▶ closed
///
/// The loop's part, after each thing that happens:
/// - readable, and `wantsInput`: `receive` (or `receiveEnd`), then `next` until it gives `.none`, each time with an `answer`;
/// - writable, and there is output: `withOutput`, `didWrite`; then, if `wantsProduce`, one `produce`; then `next` again, since
///   requests may lie in wait behind the output;
/// - `phase`: `.draining` asks for `shutdown(SHUT_WR)` once and for reading on until the end, since a socket closed with bytes
///   unread resets the connection and the peer loses the answer (RFC 9112, section 9.6); `.closed` for `close`;
/// - `timeout` says when to call `expire`.
///
/// One request is out at a time, so answers keep the order of the requests; pipelined ones wait in the parser.
///
/// - Invariant: `sent <= output.count`; a stream is held in `streaming` only.
package struct Connection: ~Copyable {
  /// What the loop has to answer.
  package enum Event {
    /// Nothing until more bytes come or go.
    case none
    /// A request: `answer` it, now or later.
    case request(Request)
    /// What came is no request that could be served: `answer` with a fault of this status; the connection ends with it.
    case refused(Status)
  }

  /// What the loop has to do with the socket: nothing, shut down its writing side and read on, or close it.
  package enum Phase: Equatable {
    case open, draining, closed
  }

  enum State {
    case reading
    case answering(Exchange)
    case streaming(BodyStream, Exchange, isWaiting: Bool)
    case ending
    case draining(since: UInt64)
    case closed
  }

  /// What an answer must know of its request.
  struct Exchange {
    var isHead: Bool
    var version: Request.Version
    var keepsAlive: Bool
  }

  let limits: ConnectionLimits
  var state = State.reading
  var parser: RequestParser
  var output = ByteWriter()
  var sent = 0
  /// Pieces are written here first, since a chunk's size stands before it.
  private var scratch = ByteWriter()
  private var inputHasEnded = false
  private var isRetiring = false
  /// What of a request has come, of those that a time-out tells apart, and since when it is so.
  var waiting: (for: Timeout.Kind, since: UInt64)
  /// When the peer last took a byte, or the output was last empty.
  var outputSince: UInt64
  /// Since when answers have been going out without the peer having had all that there was for it, and what it took of them. A stream
  /// that has more to say counts as one answer, however often its output is empty in between; that time is not the peer's.
  var answerSince: UInt64
  var answerTaken = 0

  /// - Parameter nanoseconds: now, on any clock that does not go back; all later times are of the same.
  package init(limits: ConnectionLimits = ConnectionLimits(), nanoseconds: UInt64) {
    self.init(limits: limits, memo: nil, nanoseconds: nanoseconds)
  }

  /// - Parameter memo: what heads mean that came before, for all connections of a thread.
  init(limits: ConnectionLimits, memo: HeadMemo?, nanoseconds: UInt64) {
    self.limits = limits
    parser = RequestParser(memo: memo)
    waiting = (.idle, nanoseconds)
    outputSince = nanoseconds
    answerSince = nanoseconds
  }

  /// How far the connection has come.
  package var phase: Phase {
    switch state {
    case .draining: .draining
    case .closed: .closed
    default: .open
    }
  }
}

// MARK: - Bytes in

extension Connection {
  /// Whether the socket should be read. While draining it is, to throw away what comes.
  package var wantsInput: Bool {
    if inputHasEnded { return false }
    return switch state {
    case .reading: pendingCount < limits.outputHighWater && parser.unreadCount < limits.inputHighWater
    case .answering, .streaming: parser.unreadCount < limits.inputHighWater
    case .ending, .closed: false
    case .draining: true
    }
  }

  /// What the loop has to know of a connection after each thing that happens to it, in one look.
  struct Needs {
    var phase: Phase
    var wantsInput: Bool
    var wantsOutput: Bool
    /// Bytes held for the peer: what came and was not read yet, the part of a body that has come, what waits to be sent.
    var heldCount: Int
    /// The most that should be read from the socket at once, in bytes. What comes behind a request waits here for its answer, so it is
    /// little but in a body.
    var readSize: Int
  }

  /// What is needed now.
  var needs: Needs {
    var readSize = Self.usualReadSize
    if case .inBody = parser.progress { readSize = 256 << 10 }
    return Needs(
      phase: phase, wantsInput: wantsInput, wantsOutput: pendingCount > 0 || wantsProduce, heldCount: heldCount,
      readSize: readSize)
  }

  static let usualReadSize = 32 << 10

  /// Takes what was read from the socket.
  package mutating func receive(_ bytes: Span<UInt8>) {
    switch state {
    case .reading, .answering, .streaming: parser.append(bytes)
    case .ending, .draining, .closed: break
    }
  }

  /// The peer will send no more. What it asked before is still answered: `printf … | nc` does not wait to close its side.
  package mutating func receiveEnd() {
    inputHasEnded = true
    if case .draining = state { state = .closed }
  }

  /// The next thing to answer, if there is one and there is room for an answer.
  /// - Parameter bodyLimit: the longest body in bytes for a request of this head; a longer one is refused with 413 before it is read. nil:
  ///   no body of it shall be read, and the request comes without one (`Request.isBodyRefused`).
  package mutating func next(nanoseconds: UInt64, bodyLimit: (borrowing Request) -> Int?) -> Event {
    while case .reading = state, pendingCount < limits.outputHighWater {
      switch parser.next(bodyLimit: bodyLimit) {
      case .needsMore:
        if inputHasEnded { end(nanoseconds) } else { wait(nanoseconds) }
        return .none
      case .expectsContinue:
        wait(nanoseconds)
        put(Array("HTTP/1.1 100 Continue\r\n\r\n".utf8)[...], nanoseconds)
      case .request(let request):
        waiting = (.idle, nanoseconds)
        state = .answering(
          Exchange(isHead: request.method == .head, version: request.version, keepsAlive: request.keepsAlive))
        return .request(request)
      case .refused(let status):
        return refuse(status)
      }
    }
    return .none
  }

  /// Finishes what has begun and asks for no more: the server is about to stop.
  package mutating func retire(nanoseconds: UInt64) {
    isRetiring = true
    if case .reading = state, parser.progress == .betweenRequests { end(nanoseconds) }
  }

  /// The next answer is the last.
  mutating func limitToOneAnswer() { isRetiring = true }

  /// Gives up a request that is still to come, or coming: there is no room for it.
  mutating func shed() -> Event {
    guard case .reading = state else { return .none }
    parser.refuse(.serviceUnavailable)
    return refuse(.serviceUnavailable)
  }

  mutating func refuse(_ status: Status) -> Event {
    state = .answering(Exchange(isHead: parser.method == .head, version: .http11, keepsAlive: false))
    return .refused(status)
  }
}

// MARK: - Answers

extension Connection {
  /// Answers what `next` or `expire` gave last.
  /// - Precondition: something has been given that was not answered yet.
  package mutating func answer(_ response: Response, _ stamp: AnswerStamp) {
    guard case .answering(var exchange) = state else { preconditionFailure("there is nothing to answer") }
    if isRetiring { exchange.keepsAlive = false }
    let framing: ResponseHead.Framing
    switch response.body {
    case .whole(let bytes): framing = .length(bytes.count)
    case .stream where exchange.version == .http11: framing = .chunked
    case .stream:
      framing = .untilClose
      exchange.keepsAlive = false
    }
    let head = ResponseHead(framing: framing, closes: !exchange.keepsAlive, version: exchange.version)
    makeRoom(stamp.nanoseconds)
    head.write(response, stamp, to: &output)
    switch response.body {
    case .whole(let bytes):
      if !exchange.isHead { output.append(bytes) }
      finish(exchange)
    case .stream where exchange.isHead: finish(exchange)
    case .stream(let stream): state = .streaming(stream, exchange, isWaiting: false)
    }
  }

  /// Whether a stream has more to give and there is room for it.
  package var wantsProduce: Bool {
    if case .streaming(_, _, isWaiting: false) = state { return pendingCount < limits.outputLowWater }
    return false
  }

  /// Whether a stream had nothing to say when asked last, and all that it said before has gone out.
  package var awaitsNews: Bool {
    if case .streaming(_, _, isWaiting: true) = state { return pendingCount == 0 }
    return false
  }

  /// Asks the stream for one piece, also one that had nothing when asked last. Does nothing if there is no stream or no room.
  package mutating func produce(nanoseconds: UInt64) {
    guard case .streaming(let stream, let exchange, _) = state, pendingCount < limits.outputLowWater else { return }
    scratch.removeAll()
    let step = stream.produce(&scratch)
    let isChunked = exchange.version == .http11
    if scratch.count > 0 {
      if isChunked { put(Self.chunkSizeLine(scratch.count)[...], nanoseconds) }
      put(scratch.bytes[...], nanoseconds)
      if isChunked { put([.carriageReturn, .lineFeed], nanoseconds) }
    }
    switch step {
    case .more: state = .streaming(stream, exchange, isWaiting: false)
    case .waiting: state = .streaming(stream, exchange, isWaiting: true)
    case .finished:
      if isChunked { put(Array("0\r\n\r\n".utf8)[...], nanoseconds) }
      scratch = ByteWriter()
      finish(exchange)
      settle(nanoseconds)
    }
    if pendingCount == 0 && !isInMidstream { answerTaken = 0 }
  }

  private mutating func finish(_ exchange: Exchange) {
    state = exchange.keepsAlive && !isRetiring ? .reading : .ending
  }

  private static func chunkSizeLine(_ count: Int) -> [UInt8] {
    Array(String(count, radix: 16).utf8) + [.carriageReturn, .lineFeed]
  }
}

// MARK: - Bytes out

extension Connection {
  /// Bytes that wait to be sent.
  package var pendingCount: Int { output.count - sent }

  /// Lends the bytes to send to `body`, which hands them to write(2).
  package borrowing func withOutput<Result>(_ body: (Span<UInt8>) -> Result) -> Result {
    body(output.bytes.span.extracting(sent..<output.count))
  }

  /// The peer's kernel has taken the first `count` bytes of the output.
  package mutating func didWrite(_ count: Int, nanoseconds: UInt64) {
    precondition(count >= 0 && count <= pendingCount, "more was written than there was")
    if count == 0 { return }
    sent += count
    outputSince = nanoseconds
    answerTaken += count
    if sent == output.count {
      // What a small answer needs is kept for the next.
      if output.bytes.capacity > 16_384 { output = ByteWriter() } else { output.removeAll() }
      sent = 0
      if waiting.for == .idle { waiting.since = nanoseconds }
      if !isInMidstream { answerTaken = 0 }
    }
    settle(nanoseconds)
  }

  /// Whether there is a stream that has more to say now.
  private var isInMidstream: Bool {
    if case .streaming(_, _, isWaiting: false) = state { return true }
    return false
  }

  private var heldCount: Int { parser.heldCount + output.count }

  /// Gives back the buffers of a connection that waits for its next request: thousands do.
  mutating func releaseBuffers() {
    guard case .reading = state, pendingCount == 0, parser.progress == .betweenRequests else { return }
    output = ByteWriter()
    parser.releaseInput()
  }

  private mutating func put(_ bytes: ArraySlice<UInt8>, _ nanoseconds: UInt64) {
    makeRoom(nanoseconds)
    output.append(bytes)
  }

  /// Before something is appended to the output: drops what has been sent, if it has become much.
  private mutating func makeRoom(_ nanoseconds: UInt64) {
    if pendingCount == 0 {
      // While there is nothing to take, the peer's time stands still.
      answerSince = answerTaken == 0 ? nanoseconds : answerSince + nanoseconds - outputSince
      outputSince = nanoseconds
    }
    if sent > limits.outputHighWater {
      output.removeFirst(sent)
      sent = 0
    }
  }

  /// No further request will be read.
  private mutating func end(_ nanoseconds: UInt64) {
    state = .ending
    settle(nanoseconds)
  }

  /// Goes from the last answer to draining once all of it has gone out.
  private mutating func settle(_ nanoseconds: UInt64) {
    guard case .ending = state, pendingCount == 0 else { return }
    state = inputHasEnded ? .closed : .draining(since: nanoseconds)
  }
}
