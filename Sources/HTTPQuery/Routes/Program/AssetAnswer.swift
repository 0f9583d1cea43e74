/// Pages and what they load, out of the program itself.
///
/// A browser may keep a file and asks each time whether it still holds (`no-cache`, `ETag`, 304): an upgrade shows at once.
enum AssetAnswer {
  static let routes: [Route] = [
    Route(.get, "/openapi.json", "This program's OpenAPI 3.1 document") { _, call in .file("openapi.json", call) },
    Route(.get, "/docs", "The document as a page to read and to try") { _, call in .file("docs.html", call) },
    Route(.get, "/redoc", "The same page") { _, call in .file("docs.html", call) },
    Route(.get, "/assets/{name}", "What the pages load") { _, call in .file(call.values[0], call) },
  ]

  /// What a page may do: load from the program that it came from, and nothing else; no script or style within the page itself
  /// (Content Security Policy Level 3).
  private static let policy =
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; font-src 'self'; "
    + "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

  /// The file called `name`, or 304 if the client has it already.
  static func file(_ name: String, for request: Request) -> Response {
    guard let asset = Asset(named: name) else { return .fault(.notFound) }
    let isKnown = holds(request.headers["if-none-match"], asset.entityTag)
    var response = Response(
      isKnown ? .notModified : .ok, type: isKnown ? nil : asset.contentType, body: .whole(isKnown ? [] : asset.bytes))
    response.fields = [
      ("ETag", asset.entityTag),
      ("Cache-Control", "no-cache"),
      ("Content-Security-Policy", policy),
      ("X-Content-Type-Options", "nosniff"),
      ("Referrer-Policy", "no-referrer"),
    ]
    return response
  }

  /// Whether `If-None-Match` names the tag; the weak comparison (RFC 9110, section 13.1.2).
  private static func holds(_ condition: String?, _ tag: String) -> Bool {
    guard let condition else { return false }
    return condition.split(separator: ",").contains { one in
      var known = one.drop { $0 == " " || $0 == "\t" }
      while known.last == " " || known.last == "\t" { known.removeLast() }
      return known == "*" || (known.hasPrefix("W/") ? known.dropFirst(2) : known) == tag
    }
  }
}

extension Route.Answer {
  fileprivate static func file(_ name: String, _ call: Route.Call) -> Self {
    .ready(AssetAnswer.file(name, for: call.request))
  }
}
