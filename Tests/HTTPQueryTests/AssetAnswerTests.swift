import Testing

@testable import HTTPQuery

@Suite struct `pages` {
  static let files: [(String, String)] = [
    ("/docs", "text/html; charset=utf-8"), ("/redoc", "text/html; charset=utf-8"),
    ("/openapi.json", "application/json"),
    ("/assets/dashboard.html", "text/html; charset=utf-8"),
  ]

  @Test(arguments: files)
  func `say what they are and may load nothing from elsewhere`(_ target: String, _ type: String) throws {
    let (status, body, head) = try Counted().get(target)
    #expect(status == 200)
    #expect(head.contains("\r\nContent-Type: \(type)\r\n"))
    #expect(head.contains("\r\nContent-Security-Policy: default-src 'none'; script-src 'self'; "))
    #expect(head.contains("\r\nX-Content-Type-Options: nosniff"))
    #expect(head.contains("\r\nContent-Length: \(body.utf8.count)\r\n") && !body.isEmpty)
  }

  static let conditions: [(String, Bool)] = [
    ("TAG", true), ("W/TAG", true), ("\"x\",  TAG ", true), ("*", true), ("\"x\"", false), ("TAGs", false),
  ]

  @Test(arguments: conditions)
  func `are sent again only if they have changed`(_ condition: String, _ isKnown: Bool) throws {
    let tag = try #require(Asset(named: "docs.html")).entityTag
    let fields = "If-None-Match: \(condition.replacing("TAG", with: tag))\r\n"
    let (_, body, head) = try Counted().get("/docs", fields)
    #expect(head.contains("\r\nETag: \(tag)\r\n"))
    #expect(head.hasPrefix(isKnown ? "HTTP/1.1 304 Not Modified" : "HTTP/1.1 200 OK"))
    #expect(head.contains("Content-Length") != isKnown)
    #expect(body.isEmpty == isKnown)
  }

  static let wishes: [(String, Bool)] = [
    ("Accept: text/html,application/xhtml+xml,*/*;q=0.8\r\n", true), ("Accept: */*\r\n", false), ("", false),
    ("Accept: text/html;q=0\r\n", false),
  ]

  @Test(arguments: wishes)
  func `stand at the root for those who ask for HTML`(_ fields: String, _ isPage: Bool) throws {
    let (_, body, head) = try Counted().get("/", fields)
    #expect(head.contains("\r\nVary: Accept"))
    #expect(head.contains("\r\nContent-Type: text/html; charset=utf-8\r\n") == isPage)
    #expect(body.hasPrefix(isPage ? "<!doctype html>" : "{\"message\""))
  }

  @Test func `are not there under another name`() throws {
    for name in ["none.js", "..%2FAssets.c"] { #expect(try Counted().get("/assets/\(name)").status == 404) }
  }
}
