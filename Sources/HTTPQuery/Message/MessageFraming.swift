/// What the header fields of one request say about where it ends and how the connection goes on.
///
/// Two readings of one request are how requests are smuggled (RFC 9112, section 11.2), so everything doubtful is refused, and
/// the connection closed.
struct MessageFraming {
  enum Body: Equatable {
    case sized(Int)
    case chunked
  }

  private var contentLength: Int?
  private var hasTransferEncoding = false
  private var endsInChunked = false
  private var hasMisplacedChunked = false
  private var hasOtherCoding = false
  private var hasHost = false
  private var hasClose = false
  private var hasKeepAlive = false
  /// The client waits for `100 Continue` before it sends the body.
  private(set) var expectsContinue = false
  /// A browser says whose page sends the request.
  private(set) var namesOrigin = false

  /// Takes note of a field if it is one that frames.
  /// - Throws: `badRequest` for a second or invalid Host, a second Content-Length or one that is no number; `expectationFailed` for an
  ///   expectation other than 100-continue.
  mutating func read(_ bytes: Span<UInt8>, name: Range<Int>, value: Range<Int>) throws(Status) {
    let label = bytes.extracting(name)
    switch name.count {
    case 4 where label.equalsIgnoringCase("host"):
      guard !hasHost, Authority.isValid(bytes.extracting(value)) else { throw .badRequest }
      hasHost = true
    case 6 where label.equalsIgnoringCase("expect"):
      guard bytes.extracting(value).equalsIgnoringCase("100-continue") else { throw .expectationFailed }
      expectsContinue = true
    case 6 where label.equalsIgnoringCase("origin"), 14 where label.equalsIgnoringCase("sec-fetch-site"):
      namesOrigin = true
    case 10 where label.equalsIgnoringCase("connection"):
      bytes.forEachListElement(in: value) {
        if bytes.extracting($0).equalsIgnoringCase("close") { hasClose = true }
        if bytes.extracting($0).equalsIgnoringCase("keep-alive") { hasKeepAlive = true }
      }
    case 14 where label.equalsIgnoringCase("content-length"):
      // Section 8.6 of RFC 9110 would let the same length stand twice; nobody needs to send it so.
      guard contentLength == nil else { throw .badRequest }
      contentLength = try Self.length(bytes.extracting(value))
    case 17 where label.equalsIgnoringCase("transfer-encoding"):
      try readCodings(bytes, value)
    default: break
    }
  }

  /// How the body is delimited (RFC 9112, section 6.3).
  /// - Throws: `badRequest` for a 1.1 request without Host, for Transfer-Encoding in 1.0 or beside Content-Length, for `chunked`
  ///   anywhere but once at the end; `notImplemented` for other codings.
  func body(in version: Request.Version) throws(Status) -> Body {
    if version == .http11 && !hasHost { throw .badRequest }
    guard hasTransferEncoding else { return .sized(contentLength ?? 0) }
    if version == .http10 || contentLength != nil || hasMisplacedChunked { throw .badRequest }
    if hasOtherCoding { throw .notImplemented }
    return .chunked
  }

  /// Whether the connection outlives the answer (RFC 9112, section 9.3).
  func keepsAlive(in version: Request.Version) -> Bool {
    !hasClose && (version == .http11 || hasKeepAlive)
  }

  private mutating func readCodings(_ bytes: Span<UInt8>, _ value: Range<Int>) throws(Status) {
    hasTransferEncoding = true
    try bytes.forEachListElement(in: value) { (coding: Range<Int>) throws(Status) in
      if coding.isEmpty { throw .badRequest }
      if endsInChunked { hasMisplacedChunked = true }
      endsInChunked = bytes.extracting(coding).equalsIgnoringCase("chunked")
      if !endsInChunked { hasOtherCoding = true }
    }
  }

  /// `1*DIGIT` without overflow (RFC 9110, section 8.6): no sign, no list, no blanks within.
  private static func length(_ digits: Span<UInt8>) throws(Status) -> Int {
    if digits.isEmpty { throw .badRequest }
    var length = 0
    for place in digits.indices {
      guard digits[place].isDigit else { throw .badRequest }
      let (tens, carried) = length.multipliedReportingOverflow(by: 10)
      let (sum, overflowed) = tens.addingReportingOverflow(Int(digits[place] - UInt8(ascii: "0")))
      if carried || overflowed { throw .badRequest }
      length = sum
    }
    return length
  }
}

/// `host [":" port]`, as `Host` and an absolute target carry it (RFC 9110, section 7.2; RFC 3986, section 3.2.2). User information is
/// refused (RFC 9110, section 4.2.4), an empty host too (section 4.2.1).
enum Authority {
  static func isValid(_ text: Span<UInt8>) -> Bool {
    var hostEnd = 0
    if !text.isEmpty && text[0] == UInt8(ascii: "[") {
      guard let bracket = text.firstIndex(of: UInt8(ascii: "]"), in: 1..<text.count), bracket > 1 else { return false }
      for place in 1..<bracket where !isAddress(text[place]) { return false }
      hostEnd = bracket + 1
    } else {
      while hostEnd < text.count && isRegisteredName(text[hostEnd]) { hostEnd += 1 }
      if hostEnd == 0 { return false }
    }
    if hostEnd == text.count { return true }
    guard text[hostEnd] == UInt8(ascii: ":") else { return false }
    // A port has 16 bits; an empty one is the scheme's own.
    var port = 0
    for place in (hostEnd + 1)..<text.count {
      guard text[place].isDigit, port <= 0xFFFF else { return false }
      port = port * 10 + Int(text[place] - UInt8(ascii: "0"))
    }
    return port <= 0xFFFF
  }

  /// Within brackets: IPv6 and IPv4 notation. The zone of RFC 6874 has no place in a Host.
  private static func isAddress(_ byte: UInt8) -> Bool {
    byte.hexValue != nil || byte == UInt8(ascii: ":") || byte == UInt8(ascii: ".")
  }

  /// unreserved, sub-delims, and the `%` of an encoded byte.
  private static func isRegisteredName(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "!"), UInt8(ascii: "$")...UInt8(ascii: "."), UInt8(ascii: ";"), UInt8(ascii: "="),
      UInt8(ascii: "_"), UInt8(ascii: "~"):
      true
    default: byte.isDigit || byte.isLetter
    }
  }
}
