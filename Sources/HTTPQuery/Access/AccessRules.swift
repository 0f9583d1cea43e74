/// Who may ask for what: a plain value that the query thread swaps whole when the configuration is read again.
///
/// Reading is for everybody who can connect. Writing (POST, DELETE) needs a token where there are some, and does not come from another
/// site's page; deleting beyond loopback needs a token in any case.
package struct AccessRules: Equatable, Sendable {
  /// What writing needs; nil: nothing.
  package var tokens: BearerTokens?
  /// Names under which browsers may use this server, beside addresses and `localhost`.
  package var hostNames: [HostName]
  /// Sites that browsers may let use this server.
  package var origins: [WebOrigin]

  /// Without arguments: writing is for everybody but pages of other sites.
  package init(tokens: BearerTokens? = nil, hostNames: [HostName] = [], origins: [WebOrigin] = []) {
    self.tokens = tokens
    self.hostNames = hostNames
    self.origins = origins
  }

  /// What a write is answered with if it is not allowed.
  /// - Parameter isBeyondLoopback: whether it came in by a listener that others than this machine reach.
  func refusal(ofWrite request: borrowing Request, isBeyondLoopback: Bool) -> Response? {
    if request.namesOrigin, let detail = foreignness(of: request) { return .fault(.forbidden, detail) }
    guard let tokens else {
      return request.method == .delete && isBeyondLoopback ? .fault(.forbidden, Self.deleteNeedsToken) : nil
    }
    guard let field = request.headers.bytes(of: "authorization") else { return .unauthorized("Not authenticated") }
    return tokens.admit(field) ? nil : .unauthorized("Invalid authentication credentials")
  }

  private static let deleteNeedsToken = "Deleting beyond loopback needs a token: set --token-file"
}

extension Response {
  /// 401 as FastAPI's bearer scheme answers it (RFC 6750, section 3).
  fileprivate static func unauthorized(_ detail: String) -> Response {
    var response = fault(.unauthorized, detail)
    response.fields.append(("WWW-Authenticate", "Bearer"))
    return response
  }
}

// MARK: Pages of other sites

extension AccessRules {
  /// Why a write that a browser sends shall not be done; nil: a page of ours or of a site that is allowed sends it.
  ///
  /// Two things must hold, and a page cannot forge either: the page's site is this server or one of `origins` (`Origin`,
  /// `Sec-Fetch-Site`), and the name that the browser connected to is really ours. Without the second a site could let its own name lead
  /// to this machine and be of the same origin (DNS rebinding).
  private func foreignness(of request: borrowing Request) -> String? {
    if origins.contains(.any) { return nil }
    if let text = request.headers["origin"] {
      guard let origin = WebOrigin(header: text) else { return Self.foreignPage }
      if origins.contains(origin) { return nil }
      guard let name = origin.host else { return Self.foreignPage }
      if hostNames.contains(name) { return nil }
      if !origin.isOf(request.host) { return Self.foreignPage }
      return name.isNumericOrLocal ? nil : Self.foreignName
    }
    switch request.headers["sec-fetch-site"] {
    case "same-origin", "none":
      guard let name = HostName(authority: request.host), name.isNumericOrLocal || hostNames.contains(name) else {
        return Self.foreignName
      }
      return nil
    default: return Self.foreignPage
    }
  }

  private static let foreignPage = "A page of another site may not write here: --cors-origin names those that may"
  private static let foreignName = "Pages may not write under this name of the server: --http-host names those that do"
}

// MARK: Reading by pages of other sites

extension AccessRules {
  /// What a browser must be told so that it lets a page of another site read the answer (Fetch, section 3.2.5).
  func sharingFields(for request: borrowing Request) -> [(name: StaticString, value: String)] {
    if origins.isEmpty { return [] }
    var fields: [(name: StaticString, value: String)] = []
    if origins.contains(.any) {
      fields.append(("Access-Control-Allow-Origin", "*"))
    } else {
      // Also without an origin: what lies in a cache may be asked for with one.
      fields.append(("Vary", "Origin"))
      guard let text = request.headers["origin"], let origin = WebOrigin(header: text), origins.contains(origin) else {
        return fields
      }
      fields.append(("Access-Control-Allow-Origin", text))
    }
    guard request.method == .options, request.headers["access-control-request-method"] != nil else {
      fields.append(("Access-Control-Expose-Headers", "Retry-After, X-Process-Time"))
      return fields
    }
    let methods = Routes.find(request.path)?.group.methods ?? [.get, .head, .options]
    fields.append(("Access-Control-Allow-Methods", methods.map(\.rawValue).joined(separator: ", ")))
    // No field is forbidden, and a browser wants each named.
    if let wanted = request.headers["access-control-request-headers"] {
      fields.append(("Access-Control-Allow-Headers", wanted))
    }
    fields.append(("Access-Control-Max-Age", "600"))
    return fields
  }
}
