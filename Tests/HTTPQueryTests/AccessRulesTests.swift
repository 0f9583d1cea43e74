import Bytes
import Testing

@testable import HTTPQuery

@Suite struct `access rules` {
  private func request(_ fields: String, method: String = "POST") throws -> Request {
    let client = Client()
    client.send("\(method) /visit HTTP/1.1\r\n\(fields)\r\n\r\n")
    guard case .request(let request) = client.next() else { throw Missing() }
    return request
  }

  private struct Missing: Error {}

  private func status(_ rules: AccessRules, _ fields: String, method: String = "POST", beyond: Bool = false) throws
    -> Int
  {
    Int(try rules.refusal(ofWrite: request(fields, method: method), isBeyondLoopback: beyond)?.status.rawValue ?? 0)
  }

  private let rules = AccessRules(
    hostNames: [HostName("footfall.example")].compactMap { $0 },
    origins: [WebOrigin("https://shop.example"), WebOrigin("http://localhost:3000")].compactMap { $0 })

  @Test(arguments: [
    // Nobody says that a page sends it: a program does.
    "Host: anything.example",
    // A page of the server's own, by an address or this machine's name, with or without a port.
    "Host: 127.0.0.1:8080\r\nOrigin: http://127.0.0.1:8080\r\nSec-Fetch-Site: same-origin",
    "Host: 10.1.2.3:8080\r\nOrigin: http://10.1.2.3:8080", "Host: [::1]:8080\r\nOrigin: http://[::1]:8080",
    "Host: localhost\r\nOrigin: http://localhost", "Host: LocalHost:80\r\nOrigin: http://localhost",
    "Host: agent.localhost:8080\r\nOrigin: http://agent.localhost:8080",
    "Host: 127.0.0.1\r\nOrigin: https://127.0.0.1:443",
    "Host: 127.0.0.1:8080\r\nSec-Fetch-Site: same-origin", "Host: 127.0.0.1:8080\r\nSec-Fetch-Site: none",
    // A name that was told, whatever a proxy has made of the Host.
    "Host: footfall.example\r\nOrigin: https://footfall.example",
    "Host: 127.0.0.1:8080\r\nOrigin: https://Footfall.Example",
    "Host: footfall.example\r\nSec-Fetch-Site: same-origin",
    // A site that was told.
    "Host: 127.0.0.1:8080\r\nOrigin: https://shop.example\r\nSec-Fetch-Site: cross-site",
    "Host: other.example\r\nOrigin: https://shop.example:443", "Host: localhost:8080\r\nOrigin: http://localhost:3000",
  ])
  func `let these write`(fields: String) throws {
    #expect(try status(rules, fields) == 0)
  }

  @Test(arguments: [
    "Host: 127.0.0.1:8080\r\nOrigin: https://evil.example", "Host: 127.0.0.1:8080\r\nOrigin: null",
    "Host: 127.0.0.1:8080\r\nOrigin: http://127.0.0.1:8081", "Host: localhost:8080\r\nOrigin: http://localhost:3001",
    "Host: 127.0.0.1:8080\r\nOrigin: http://localhost:8080", "Host: 127.0.0.1:8080\r\nOrigin:",
    "Host: 127.0.0.1\r\nOrigin: http://127.0.0.1/", "Host: 127.0.0.1\r\nOrigin: http://u@127.0.0.1",
    "Host: 127.0.0.1\r\nOrigin: http://127.0.0.1\r\nOrigin: http://127.0.0.1",
    "Host: 127.0.0.1\r\nOrigin: ftp://127.0.0.1",
    "Host: 127.0.0.1:8080\r\nSec-Fetch-Site: cross-site", "Host: 127.0.0.1:8080\r\nSec-Fetch-Site: same-site",
    "Host: 127.0.0.1:8080\r\nSec-Fetch-Site: what", "Host: a\r\nOrigin: http://shop.example",
    "Host: 127.0.0.1:8080\r\nOrigin: https://footfall.example.evil.example",
    // The page's own name leads here.
    "Host: evil.example:8080\r\nOrigin: http://evil.example:8080\r\nSec-Fetch-Site: same-origin",
    "Host: evil.example\r\nSec-Fetch-Site: same-origin", "Host: evil.example\r\nSec-Fetch-Site: none",
    "Host: 127.0.0.1.evil.example\r\nOrigin: http://127.0.0.1.evil.example",
    "Host: notlocalhost\r\nOrigin: http://notlocalhost",
  ])
  func `refuse a write that a page of another site sends, or of another name`(fields: String) throws {
    for method in ["POST", "DELETE"] { #expect(try status(rules, fields, method: method) == 403) }
  }

  @Test func `let any page write where any site may`() throws {
    var open = rules
    open.origins = [.any]
    #expect(try status(open, "Host: evil.example\r\nOrigin: null\r\nSec-Fetch-Site: cross-site") == 0)
  }

  @Test func `refuse to delete beyond loopback without tokens`() throws {
    #expect(try status(AccessRules(), "Host: a", method: "DELETE", beyond: true) == 403)
    #expect(try status(AccessRules(), "Host: a", method: "DELETE") == 0)
    #expect(try status(AccessRules(), "Host: a", beyond: true) == 0)
    let rules = AccessRules(tokens: try BearerTokens(Array("one".utf8)))
    #expect(try status(rules, "Host: a\r\nAuthorization: Bearer one", method: "DELETE", beyond: true) == 0)
  }

  @Test(arguments: [
    ("", 401), ("Authorization: Bearer", 401), ("Authorization: Bearer ", 401), ("Authorization: Bearer wrong", 401),
    ("Authorization: Bearer on", 401), ("Authorization: Bearer oneone", 401), ("Authorization: Basic one", 401),
    ("Authorization: one", 401), ("Authorization: Bearer one, Bearer one", 401), ("Authorization: BearerXone", 401),
    ("Authorization: Bearer one\r\nAuthorization: Bearer one", 401), ("Authorization: Bearer ONE", 401),
    ("Authorization: Bearer one", 0), ("authorization: bearer   two==  ", 0),
  ])
  func `want a token where there are some`(field: String, wanted: Int) throws {
    let rules = AccessRules(tokens: try BearerTokens(Array("# a\n one \r\n\n\ttwo==".utf8)))
    let fields = field.isEmpty ? "Host: a" : "Host: a\r\n\(field)"
    #expect(try status(rules, fields) == wanted)
    #expect(try status(rules, fields, method: "DELETE") == wanted)
  }

  @Test(arguments: [
    ("", BearerTokens.Fault.empty), ("\n # only\n#", .empty), ("good\na b", .noToken(line: 2)),
    ("caf\u{E9}", .noToken(line: 1)),
    ("=", .noToken(line: 1)), ("a=b", .noToken(line: 1)), ("a\u{0}", .noToken(line: 1)),
    (String(repeating: "a\n", count: 101), .tooMany),
  ])
  func `take no file of tokens that holds something else or nothing`(text: String, fault: BearerTokens.Fault) {
    #expect(throws: fault) { try BearerTokens(Array(text.utf8)) }
    #expect(!fault.description.contains("caf"))
  }

  // MARK: Sharing

  private func shared(_ rules: AccessRules, _ fields: String, method: String = "GET") throws -> [String] {
    try rules.sharingFields(for: request("Host: a\r\n\(fields)", method: method)).map { "\($0.name): \($0.value)" }
  }

  @Test func `let the pages read that were told, and say that answers differ`() throws {
    #expect(try shared(AccessRules(), "Origin: https://shop.example").isEmpty)
    let allowed = try shared(rules, "Origin: https://shop.example")
    #expect(allowed.contains("Access-Control-Allow-Origin: https://shop.example") && allowed.contains("Vary: Origin"))
    for other in ["Origin: https://evil.example", "Origin: null", "X: y"] {
      #expect(try shared(rules, other) == ["Vary: Origin"])
    }
    let open = AccessRules(origins: [.any])
    #expect(try shared(open, "X: y").contains("Access-Control-Allow-Origin: *"))
    #expect(try !shared(open, "X: y").contains("Vary: Origin"))
  }

  @Test func `answer what a browser asks before it writes`() throws {
    let asked = "Origin: https://shop.example\r\nAccess-Control-Request-Method: POST\r\n"
    let fields = try shared(
      rules, asked + "Access-Control-Request-Headers: authorization,content-type", method: "OPTIONS")
    #expect(
      fields == [
        "Vary: Origin", "Access-Control-Allow-Origin: https://shop.example",
        "Access-Control-Allow-Methods: POST, OPTIONS",
        "Access-Control-Allow-Headers: authorization,content-type", "Access-Control-Max-Age: 600",
      ])
    #expect(
      try shared(rules, "Origin: https://evil.example\r\nAccess-Control-Request-Method: POST", method: "OPTIONS") == [
        "Vary: Origin"
      ])
  }

  @Test(arguments: [
    "https://a/", "a.example", "ftp://a", "https://", "https://a:b", "https://u@a", "null", "", "https://a?b",
  ])
  func `take no such site`(text: String) { #expect(WebOrigin(text) == nil) }

  @Test(arguments: ["a:80", "", "a/b", "http://a", "a b", "[::1", "u@a", "*"])
  func `take no such name`(text: String) { #expect(HostName(text) == nil) }
}
