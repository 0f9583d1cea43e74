import Testing

@testable import HTTPQuery

@Suite struct `a request parser` {
  static let host = "Host: localhost\r\n"
  static let chunkedPost = "POST /b HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"

  static let accepted: [(String, [String])] = [
    ("GET / HTTP/1.1\r\n\(host)\r\n", ["GET /"]),
    ("HEAD /metrics HTTP/1.1\r\n\(host)\r\n", ["HEAD /metrics"]),
    ("\r\nGET /a HTTP/1.1\r\n\(host)\r\n", ["GET /a"]),
    ("GET /a HTTP/1.1\r\nhOsT:localhost:8080\t \r\n\r\n", ["GET /a"]),
    ("GET /a HTTP/1.1\r\nHost: [::1]:8080\r\n\r\n", ["GET /a"]),
    ("GET /a HTTP/1.1\r\nHost: h\r\nX-Empty:\r\nX-Text: caf\u{e9} \"a\"\t(b)\r\n\r\n", ["GET /a"]),
    ("GET /a HTTP/1.1\r\nHost: h\r\nConnection: Upgrade, CLOSE\r\n\r\n", ["GET /a close"]),
    ("GET /a HTTP/1.1\r\nHost: h\r\nConnection: keep-alive\r\nConnection: close\r\n\r\n", ["GET /a close"]),
    ("GET /a HTTP/1.0\r\n\r\n", ["GET /a close"]),
    ("GET /a HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", ["GET /a"]),
    ("GET /a HTTP/1.2\r\n\(host)\r\n", ["GET /a"]),
    ("OPTIONS * HTTP/1.1\r\n\(host)\r\n", ["OPTIONS *"]),
    ("GET http://example.com:80/a?b=c HTTP/1.1\r\nHost: other\r\n\r\n", ["GET /a?b=c"]),
    ("GET HTTP://h HTTP/1.1\r\nHost: h\r\n\r\n", ["GET /"]),
    ("GET http://h?b=c HTTP/1.1\r\nHost: h\r\n\r\n", ["GET /?b=c"]),
    ("POST /b HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello", ["POST /b \"hello\""]),
    ("POST /b HTTP/1.1\r\nHost: h\r\nContent-Length: 0005\r\n\r\nhello", ["POST /b \"hello\""]),
    ("POST /b HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n", ["POST /b"]),
    ("POST /b HTTP/1.1\r\nHost: h\r\n\r\n", ["POST /b"]),
    ("POST /b HTTP/1.1\r\nHost: h\r\nExpect: 100-Continue\r\nContent-Length: 2\r\n\r\nab", ["POST /b \"ab\""]),
    (chunkedPost + "5\r\nhello\r\n0\r\n\r\n", ["POST /b \"hello\""]),
    (chunkedPost + "3;name=\"v;\" \t\r\nhel\r\n0002 ;x\r\nlo\r\n00\r\n\r\n", ["POST /b \"hello\""]),
    (chunkedPost + "A\r\n0123456789\r\n0\r\nX-Sum: 1\r\nX: \r\n\r\n", ["POST /b \"0123456789\""]),
    (chunkedPost + "0\r\n\r\n", ["POST /b"]),
    ("POST /b HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: Chunked \r\n\r\n0\r\n\r\n", ["POST /b"]),
    (
      "POST /b HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc\r\nGET /c HTTP/1.1\r\n\(host)\r\n"
        + "DELETE /d HTTP/1.1\r\n\(host)\r\n",
      ["POST /b \"abc\"", "GET /c", "DELETE /d"]
    ),
    ("\r\nGET /a HTTP/1.1\r\n\(host)\r\n\r\nGET /b HTTP/1.1\r\n\(host)\r\n", ["GET /a", "GET /b"]),
    (chunkedPost + "1\r\nz\r\n0\r\n\r\nGET /c HTTP/1.1\r\n\(host)\r\n", ["POST /b \"z\"", "GET /c"]),
  ]

  static let refused: [(String, [String])] = [
    // The request line.
    ("GET /\r\n\(host)\r\n", ["400"]),
    ("GET  / HTTP/1.1\r\n\(host)\r\n", ["400"]),
    ("GET / HTTP/1.1 \r\n\(host)\r\n", ["400"]),
    (" GET / HTTP/1.1\r\n\(host)\r\n", ["400"]),
    ("GET / http/1.1\r\n\(host)\r\n", ["400"]),
    ("GET / HTTP/1\r\n\(host)\r\n", ["400"]),
    ("GET / HTTP/1.10\r\n\(host)\r\n", ["400"]),
    ("GET / HTTP/1.1\n\(host)\r\n", ["400"]),
    ("GET /\r HTTP/1.1\r\n\(host)\r\n", ["400"]),
    ("GET /\0 HTTP/1.1\r\n\(host)\r\n", ["400"]),
    ("GET\t/ HTTP/1.1\r\n\(host)\r\n", ["400"]),
    ("\r\n\r\nGET / HTTP/1.1\r\n\(host)\r\n", ["400"]),
    ("\nGET / HTTP/1.1\r\n\(host)\r\n", ["400"]),
    ("G(T / HTTP/1.1\r\n\(host)\r\n", ["400"]),
    ("GET / HTTP/2.0\r\n\(host)\r\n", ["505"]),
    ("GET / HTTP/0.9\r\n\(host)\r\n", ["505"]),
    ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", ["505"]),
    ("get / HTTP/1.1\r\n\(host)\r\n", ["501"]),
    ("BREW / HTTP/1.1\r\n\(host)\r\n", ["501"]),
    ("CONNECT example.com:443 HTTP/1.1\r\n\(host)\r\n", ["501"]),
    // The target.
    ("GET * HTTP/1.1\r\n\(host)\r\n", ["400"]),
    ("GET a HTTP/1.1\r\n\(host)\r\n", ["400"]),
    ("GET ftp://h/ HTTP/1.1\r\n\(host)\r\n", ["400"]),
    ("GET http:///a HTTP/1.1\r\n\(host)\r\n", ["400"]),
    ("GET http://me@h/a HTTP/1.1\r\n\(host)\r\n", ["400"]),
    ("GET /a#b HTTP/1.1\r\n\(host)\r\n", ["400"]),
    ("GET /%zz HTTP/1.1\r\n\(host)\r\n", ["400"]),
    ("GET /%2 HTTP/1.1\r\n\(host)\r\n", ["400"]),
    ("GET /% HTTP/1.1\r\n\(host)\r\n", ["400"]),
    ("GET /%00 HTTP/1.1\r\n\(host)\r\n", ["400"]),
    ("GET /%ff HTTP/1.1\r\n\(host)\r\n", ["400"]),
    ("GET /%c3/%a9 HTTP/1.1\r\n\(host)\r\n", ["400"]),
    ("GET /%ed%a0%80 HTTP/1.1\r\n\(host)\r\n", ["400"]),
    ("GET /?a=%g0 HTTP/1.1\r\n\(host)\r\n", ["400"]),
    ("GET /?a=%4 HTTP/1.1\r\n\(host)\r\n", ["400"]),
    // Host.
    ("GET / HTTP/1.1\r\n\r\n", ["400"]),
    ("GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", ["400"]),
    ("GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n", ["400"]),
    ("GET / HTTP/1.1\r\nHost:\r\n\r\n", ["400"]),
    ("GET / HTTP/1.1\r\nHost: bad host\r\n\r\n", ["400"]),
    ("GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", ["400"]),
    ("GET / HTTP/1.1\r\nHost: a:b\r\n\r\n", ["400"]),
    ("GET / HTTP/1.1\r\nHost: me@a\r\n\r\n", ["400"]),
    ("GET / HTTP/1.1\r\nHost: [::1\r\n\r\n", ["400"]),
    ("GET / HTTP/1.1\r\nHost: [::1]80\r\n\r\n", ["400"]),
    ("GET / HTTP/1.1\r\nHost: :80\r\n\r\n", ["400"]),
    // Fields.
    ("GET / HTTP/1.1\r\nHost : a\r\n\r\n", ["400"]),
    ("GET / HTTP/1.1\r\n\(host) folded\r\n\r\n", ["400"]),
    ("GET / HTTP/1.1\r\n\(host)\tfolded: a\r\n\r\n", ["400"]),
    ("GET / HTTP/1.1\r\n folded\r\n\(host)\r\n", ["400"]),
    ("GET / HTTP/1.1\r\n\(host)Bad Name: a\r\n\r\n", ["400"]),
    ("GET / HTTP/1.1\r\n\(host)Bad\u{e9}: a\r\n\r\n", ["400"]),
    ("GET / HTTP/1.1\r\n\(host): a\r\n\r\n", ["400"]),
    ("GET / HTTP/1.1\r\n\(host)NoColon\r\n\r\n", ["400"]),
    ("GET / HTTP/1.1\r\n\(host)X: a\0b\r\n\r\n", ["400"]),
    ("GET / HTTP/1.1\r\n\(host)X: a\rb\r\n\r\n", ["400"]),
    ("GET / HTTP/1.1\r\n\(host)X: a\nY: b\r\n\r\n", ["400"]),
    ("GET / HTTP/1.1\r\n\(host)X: a\u{b}b\r\n\r\n", ["400"]),
    ("GET / HTTP/1.1\r\n\(host)X: a\u{7f}b\r\n\r\n", ["400"]),
    ("GET / HTTP/1.1\r\n\(host)X: a\r\n\n", ["400"]),
    // Framing.
    ("POST / HTTP/1.1\r\n\(host)Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", ["400"]),
    ("POST / HTTP/1.1\r\n\(host)Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n", ["400"]),
    ("POST / HTTP/1.1\r\n\(host)Content-Length: 5\r\nContent-Length: 7\r\n\r\nhello!!", ["400"]),
    ("POST / HTTP/1.1\r\n\(host)Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello", ["400"]),
    ("POST / HTTP/1.1\r\n\(host)Content-Length: 5, 5\r\n\r\nhello", ["400"]),
    ("POST / HTTP/1.1\r\n\(host)Content-Length: +5\r\n\r\nhello", ["400"]),
    ("POST / HTTP/1.1\r\n\(host)Content-Length: -1\r\n\r\nhello", ["400"]),
    ("POST / HTTP/1.1\r\n\(host)Content-Length: 0x5\r\n\r\nhello", ["400"]),
    ("POST / HTTP/1.1\r\n\(host)Content-Length: 5 5\r\n\r\nhello", ["400"]),
    ("POST / HTTP/1.1\r\n\(host)Content-Length:\r\n\r\nhello", ["400"]),
    ("POST / HTTP/1.1\r\n\(host)Content-Length: 9223372036854775808\r\n\r\nhello", ["400"]),
    ("POST / HTTP/1.1\r\n\(host)Content-Length: 18446744073709551621\r\n\r\nhello", ["400"]),
    ("POST / HTTP/1.0\r\n\(host)Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", ["400"]),
    ("POST / HTTP/1.1\r\n\(host)Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n", ["400"]),
    ("POST / HTTP/1.1\r\n\(host)Transfer-Encoding: chunked\r\nTransfer-Encoding: gzip\r\n\r\n", ["400"]),
    ("POST / HTTP/1.1\r\n\(host)Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n", ["400"]),
    ("POST / HTTP/1.1\r\n\(host)Transfer-Encoding:\r\n\r\n0\r\n\r\n", ["400"]),
    ("POST / HTTP/1.1\r\n\(host)Transfer-Encoding: ,chunked\r\n\r\n0\r\n\r\n", ["400"]),
    ("POST / HTTP/1.1\r\n\(host)Transfer-Encoding: \u{b}chunked\r\n\r\n0\r\n\r\n", ["400"]),
    ("POST / HTTP/1.1\r\n\(host)Transfer-Encoding: nonsense\r\n\r\nhello", ["501"]),
    ("POST / HTTP/1.1\r\n\(host)Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", ["501"]),
    ("POST / HTTP/1.1\r\n\(host)Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", ["501"]),
    ("POST / HTTP/1.1\r\n\(host)Content-Length: 5\r\nExpect: a-miracle\r\n\r\nhello", ["417"]),
    ("POST / HTTP/1.1\r\n\(host)Content-Length: 1001\r\n\r\n", ["413"]),
    // Chunks.
    (chunkedPost + "Z\r\nhello\r\n0\r\n\r\n", ["400"]),
    (chunkedPost + "\r\nhello\r\n0\r\n\r\n", ["400"]),
    (chunkedPost + "-1\r\nhello\r\n0\r\n\r\n", ["400"]),
    (chunkedPost + "0x5\r\nhello\r\n0\r\n\r\n", ["400"]),
    (chunkedPost + " 5\r\nhello\r\n0\r\n\r\n", ["400"]),
    (chunkedPost + "5 5\r\nhello\r\n0\r\n\r\n", ["400"]),
    (chunkedPost + "5 \r\nhello\r\n0\r\n\r\n", ["400"]),
    (chunkedPost + "5\nhello\r\n0\r\n\r\n", ["400"]),
    (chunkedPost + "5;a\nb\r\nhello\r\n0\r\n\r\n", ["400"]),
    (chunkedPost + "5\r\nhello0\r\n\r\n", ["400"]),
    (chunkedPost + "5\r\nhello!\r\n0\r\n\r\n", ["400"]),
    (chunkedPost + "5\r\nhello\n0\r\n\r\n", ["400"]),
    (chunkedPost + "10000000000000005\r\nhello\r\n0\r\n\r\n", ["400"]),
    (chunkedPost + "FFFFFFFFFFFFFFFF\r\nhello\r\n0\r\n\r\n", ["400"]),
    (chunkedPost + "5;" + String(repeating: "x", count: 300) + "\r\nhello\r\n0\r\n\r\n", ["400"]),
    (chunkedPost + "0\r\nBad Name: a\r\n\r\n", ["400"]),
    (chunkedPost + "3E8\r\n" + String(repeating: "x", count: 1_000) + "\r\n1\r\nx\r\n0\r\n\r\n", ["413"]),
    (chunkedPost + "3E9\r\n", ["413"]),
    // What stood before a fault is still answered, what stands behind it is not.
    ("GET /a HTTP/1.1\r\n\(host)\r\nNONSENSE\r\nGET /b HTTP/1.1\r\n\(host)\r\n", ["GET /a", "400"]),
    (chunkedPost + "Z\r\nGET /b HTTP/1.1\r\n\(host)\r\n", ["400"]),
  ]

  @Test(arguments: accepted + refused)
  func `reads the same however the stream is cut`(_ stream: String, _ expected: [String]) {
    let bytes = Array(stream.utf8)
    #expect(RequestReader.read(bytes) == expected)
    for place in 0...bytes.count {
      #expect(RequestReader.read(bytes, cutAt: [place]) == expected, "cut at \(place)")
    }
    #expect(RequestReader.read(bytes, cutAt: Array(bytes.indices)) == expected, "byte by byte")
  }

  @Test func `reads a head that it knows as it read it the first time`() {
    let memo = HeadMemo()
    for round in 0..<3 {
      for (stream, expected) in Self.accepted {
        let bytes = Array(stream.utf8)
        var reader = RequestReader(memo: memo)
        for _ in 0..<4 { reader.feed(bytes) }
        #expect(reader.found == Array(repeatElement(expected, count: 4).joined()), "round \(round)")
        // What is known is found in pieces too, and read on from where it ends.
        var pieces = RequestReader(memo: memo)
        for _ in 0..<3 { for byte in bytes { pieces.feed([byte]) } }
        #expect(pieces.found == Array(repeatElement(expected, count: 3).joined()))
      }
    }
    // A head is what it is to its last byte: the same one with other bodies, and others that begin like it.
    func post(_ length: Int, _ field: String = "") -> String {
      "POST /b HTTP/1.1\r\nHost: h\r\nContent-Length: \(length)\r\n\(field)\r\n"
    }
    var reader = RequestReader(memo: memo)
    for body in ["abc", "def", "ghi"] { reader.feed(Array((post(3) + body).utf8)) }
    reader.feed(Array((post(4) + "abcd" + post(3, "Connection: close\r\n") + "xyz").utf8))
    #expect(
      reader.found == [
        "POST /b \"abc\"", "POST /b \"def\"", "POST /b \"ghi\"", "POST /b \"abcd\"", "POST /b \"xyz\" close",
      ])
    var small = RequestReader(bodyLimit: 2, memo: memo)
    small.feed(Array(post(3).utf8))
    #expect(small.found == ["413"])
  }

  static let bounds: [(prefix: String, filler: String, count: Int, suffix: String, expected: String)] = {
    let get = "GET / HTTP/1.1\r\nHost: h\r\n"
    let path = String(repeating: "a", count: 8_191)
    return [
      ("GET /", "a", 8_191, " HTTP/1.1\r\nHost: h\r\n\r\n", "GET /\(path)"),
      ("GET /", "a", 8_192, " HTTP/1.1\r\nHost: h\r\n\r\n", "414"),
      ("GET /", "a", 9_000, " HTTP/1.1\r\nHost: h\r\n\r\n", "414"),
      ("GET /", "a", 9_000, "", "414"),
      // 16 KiB of fields: `Host: h` takes 9, the name, its colon and CRLF 4.
      (get + "X:", "a", 16_384 - 9 - 4, "\r\n\r\n", "GET /"),
      (get + "X:", "a", 16_384 - 9 - 1, "\r\n\r\n", "431"),
      (get + "X:", "a", 17_000, "", "431"),
      (get, "X: a\r\n", 99, "\r\n", "GET /"),
      (get, "X: a\r\n", 100, "\r\n", "431"),
      (chunkedPost + "0\r\n", "X: a\r\n", 100, "\r\n", "POST /b"),
      (chunkedPost + "0\r\n", "X: a\r\n", 101, "\r\n", "431"),
      (chunkedPost + "0\r\nX:", "a", 17_000, "", "431"),
    ]
  }()

  @Test(arguments: bounds)
  func `holds its bounds in one piece and in many`(
    _ bound: (prefix: String, filler: String, count: Int, suffix: String, expected: String)
  ) {
    let stream = Array((bound.prefix + String(repeating: bound.filler, count: bound.count) + bound.suffix).utf8)
    #expect(RequestReader.read(stream) == [bound.expected])
    #expect(RequestReader.read(stream, cutAt: Array(stride(from: 0, to: stream.count, by: 7))) == [bound.expected])
  }

  @Test func `counts the trailers of each request for itself`() {
    let request = Self.chunkedPost + "0\r\n" + String(repeating: "X: a\r\n", count: 60) + "\r\n"
    #expect(RequestReader.read(Array((request + request).utf8)) == ["POST /b", "POST /b"])
  }

  @Test func `keeps the leftover of a pipeline small however long it runs`() {
    var reader = RequestReader()
    let requests = Array("GET /a HTTP/1.1\r\nHost: h\r\n\r\n".utf8)
    // Every read ends within a request, so the buffer is never empty.
    let endless = Array(repeatElement(requests, count: 40).joined())
    reader.feed(endless[..<10])
    for _ in 0..<1_000 { reader.feed(endless[10...] + endless[..<10]) }
    #expect(reader.found.count == 40_000)
    #expect(reader.unreadCount == 10)
    #expect(reader.heldBytes < 4 * endless.count)
  }

  @Test func `asks for leave only when the client waits for it`() {
    func steps(_ text: String) -> [String] {
      var parser = RequestParser()
      parser.append(Array(text.utf8).span)
      var found: [String] = []
      while true {
        switch parser.next(bodyLimit: { _ in 10 }) {
        case .needsMore: return found
        case .expectsContinue: found.append("continue")
        case .request: found.append("request")
        case .refused(let status): return found + ["\(status.rawValue)"]
        }
      }
    }
    let head = "POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\n"
    #expect(steps("POST / HTTP/1.1\r\nHost: h:65536\r\n\r\n") == ["400"])
    #expect(steps("POST / HTTP/1.1\r\nHost: h:65535\r\n\r\n") == ["request"])
    #expect(steps(head + "Content-Length: 2\r\n\r\n") == ["continue"])
    #expect(steps(head + "Transfer-Encoding: chunked\r\n\r\n") == ["continue"])
    #expect(steps(head + "Content-Length: 2\r\n\r\nab") == ["request"])
    #expect(steps(head + "Content-Length: 0\r\n\r\n") == ["request"])
    #expect(steps(head + "Content-Length: 11\r\n\r\n") == ["413"])
    #expect(steps("POST / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n") == [])
  }

  @Test func `asks for the body's limit with the request's head and once`() {
    var parser = RequestParser()
    parser.append(Array("POST /lines HTTP/1.1\r\nHost: h\r\nContent-Length: 20\r\n\r\n".utf8).span)
    var asked: [String] = []
    for piece in ["0123456789", "0123456789"] {
      _ = parser.next { request in
        asked.append(request.path.joined())
        return 20
      }
      parser.append(Array(piece.utf8).span)
    }
    guard case .request(let request) = parser.next(bodyLimit: { _ in 0 }) else {
      Issue.record("no request")
      return
    }
    #expect(asked == ["lines"])
    #expect(request.body.count == 20)
  }

  @Test func `hands over the fields under any case and joins those that repeat`() throws {
    let request = try #require(
      read("GET / HTTP/1.1\r\nHost: h:80\r\nAccept: text/plain\r\nX-Time:  a b \t\r\naccept:*/*\r\n\r\n"))
    #expect(request.host == "h:80")
    #expect(request.headers.count == 4)
    #expect(request.headers["accept"] == "text/plain, */*")
    #expect(request.headers["x-time"] == "a b")
    #expect(request.headers["x-tim"] == nil)
  }

  @Test func `takes the host from an absolute target before the Host field`() throws {
    let request = try #require(read("GET http://example.com:8080/a HTTP/1.1\r\nHost: other\r\n\r\n"))
    #expect(request.host == "example.com:8080")
  }

  static let targets: [(String, [String], [String: String])] = [
    ("/", [], [:]),
    ("/visits/a%2Fb", ["visits", "a/b"], [:]),
    ("/visits/", ["visits", ""], [:]),
    ("//a", ["", "a"], [:]),
    ("/a/../b", ["a", "..", "b"], [:]),
    ("/a+b%20c", ["a+b c"], [:]),
    ("/caf%C3%A9", ["café"], [:]),
    ("/café", ["café"], [:]),
    ("/a%25zz", ["a%zz"], [:]),
    ("/?a=b+c%20d%2B&e&f=&=g&&h=i=j", [], ["a": "b c d+", "e": "", "f": "", "": "g", "h": "i=j"]),
    ("/?match=page:a*&line=visit:page1|c", [], ["match": "page:a*", "line": "visit:page1|c"]),
    ("/s?q=a/b?c", ["s"], ["q": "a/b?c"]),
    ("/?", [], [:]),
  ]

  @Test(arguments: targets)
  func `takes targets apart before it decodes them`(_ target: String, _ path: [String], _ query: [String: String])
    throws
  {
    let request = try #require(read("GET \(target) HTTP/1.1\r\nHost: h\r\n\r\n"))
    #expect(request.path == path)
    #expect(request.query.count == query.count)
    for (name, value) in query { #expect(request.parameter(name) == Array(value.utf8)) }
    #expect(request.parameter("absent") == nil)
  }

  @Test func `lets any byte into a parameter so that explain can say what is wrong with it`() throws {
    let request = try #require(read("GET /explain?line=%ff%00a HTTP/1.1\r\nHost: h\r\n\r\n"))
    #expect(request.parameter("line") == [0xFF, 0, UInt8(ascii: "a")])
  }

  private func read(_ text: String) -> Request? {
    var parser = RequestParser()
    parser.append(Array(text.utf8).span)
    guard case .request(let request) = parser.next(bodyLimit: { _ in 0 }) else { return nil }
    return request
  }
}
