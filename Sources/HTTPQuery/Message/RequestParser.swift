/// Reads HTTP/1.1 requests from a byte stream (RFC 9112), strictly, in whatever pieces the bytes come.
///
///     requestLine ──▶ fields ──▶ sizedBody ──────────────────────────────▶ request
///          ▲            └─────▶ chunkSize ─▶ chunkData ─▶ chunkEnd ─┐         │
///          │                        ▲  └────▶ trailers ─────────────│─────────┤
///          │                        └───────────────────────────────┘         │
///          └──────────────────────────────────────────────────────────────────┘
///     any fault ──▶ refused, for good: nobody knows where the next request would begin
///
/// A line ends with CRLF and nothing else; CR, LF or NUL anywhere in it is refused. One empty line before a request is tolerated
/// (section 2.2). Trailers are checked and dropped.
///
/// - Invariant: bytes before `position` have been read; bytes before `scanned` hold no LF that has not.
/// - Complexity: O(bytes) over the life of the parser, however they are cut.
struct RequestParser: ~Copyable {
  /// Bounds, in bytes but for `fieldLines`. They hold before memory is spent, not after.
  enum Limits {
    /// Longest target: what browsers and proxies are content with.
    static let target = 8_192
    /// Longest request line: the target, the longest method and version, and some room to tell them apart.
    static let requestLine = target + 32
    /// All field lines of a request together, and once more all its trailers.
    static let fields = 16_384
    static let fieldLines = 100
    /// One chunk's size with its extensions, which mean nothing here.
    static let chunkSizeLine = 256
  }

  enum Step {
    case needsMore
    /// The client waits for `100 Continue`; the body comes after it.
    case expectsContinue
    case request(Request)
    case refused(Status)
  }

  /// Where in a request the bytes end that have come so far.
  enum Progress: Equatable {
    case betweenRequests
    case inHead
    /// With the body's bytes received, decoded.
    case inBody(Int)
  }

  enum State {
    case requestLine
    case fields(start: Int)
    case sizedBody(remaining: Int)
    case chunkSize
    case chunkData(remaining: Int)
    case chunkEnd
    case trailers(remaining: Int)
    case refused(Status)
  }

  var state = State.requestLine
  private(set) var input: [UInt8] = []
  var position = 0
  var scanned = 0
  var hasSkippedEmptyLine = false
  var draft = Request()
  var framing = MessageFraming()
  var bodyLimit = 0
  var trailerLines = 0
  /// Heads that came before, on any connection.
  let memo: HeadMemo?
  /// Where the head being read begins in `input`, as long as all of it is there.
  var headStart: Int?
  /// The hash of the last head of this connection that the memo did not know.
  var lastHead = 0

  init(memo: HeadMemo? = nil) { self.memo = memo }

  /// Bytes held that have not been read yet.
  var unreadCount: Int { input.count - position }

  /// Bytes held in all, those of the body among them that has begun to come.
  var heldCount: Int { input.count + draft.body.count }

  /// The method of the request being read, or of the last one refused: HEAD is answered without a body, a fault too.
  var method: Method { draft.method }

  var progress: Progress {
    switch state {
    case .requestLine: unreadCount == 0 && !hasSkippedEmptyLine ? .betweenRequests : .inHead
    case .fields: .inHead
    case .sizedBody, .chunkSize, .chunkData, .chunkEnd, .trailers: .inBody(draft.body.count)
    case .refused: .betweenRequests
    }
  }

  /// Takes the next bytes of the stream; `next` reads them. After a refusal they are dropped.
  mutating func append(_ bytes: Span<UInt8>) {
    if case .refused = state { return }
    dropRead()
    // Safe: the buffer is read within the call.
    unsafe bytes.withUnsafeBufferPointer { unsafe input.append(contentsOf: $0) }
  }

  /// Reads on until a request is whole, something is wrong, or the bytes end.
  /// - Parameter bodyLimit: the longest body allowed, in bytes, for a request whose head is given; asked once a request with a body. nil:
  ///   the body is not wanted, and the request comes without it, as the last one.
  mutating func next(bodyLimit limit: (borrowing Request) -> Int?) -> Step {
    do throws(Status) {
      return try advance(limit)
    } catch {
      refuse(error)
      return .refused(error)
    }
  }

  /// Ends the stream of requests: every further `next` gives `status`.
  mutating func refuse(_ status: Status) {
    state = .refused(status)
    input = []
    (position, scanned) = (0, 0)
  }

  private mutating func advance(_ limit: (borrowing Request) -> Int?) throws(Status) -> Step {
    while true {
      switch state {
      case .requestLine:
        if try takeKnownHead(limit) { continue }
        guard let line = try takeLine(longest: Limits.requestLine, tooLong: .uriTooLong) else { return .needsMore }
        try readRequestLine(line)
      case .fields(let start):
        let room = start + Limits.fields - position
        guard let line = try takeLine(longest: room, tooLong: .headerFieldsTooLarge) else { return .needsMore }
        if !line.isEmpty {
          try readField(line, start: start)
        } else if try finishHead(start..<line.lowerBound, limit) {
          return .expectsContinue
        }
      case .sizedBody(let remaining):
        let rest = takeBody(remaining)
        if rest == 0 { return .request(finishRequest()) }
        state = .sizedBody(remaining: rest)
        return .needsMore
      case .chunkSize:
        guard let line = try takeLine(longest: Limits.chunkSizeLine, tooLong: .badRequest) else { return .needsMore }
        try beginChunk(size: Self.chunkSize(input.span, line))
      case .chunkData(let remaining):
        let rest = takeBody(remaining)
        state = rest == 0 ? .chunkEnd : .chunkData(remaining: rest)
        if rest > 0 { return .needsMore }
      case .chunkEnd:
        guard let line = try takeLine(longest: 0, tooLong: .badRequest) else { return .needsMore }
        assert(line.isEmpty)
        state = .chunkSize
      case .trailers(let remaining):
        guard let line = try takeLine(longest: remaining, tooLong: .headerFieldsTooLarge) else { return .needsMore }
        if line.isEmpty { return .request(finishRequest()) }
        try readTrailer(line, remaining)
      case .refused(let status):
        return .refused(status)
      }
    }
  }
}

// MARK: - The stream

extension RequestParser {
  /// The next line without its CRLF, or nil if it has not ended yet.
  /// - Throws: `tooLong` as soon as more than `longest` bytes have come without an end; `badRequest` for an LF without a CR.
  private mutating func takeLine(longest: Int, tooLong: Status) throws(Status) -> Range<Int>? {
    guard let end = input.span.firstIndex(of: .lineFeed, in: scanned..<input.count) else {
      scanned = input.count
      if unreadCount > longest + 1 { throw tooLong }
      return nil
    }
    guard end > position && input[end - 1] == .carriageReturn else { throw .badRequest }
    let line = position..<(end - 1)
    if line.count > longest { throw tooLong }
    position = end + 1
    scanned = position
    return line
  }

  /// Moves up to `remaining` bytes into the body; returns how many are still to come.
  private mutating func takeBody(_ remaining: Int) -> Int {
    let count = min(remaining, unreadCount)
    draft.body.append(contentsOf: input[position..<(position + count)])
    position += count
    scanned = position
    return remaining - count
  }

  /// Gives back the room for input. Between requests only.
  mutating func releaseInput() {
    if unreadCount > 0 { return }
    input = []
    (position, scanned) = (0, 0)
  }

  /// Hands the request over and makes ready for the next.
  private mutating func finishRequest() -> Request {
    let request = draft
    draft = Request()
    framing = MessageFraming()
    // Behind a body that was not taken nobody knows where the next request begins.
    state = request.isBodyRefused ? .refused(.badRequest) : .requestLine
    hasSkippedEmptyLine = false
    dropRead()
    return request
  }

  /// Drops what has been read once it is half of what is held, so that a byte is moved a constant number of times. The lines of an
  /// unfinished head stay, the fields' table points into them. Memory beyond a small request's is given back: an idle connection
  /// shall cost little.
  private mutating func dropRead() {
    var first = position
    if case .fields(let start) = state {
      first = start
      headStart = nil
    }
    if first == input.count {
      input.removeAll(keepingCapacity: input.capacity <= 4_096)
    } else if first >= input.count - first {
      input.removeFirst(first)
    } else {
      return
    }
    position -= first
    scanned -= first
    if case .fields = state { state = .fields(start: 0) }
  }
}
