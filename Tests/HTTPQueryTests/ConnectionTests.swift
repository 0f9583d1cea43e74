import Bytes
import Testing

@testable import HTTPQuery

@Suite struct `a connection` {
  static func get(_ path: String, _ fields: String = "", method: String = "GET", version: String = "1.1") -> String {
    "\(method) \(path) HTTP/\(version)\r\nHost: h\r\n\(fields)\r\n"
  }

  @Test func `answers with all that every answer carries`() {
    let client = Client()
    client.send(Self.get("/a"))
    client.settle()
    #expect(
      client.text == """
        HTTP/1.1 200 OK\r
        Date: Thu, 21 Nov 2024 03:57:00 GMT\r
        Server: footfall\r
        X-Process-Time: 0.001234567\r
        Content-Type: application/json\r
        Content-Length: 3\r
        Cache-Control: no-store\r
        \r
        "a"
        """)
    #expect(client.phase == .open)
  }

  @Test func `answers pipelined requests in their order, however they are cut`() {
    let stream = Self.get("/a") + "POST /b HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nxy" + Self.get("/c")
    let bytes = Array(stream.utf8)
    for place in 0...bytes.count {
      let client = Client()
      for piece in [bytes[..<place], bytes[place...]] {
        client.connection.receive(Array(piece).span)
        client.settle()
      }
      #expect(client.requests == ["GET /a", "POST /b \"xy\"", "GET /c"])
      #expect(client.text.components(after: "\r\n\r\n").map { $0.prefix(3) } == ["\"a\"", "\"b\"", "\"c\""])
    }
  }

  @Test func `gives one request at a time, answered now or later`() {
    let client = Client()
    client.send(Self.get("/a") + Self.get("/b"))
    guard case .request = client.next() else {
      Issue.record("no request")
      return
    }
    guard case .none = client.next() else {
      Issue.record("a second request before the first was answered")
      return
    }
    #expect(client.timeout == nil)
    client.answer(.fault(.notFound))
    client.settle()
    #expect(client.statuses == ["404", "200"])
  }

  static let persistence: [(String, keeps: Bool, field: String?)] = [
    (get("/"), true, nil),
    (get("/", "Connection: close\r\n"), false, "Connection: close"),
    (get("/", version: "1.0"), false, "Connection: close"),
    (get("/", "Connection: keep-alive\r\n", version: "1.0"), true, "Connection: keep-alive"),
    (get("/", "Connection: keep-alive, close\r\n", version: "1.0"), false, "Connection: close"),
  ]

  @Test(arguments: persistence)
  func `stays or goes as the client asks`(_ request: String, _ keeps: Bool, _ field: String?) {
    let client = Client()
    client.send(request + Self.get("/second"))
    client.settle()
    #expect(client.statuses.count == (keeps ? 2 : 1))
    #expect(client.phase == (keeps ? .open : .draining))
    let first = client.text.components(after: "HTTP/1.1 ")[0]
    #expect(
      first.components(after: "\r\nConnection: ").map { $0.prefix { $0 != "\r\n" } }.first == field?.dropFirst(12))
  }

  @Test func `answers HEAD with the fields of GET and no body`() {
    let get = Client()
    get.send(Self.get("/a/b"))
    get.settle()
    let head = Client()
    head.send(Self.get("/a/b", method: "HEAD"))
    head.settle()
    #expect(head.text + "\"a/b\"" == get.text)
    // The connection goes on behind it.
    head.send(Self.get("/c"))
    head.settle()
    #expect(head.statuses == ["200", "200"])
  }

  @Test func `sends no body with the refusal of a HEAD`() {
    let client = Client()
    client.send("HEAD / HTTP/1.1\r\nBad Name: a\r\n\r\n")
    client.settle()
    #expect(client.statuses == ["400"])
    #expect(client.text.contains("Content-Length: 24\r\n"))
    #expect(client.text.messageBody == "")
  }

  @Test func `gives neither length nor type to an answer without content`() {
    let client = Client()
    client.send(Self.get("/", method: "OPTIONS"))
    guard case .request = client.next() else {
      Issue.record("no request")
      return
    }
    client.answer(.options(allow: [.get, .head]))
    client.settle()
    #expect(client.text.contains("HTTP/1.1 204 No Content\r\n"))
    #expect(client.text.contains("\r\nAllow: GET, HEAD\r\n"))
    #expect(!client.text.contains("Content-"))
  }

  @Test func `lets no value end its line`() {
    let client = Client()
    client.send(Self.get("/"))
    _ = client.next()
    var response = Response.fault(.temporaryRedirect)
    response.fields.append(("Location", "/a\r\nSet-Cookie: b\0"))
    client.answer(response)
    client.settle()
    #expect(client.text.contains("\r\nLocation: /a  Set-Cookie: b \r\n"))
  }

  @Test func `refuses, closes its side, and reads on until the client has closed`() {
    let client = Client()
    client.send(Self.get("/a") + "NONSENSE\r\n" + Self.get("/b"))
    client.serve()
    #expect(client.phase == .open, "the answer is not sent yet")
    #expect(!client.wantsInput)
    client.take()
    #expect(client.statuses == ["200", "400"])
    #expect(client.text.hasSuffix("{\"detail\":\"Bad Request\"}"))
    #expect(client.text.contains("Connection: close\r\n"))
    #expect(client.phase == .draining)
    #expect(client.wantsInput)
    client.send(Self.get("/c"))
    client.settle()
    #expect(client.requests == ["GET /a"])
    client.connection.receiveEnd()
    #expect(client.phase == .closed)
    #expect(client.timeout == nil)
  }

  @Test func `answers what was asked before the client closed its side`() {
    let client = Client()
    client.send(Self.get("/a") + Self.get("/b") + "GET /c HT")
    client.connection.receiveEnd()
    #expect(!client.wantsInput)
    client.settle()
    #expect(client.requests == ["GET /a", "GET /b"])
    #expect(client.phase == .closed)
  }

  @Test func `gives leave to send a body`() {
    let client = Client()
    client.send("POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n")
    client.settle()
    #expect(client.text == "HTTP/1.1 100 Continue\r\n\r\n")
    client.send("xy")
    client.settle()
    #expect(client.statuses == ["100", "200"])
    #expect(client.requests == ["POST /a \"xy\""])
  }

  @Test func `refuses a body too long before it is sent`() {
    let client = Client()
    client.bodyLimit = 1
    client.send("POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n")
    client.settle()
    #expect(client.statuses == ["413"])
    #expect(client.phase == .draining)
  }

  @Test func `finishes what has begun when it is to retire`() {
    let busy = Client()
    busy.send("GET /a HT")
    busy.serve()
    busy.connection.retire(nanoseconds: 0)
    #expect(busy.phase == .open)
    busy.send("TP/1.1\r\nHost: h\r\n\r\n" + Self.get("/b"))
    busy.settle()
    #expect(busy.requests == ["GET /a"])
    #expect(busy.text.contains("Connection: close\r\n"))
    #expect(busy.phase == .draining)

    let idle = Client()
    idle.connection.retire(nanoseconds: 0)
    #expect(idle.phase == .draining)

    let answering = Client()
    answering.send(Self.get("/a") + Self.get("/b"))
    _ = answering.next()
    answering.connection.retire(nanoseconds: 0)
    answering.answer(.fault(.notFound))
    answering.settle()
    #expect(answering.text.contains("Connection: close\r\n"))
    #expect(answering.statuses == ["404"])
    #expect(answering.phase == .draining)
  }

  @Test func `goes after a stream that was under way when it was to retire`() {
    let client = Client()
    client.send(Self.get("/a") + Self.get("/b"))
    _ = client.next()
    client.answer(Response(type: "text/plain", body: .stream(BodyStream { _ in .finished })))
    client.connection.retire(nanoseconds: 0)
    client.settle()
    #expect(client.text.hasSuffix("\r\n\r\n0\r\n\r\n"))
    #expect(client.phase == .draining)
  }
}
