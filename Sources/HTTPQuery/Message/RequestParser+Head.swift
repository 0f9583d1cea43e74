// How heads, chunks and trailers are read once a line of them is there.

extension RequestParser {
  mutating func readRequestLine(_ line: Range<Int>) throws(Status) {
    if line.isEmpty {
      if hasSkippedEmptyLine { throw .badRequest }
      hasSkippedEmptyLine = true
      return
    }
    let parts = try Self.parts(input.span, line)
    draft.version = try Self.version(input.span.extracting(parts.version))
    draft.method = try Self.method(input.span.extracting(parts.method))
    headStart = hasSkippedEmptyLine ? nil : line.lowerBound
    let target = try RequestTarget(input.span, in: parts.target)
    if target.isAsterisk && draft.method != .options { throw .badRequest }
    draft.isAboutServer = target.isAsterisk
    draft.path = target.path
    draft.query = target.query
    if let authority = target.authority { draft.host = String(decoding: input[authority], as: UTF8.self) }
    state = .fields(start: position)
  }

  mutating func readField(_ line: Range<Int>, start: Int) throws(Status) {
    if draft.headers.fields.count == Limits.fieldLines { throw .headerFieldsTooLarge }
    let field = try Self.field(input.span, line)
    var framing = framing
    try framing.read(input.span, name: field.name, value: field.value)
    self.framing = framing
    draft.headers.fields.append(
      .init(
        name: (field.name.lowerBound - start)..<(field.name.upperBound - start),
        value: (field.value.lowerBound - start)..<(field.value.upperBound - start)))
  }

  mutating func readTrailer(_ line: Range<Int>, _ remaining: Int) throws(Status) {
    trailerLines += 1
    if trailerLines > Limits.fieldLines { throw .headerFieldsTooLarge }
    _ = try Self.field(input.span, line)
    state = .trailers(remaining: remaining - line.count - 2)
  }

  /// Decides what follows the head. True: the client waits for leave to send the body.
  mutating func finishHead(
    _ fields: Range<Int>, _ limit: (borrowing Request) -> Int?
  ) throws(Status) -> Bool {
    let body = try framing.body(in: draft.version)
    draft.headers.storage = Array(input[fields])
    draft.keepsAlive = framing.keepsAlive(in: draft.version)
    draft.namesOrigin = framing.namesOrigin
    if draft.host.isEmpty, let host = draft.headers["host"] { draft.host = host }
    if case .sized(let length) = body { remember(length) }
    try begin(body, limit)
    // RFC 9110, section 10.1.1: a 1.0 client's expectation is ignored, and who has begun to send needs no leave.
    return framing.expectsContinue && body != .sized(0) && !draft.isBodyRefused && draft.version == .http11
      && unreadCount == 0
  }

  mutating func begin(_ body: MessageFraming.Body, _ limit: (borrowing Request) -> Int?) throws(Status) {
    if body == .sized(0) {
      state = .sizedBody(remaining: 0)
      return
    }
    guard let allowed = limit(draft) else {
      draft.isBodyRefused = true
      draft.keepsAlive = false
      state = .sizedBody(remaining: 0)
      return
    }
    bodyLimit = allowed
    switch body {
    case .sized(let length):
      if length > bodyLimit { throw .contentTooLarge }
      state = .sizedBody(remaining: length)
    case .chunked:
      state = .chunkSize
    }
  }

  /// Takes a head that the memo knows.
  mutating func takeKnownHead(_ limit: (borrowing Request) -> Int?) throws(Status) -> Bool {
    guard let memo, unreadCount > 0, !hasSkippedEmptyLine, let known = memo.entry(at: position, of: input) else {
      return false
    }
    draft = known.request
    position += known.head.count
    scanned = position
    try begin(.sized(known.bodyLength), limit)
    return true
  }

  /// Has the memo keep the head that has just been read, if it came twice in a row.
  mutating func remember(_ bodyLength: Int) {
    guard let memo, let start = headStart, !framing.expectsContinue, position - start <= HeadMemo.longest else {
      return
    }
    let head = input[start..<position]
    var hasher = Hasher()
    // Safe: the bytes are read within the call.
    unsafe head.withUnsafeBytes { unsafe hasher.combine(bytes: $0) }
    let hash = hasher.finalize()
    if hash == lastHead { memo.keep(.init(head: Array(head), request: draft, bodyLength: bodyLength)) }
    lastHead = hash
  }

  mutating func beginChunk(size: Int) throws(Status) {
    if size > bodyLimit - draft.body.count { throw .contentTooLarge }
    trailerLines = 0
    state = size > 0 ? .chunkData(remaining: size) : .trailers(remaining: Limits.fields)
  }
}
