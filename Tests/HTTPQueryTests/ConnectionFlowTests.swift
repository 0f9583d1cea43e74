import Bytes
import Testing

@testable import HTTPQuery

@Suite struct `the flow of a connection` {
  /// Pieces in order; counts how often it was asked.
  final class Pieces {
    var left: [String]
    var asked = 0
    var isWaiting = false

    init(_ pieces: [String]) { left = pieces }

    var response: Response {
      Response(
        type: "text/plain",
        body: .stream(
          BodyStream { writer in
            self.asked += 1
            if self.isWaiting { return .waiting }
            writer.append(self.left.removeFirst())
            return self.left.isEmpty ? .finished : .more
          }))
    }
  }

  private func client(_ request: String, _ pieces: Pieces, limits: ConnectionLimits = ConnectionLimits()) -> Client {
    let client = Client(limits: limits)
    client.send(request)
    guard case .request = client.next() else {
      Issue.record("no request")
      return client
    }
    client.answer(pieces.response)
    return client
  }

  @Test func `a stream goes out in chunks, and the next request behind it`() {
    let pieces = Pieces(["hello", "", String(repeating: "x", count: 26), ""])
    let client = client(`a connection`.get("/a") + `a connection`.get("/b"), pieces)
    client.settle()
    let long = String(repeating: "x", count: 26)
    #expect(
      client.text.contains("\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n1a\r\n\(long)\r\n0\r\n\r\nHTTP/1.1 200")
    )
    #expect(!client.text.components(after: "HTTP/1.1 ")[0].contains("Content-Length"))
    #expect(client.phase == .open)
  }

  @Test func `a stream to a 1.0 client ends with the connection`() {
    let pieces = Pieces(["hello ", "world"])
    let client = client(`a connection`.get("/", "Connection: keep-alive\r\n", version: "1.0"), pieces)
    client.settle()
    #expect(client.text.messageBody == "hello world")
    #expect(client.text.contains("Connection: close\r\n"))
    #expect(!client.text.contains("Transfer-Encoding"))
    #expect(client.phase == .draining)
  }

  @Test func `a HEAD of a stream asks for no piece`() {
    let pieces = Pieces(["hello"])
    let client = client(`a connection`.get("/", method: "HEAD"), pieces)
    client.settle()
    #expect(pieces.asked == 0)
    #expect(client.text.contains("\r\nTransfer-Encoding: chunked\r\n"))
    #expect(client.text.messageBody == "")
    #expect(client.phase == .open)
  }

  @Test func `a stream is asked only while little waits to be sent`() {
    var limits = ConnectionLimits()
    limits.outputLowWater = 1_000
    let piece = String(repeating: "x", count: 400)
    let pieces = Pieces([String](repeating: piece, count: 100))
    let client = client(`a connection`.get("/"), pieces, limits: limits)
    var most = 0
    while client.wantsProduce { client.connection.produce(nanoseconds: 0) }
    #expect(pieces.asked <= 3)
    while pieces.asked < 100 {
      client.take(100)
      if client.wantsProduce { client.connection.produce(nanoseconds: 0) }
      most = max(most, client.pendingCount)
    }
    #expect(most < 1_000 + 400 + 20)
    client.settle()
    #expect(client.text.messageBody.components(after: "190\r\n").count == 100)
  }

  @Test func `the memory of a long stream does not grow`() {
    final class Endless { var count = 0 }
    let endless = Endless()
    let client = Client()
    client.send(`a connection`.get("/"))
    _ = client.next()
    let piece = [UInt8](repeating: 0x78, count: 10_000)
    client.answer(
      Response(
        type: "text/plain",
        body: .stream(
          BodyStream { writer in
            endless.count += 1
            writer.append(piece)
            return .more
          })))
    // Never empty: the peer always leaves a little.
    for _ in 0..<2_000 {
      if client.wantsProduce { client.connection.produce(nanoseconds: 0) }
      client.take(max(0, client.pendingCount - 10))
      client.received.removeAll()
      #expect(client.heldCount < 250_000)
    }
    #expect(endless.count == 2_000)
  }

  @Test func `a stream without news is left alone until there is some`() {
    let pieces = Pieces(["first", "second", "third"])
    let client = client(`a connection`.get("/events"), pieces)
    client.connection.produce(nanoseconds: 0)
    pieces.isWaiting = true
    client.connection.produce(nanoseconds: 0)
    client.take()
    #expect(!client.wantsProduce)
    #expect(client.timeout == nil)
    #expect(client.wantsInput, "or nobody would notice that the client has left")
    pieces.isWaiting = false
    client.connection.produce(nanoseconds: 0)
    #expect(client.wantsProduce)
    client.settle()
    #expect(client.text.hasSuffix("5\r\nfirst\r\n6\r\nsecond\r\n5\r\nthird\r\n0\r\n\r\n"))
  }

  @Test func `who takes no answers gets to ask no more`() {
    var limits = ConnectionLimits()
    limits.outputHighWater = 10_000
    let client = Client(limits: limits)
    client.send(String(repeating: `a connection`.get("/a"), count: 1_000))
    client.serve()
    let served = client.requests.count
    #expect(served < 100)
    #expect(!client.wantsInput)
    #expect(client.pendingCount < 10_000 + 500)
    client.take(100)
    client.serve()
    #expect(client.requests.count <= served + 1)
    client.settle()
    #expect(client.requests.count == 1_000)
    #expect(client.wantsInput)
  }

  @Test func `the socket is not read while much waits unread`() {
    var limits = ConnectionLimits()
    limits.inputHighWater = 100
    let client = client(`a connection`.get("/a"), Pieces(["x", "y"]), limits: limits)
    client.send(`a connection`.get("/b"))
    #expect(client.wantsInput)
    client.send(String(repeating: `a connection`.get("/c"), count: 4))
    #expect(!client.wantsInput)
    client.settle()
    #expect(client.wantsInput)
    #expect(client.requests.count == 5)
  }

  @Test func `a body that is not wanted is not waited for, and nothing behind it is read`() {
    for framing in ["Content-Length: 30", "Transfer-Encoding: chunked", "Content-Length: 30\r\nExpect: 100-continue"] {
      let client = Client()
      client.send("POST /a HTTP/1.1\r\nHost: h\r\n\(framing)\r\n\r\n")
      guard case .request(let request) = client.connection.next(nanoseconds: 0, bodyLimit: { _ in nil }) else {
        Issue.record("no request")
        return
      }
      #expect(request.isBodyRefused && !request.keepsAlive && request.body.isEmpty)
      client.answer(.fault(.forbidden))
      client.send(`a connection`.get("/smuggled"))
      client.settle()
      #expect(client.statuses == ["403"] && client.phase == .draining)
    }
  }

  @Test func `a connection that waits gives its buffers back, and goes on`() {
    let client = Client()
    for path in ["/a", "/b"] {
      client.send(`a connection`.get(path))
      client.settle()
      client.connection.releaseBuffers()
      #expect(client.connection.output.bytes.capacity == 0 && client.connection.parser.input.capacity == 0)
    }
    client.send("GET /c HTT")
    client.settle()
    client.connection.releaseBuffers()
    client.send("P/1.1\r\nHost: h\r\n\r\n")
    client.settle()
    #expect(client.requests == ["GET /a", "GET /b", "GET /c"])
  }

  @Test func `a request is given up while it comes`() {
    let client = Client()
    client.send("POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 30\r\n\r\nabc")
    client.settle()
    guard case .refused(.serviceUnavailable) = client.connection.shed() else {
      Issue.record("not given up")
      return
    }
    client.answer(.fault(.serviceUnavailable))
    client.settle()
    #expect(client.statuses == ["503"] && client.phase == .draining)
  }
}
