import Testing

@testable import Storage

@Suite struct `a Redis URL` {
  private func url(_ text: String) -> RedisURL? { try? RedisURL(text) }

  @Test func `names a host, a port, a database and a weight`() throws {
    #expect(url("redis://redis1")?.place == .tcp(host: "redis1", port: 6379))
    #expect(url("redis://redis1/")?.place == .tcp(host: "redis1", port: 6379))
    #expect(url("redis://127.0.0.1:7070/3?weight=2")?.place == .tcp(host: "127.0.0.1", port: 7070))
    #expect(url("redis://127.0.0.1:7070/3?weight=2")?.database == 3)
    #expect(url("redis://127.0.0.1:7070/3?weight=2")?.weight == 2)
    #expect(url("redis://h?db=4&weight=1000")?.database == 4)
    #expect(url("redis://h?weight=0")?.weight == 0)
    // To name the first is not to name none.
    #expect(url("redis://h/0")?.database == 0 && url("unix:///s?db=0")?.database == 0)
    for text in ["redis://h", "redis://h/", "unix:///s"] { #expect(try #require(url(text)).database == nil) }
    #expect(url("redis://h/0")?.description == url("redis://h")?.description)
    #expect(url("redis://[::1]:1")?.place == .tcp(host: "::1", port: 1))
    #expect(url("redis://[::1]")?.place == .tcp(host: "::1", port: 6379))
    #expect(url("unix:///run/redis%20a.sock?db=2")?.place == .unix(path: "/run/redis a.sock"))
    #expect(url("unix:///run/redis.sock?db=2")?.database == 2)
    #expect(url("unix:///a@b")?.place == .unix(path: "/a@b"))
  }

  @Test func `holds a user and a password, of which it shows neither`() throws {
    let both = try #require(url("redis://anna:s%40:cret@h:1/2"))
    #expect((both.user, both.password) == ("anna", "s@:cret"))
    #expect("\(both)" == "redis://h:1/2")
    let one = try #require(url("redis://:secret@h"))
    #expect((one.user, one.password) == (nil, "secret"))
    let path = try #require(url("unix://:secret@/run/s"))
    #expect((path.password, path.place, "\(path)") == ("secret", .unix(path: "/run/s"), "unix:///run/s"))
    #expect("\(try #require(url("redis://[::1]:7?weight=3")))" == "redis://[::1]:7")
  }

  @Test(arguments: [
    ("rediss://h:6379", "TLS is not built in"), ("http://h", "unknown scheme http"), ("h:6379", "want redis://"),
    ("redis://", "want host:port"), ("redis://h:0", "from 1 to 65535"), ("redis://h:65536", "from 1 to 65535"),
    ("redis://h:", "want host:port"), ("redis://::1", "want host:port"), ("redis://[::1]x", "want host:port"),
    ("redis://h/x", "x is no database"), ("redis://h/-1", "no database"), ("redis://h?weight=-1", "from 0 to 1000"),
    ("redis://h?weight=1001", "from 0 to 1000"), ("redis://h?tls=1", "unknown field tls"),
    ("redis://h?db=x", "from 0 on"),
    ("redis://user@h", "wants a password"), ("redis://:%4@h", "two hexadecimal digits"),
    ("redis://h h", "want host:port"),
    ("unix://run/s", "absolute path"), ("unix:///" + String(repeating: "a", count: 107), "107 bytes"),
  ]) func `that cannot be used is refused with what is allowed`(_ text: String, _ part: String) {
    let fault = #expect(throws: RedisURL.Fault.self) { try RedisURL(text) }
    #expect(fault?.description.contains(part) == true, "\(String(describing: fault))")
  }

  @Test func `never shows its password in a fault`() {
    for text in [
      "rediss://u:secret@h", "redis://u:sec@ret@h:x", "redis://:secret@", "http://:secret@h", "redis://:sec?ret@h",
      "redis://:sec?a=1&ret@h", "redis://:a/secret@h", "unix://:sec?ret@/run/s", "redis:/:secret@h",
    ] {
      let fault = #expect(throws: RedisURL.Fault.self) { try RedisURL(text) }
      #expect(fault?.description.contains("ret") == false, "\(String(describing: fault))")
    }
  }
}

@Suite struct `a greeting` {
  private func words(_ command: RESPCommand) -> String {
    String(decoding: command.bytes, as: UTF8.self).split(separator: "\r\n").filter { !"*$".contains($0.first ?? "*") }
      .joined(separator: " ")
  }

  private func greet(_ text: String, formerID: Int64? = nil, _ replies: [RESPValue]) throws -> (
    said: [String], RedisGreeting
  ) {
    var greeting = RedisGreeting(try RedisURL(text), name: "n", formerID: formerID)
    var said = [words(greeting.first)]
    for reply in replies {
      switch greeting.take(reply) {
      case .send(let command): said.append(words(command))
      case .ready: said.append("ready")
      case .refused(let reason): said.append("refused: \(reason)")
      }
    }
    return (said, greeting)
  }

  private func hello(_ mode: String) -> RESPValue {
    .map([.bulk(Array("id".utf8)), .integer(9), .bulk(Array("mode".utf8)), .bulk(Array(mode.utf8))])
  }

  @Test func `asks for the third version with user, password and database`() throws {
    let (said, greeting) = try greet("redis://u:p@h/5", [hello("standalone"), .simple("OK")])
    #expect(said == ["HELLO 3 AUTH u p SETNAME n", "SELECT 5", "ready"])
    #expect(!greeting.isCluster && greeting.clientID == 9)
    #expect(try greet("redis://:p@h", [hello("cluster")]).said == ["HELLO 3 AUTH default p SETNAME n", "ready"])
    #expect(try greet("redis://h", [hello("cluster")]).1.isCluster)
  }

  @Test func `falls back to the second version`() throws {
    let unknown = RESPValue.error("ERR unknown command `HELLO`, with args beginning with: `3`")
    let info = RESPValue.bulk(Array("# Cluster\r\ncluster_enabled:1\r\n".utf8))
    #expect(try greet("redis://h", [unknown, info]).said == ["HELLO 3 SETNAME n", "INFO cluster", "ready"])
    let (said, greeting) = try greet("redis://:p@h/1", [unknown, .simple("OK"), info, .simple("OK")])
    #expect(said == ["HELLO 3 AUTH default p SETNAME n", "AUTH p", "INFO cluster", "SELECT 1", "ready"])
    #expect(greeting.isCluster && greeting.clientID == nil)
    #expect(try greet("redis://u:p@h", [unknown]).said.last == "AUTH u p")
    #expect(try greet("redis://h", [.error("NOPROTO sorry")]).said.last == "INFO cluster")
  }

  @Test func `closes the connection that was given up, if it is still ours`() throws {
    let ours = RESPValue.verbatim(format: "txt", Array("id=7 addr=127.0.0.1:5 name=n age=3\n".utf8))
    let theirs = RESPValue.bulk(Array("id=7 addr=127.0.0.1:5 name=nn age=3\n".utf8))
    #expect(
      try greet("redis://h", formerID: 7, [hello("standalone"), ours, .integer(1)]).said
        == ["HELLO 3 SETNAME n", "CLIENT LIST ID 7", "CLIENT KILL ID 7", "ready"])
    for other in [theirs, .bulk([]), .error("NOPERM")] {
      #expect(try greet("redis://h", formerID: 7, [hello("standalone"), other]).said.last == "ready")
    }
  }

  @Test func `that is refused says what mends it`() throws {
    for (reply, part) in [
      ("NOAUTH HELLO must be called", "redis://user:password@host"), ("WRONGPASS invalid", "--redis"),
    ] {
      #expect(try greet("redis://h", [.error(reply)]).said.last?.contains(part) == true)
    }
    #expect(
      try greet("redis://h/1", [hello("cluster"), .error("ERR SELECT is not allowed in cluster mode")]).said.last
        == "refused: ERR SELECT is not allowed in cluster mode")
    #expect(try greet("redis://h", [.simple("OK")]).said.last?.hasPrefix("refused") == true)
  }
}
