import Bytes
import Testing

@testable import HTTPQuery

@Suite struct `the deadlines of a connection` {
  private func expectTimeout(
    _ client: Client, _ kind: Timeout.Kind?, since: UInt64 = 0, until deadline: UInt64 = 0,
    _ location: SourceLocation = #_sourceLocation
  ) {
    let expected = kind.map { Timeout(kind: $0, since: since * 1_000_000, deadline: deadline * 1_000_000) }
    #expect(client.timeout == expected, sourceLocation: location)
  }

  @Test func `an idle client has a minute, counted from its last answer`() {
    let client = Client()
    expectTimeout(client, .idle, since: 0, until: 60_000)
    client.milliseconds = 5_000
    client.send(`a connection`.get("/a"))
    client.serve()
    client.milliseconds = 6_000
    client.take()
    client.serve()
    expectTimeout(client, .idle, since: 6_000, until: 66_000)
    client.milliseconds = 65_999
    _ = client.connection.expire(nanoseconds: client.nanoseconds)
    #expect(client.phase == .open)
    client.milliseconds = 66_000
    guard case .none = client.connection.expire(nanoseconds: client.nanoseconds) else {
      Issue.record("an idle client is owed no answer")
      return
    }
    #expect(client.phase == .closed)
  }

  @Test func `a head has ten seconds in all, not by the byte`() {
    let client = Client()
    client.milliseconds = 1_000
    for byte in `a connection`.get("/a").dropLast(5) {
      client.send(String(byte))
      client.settle()
      expectTimeout(client, .head, since: 1_000, until: 11_000)
      client.milliseconds += 300
    }
    client.milliseconds = 11_000
    guard case .refused(.requestTimeout) = client.connection.expire(nanoseconds: client.nanoseconds) else {
      Issue.record("no 408")
      return
    }
    client.answer(.fault(.requestTimeout))
    client.settle()
    #expect(client.statuses == ["408"])
    #expect(client.phase == .draining)
  }

  @Test func `each head has its own time`() {
    let client = Client()
    client.send("GET /a")
    client.settle()
    client.milliseconds = 9_000
    client.send(" HTTP/1.1\r\nHost: h\r\n\r\nGET /b")
    client.settle()
    expectTimeout(client, .head, since: 9_000, until: 19_000)
  }

  @Test func `an empty line begins a request too`() {
    let client = Client()
    client.milliseconds = 1_000
    client.send("\r\n")
    client.settle()
    expectTimeout(client, .head, since: 1_000, until: 11_000)
  }

  @Test func `a body earns time by what has come of it`() {
    let client = Client()
    client.bodyLimit = 100_000
    client.milliseconds = 1_000
    client.send("POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 50000\r\n\r\n")
    client.settle()
    expectTimeout(client, .body, since: 1_000, until: 11_000)
    client.milliseconds = 2_000
    client.send(String(repeating: "x", count: 2_048))
    client.settle()
    expectTimeout(client, .body, since: 1_000, until: 13_000)
    client.milliseconds = 13_000
    guard case .refused(.requestTimeout) = client.connection.expire(nanoseconds: client.nanoseconds) else {
      Issue.record("no 408")
      return
    }
  }

  @Test func `who takes nothing of an answer is cut off`() {
    let client = Client()
    client.milliseconds = 1_000
    client.send(`a connection`.get("/a"))
    client.serve()
    expectTimeout(client, .write, since: 1_000, until: 31_000)
    client.milliseconds = 20_000
    client.take(10)
    // Ten bytes are no answer's pace.
    expectTimeout(client, .write, since: 1_000, until: 31_000)
    client.milliseconds = 31_000
    _ = client.connection.expire(nanoseconds: client.nanoseconds)
    #expect(client.phase == .closed)
  }

  @Test func `a stream's time to be taken begins with its piece, not with the last one`() {
    let client = Client()
    client.send(`a connection`.get("/a"))
    _ = client.next()
    client.answer(
      Response(
        type: "text/plain",
        body: .stream(
          BodyStream { writer in
            writer.append("x" as StaticString)
            return .waiting
          })))
    client.take()
    expectTimeout(client, nil)
    client.milliseconds = 100_000
    client.connection.produce(nanoseconds: client.nanoseconds)
    expectTimeout(client, .write, since: 100_000, until: 130_000)
  }

  @Test func `who does not close after a refusal is closed`() {
    let client = Client()
    client.milliseconds = 1_000
    client.send("NONSENSE\r\n")
    client.settle()
    expectTimeout(client, .drain, since: 1_000, until: 3_000)
    client.milliseconds = 3_000
    _ = client.connection.expire(nanoseconds: client.nanoseconds)
    #expect(client.phase == .closed)
    expectTimeout(client, nil)
  }

  @Test func `who takes a byte now and then does not keep an answer for ever`() {
    let client = Client()
    client.send(`a connection`.get("/a"))
    _ = client.next()
    var body = ByteWriter()
    for _ in 0..<200_000 { body.append(UInt8(ascii: "x")) }
    client.answer(Response(type: "text/plain", body: .whole(body.bytes)))
    for _ in 0..<3 {
      client.milliseconds += 29_000
      client.take(1_024)
    }
    // 30 seconds, and a sixteenth more for each KiB.
    expectTimeout(client, .write, since: 0, until: 30_187)
    client.connection.didWrite(100_000, nanoseconds: client.nanoseconds)
    expectTimeout(client, .write, since: 0, until: 36_291)
    // The next answer has time of its own.
    client.take()
    client.send(`a connection`.get("/b"))
    client.serve()
    expectTimeout(client, .write, since: 87_000, until: 117_000)
  }

  @Test func `a stream with more to say is one answer, and one with news now and then is not`() {
    let client = Client()
    client.send(`a connection`.get("/a"))
    _ = client.next()
    var isWaiting = false
    client.answer(
      Response(
        type: "text/plain",
        body: .stream(
          BodyStream { writer in
            writer.append("x" as StaticString)
            return isWaiting ? .waiting : .more
          })))
    for _ in 0..<5 {
      client.milliseconds += 10_000
      client.take()
      client.connection.produce(nanoseconds: client.nanoseconds)
    }
    expectTimeout(client, .write, since: 0, until: 30_011)
    isWaiting = true
    client.take()
    client.connection.produce(nanoseconds: client.nanoseconds)
    client.take()
    client.milliseconds = 1_000_000
    client.connection.produce(nanoseconds: client.nanoseconds)
    expectTimeout(client, .write, since: 1_000_000, until: 1_030_000)
  }
}
