import Platform

/// The site of a page, as a browser names it (RFC 6454): `https://shop.example`, `http://localhost:3000`.
package struct WebOrigin: Equatable, Sendable {
  /// In lower case, without the scheme's own port; `*` for any.
  private let text: String
  /// Its host; nil for any.
  let host: HostName?

  /// Every site, `null` among them.
  package static let any = WebOrigin(text: "*", host: nil)

  private init(text: String, host: HostName?) {
    self.text = text
    self.host = host
  }

  /// What the operator writes: `scheme://host[:port]`, or `*`.
  /// - Returns: nil for anything else, such as one with a path.
  package init?(_ text: some StringProtocol) {
    if text == "*" { self = .any } else { self.init(header: String(text)) }
  }

  /// What stands in `Origin`. `null`, a page of no site, is none.
  init?(header text: String) {
    let lowered = text.lowercased()
    guard let scheme = ["http://", "https://"].first(where: { lowered.hasPrefix($0) }) else { return nil }
    let authority = String(lowered.dropFirst(scheme.utf8.count))
    guard let host = HostName(authority: authority) else { return nil }
    self.init(text: scheme + Self.plain(authority, isSecure: scheme == "https://"), host: host)
  }

  /// Whether a server that is asked for as `authority` would be of this site, over TLS or not: a proxy may have ended it.
  func isOf(_ authority: String) -> Bool {
    let authority = authority.lowercased()
    return text == "http://" + Self.plain(authority, isSecure: false)
      || text == "https://" + Self.plain(authority, isSecure: true)
  }

  /// Without the port that the scheme has anyway.
  private static func plain(_ authority: String, isSecure: Bool) -> String {
    let port = isSecure ? ":443" : ":80"
    return authority.hasSuffix(port) ? String(authority.dropLast(port.utf8.count)) : authority
  }
}

/// The name of a server without its port, in lower case: `footfall.example`, `127.0.0.1`, `[::1]`.
package struct HostName: Equatable, Sendable {
  private let text: String

  /// - Returns: nil for what is no name of a machine, or has a port.
  package init?(_ name: some StringProtocol) {
    self.init(authority: String(name))
    let isPlain = name.hasPrefix("[") || name.utf8.allSatisfy { $0.isDigit || $0.isLetter || "-._".utf8.contains($0) }
    if text.utf8.count != name.utf8.count || !isPlain { return nil }
  }

  /// The name in `name[:port]`.
  init?(authority: String) {
    let lowered = authority.lowercased()
    guard Authority.isValid(Array(lowered.utf8).span) else { return nil }
    let end = lowered.hasPrefix("[") ? lowered.firstIndex(of: "]").map { lowered.index(after: $0) } : nil
    text = String(lowered[..<(end ?? lowered.firstIndex(of: ":") ?? lowered.endIndex)])
  }

  /// An address, or a name that browsers take for this machine without asking anybody (RFC 6761, section 6.3): nobody else can let it
  /// lead here.
  var isNumericOrLocal: Bool {
    text.hasPrefix("[") || text == "localhost" || text.hasSuffix(".localhost") || SenderAddress(text) != nil
  }
}
