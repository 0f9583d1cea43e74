/// One request, whole: what a route answers.
package struct Request: Sendable {
  /// The versions that are told apart (RFC 9110, section 2.5).
  package enum Version: Sendable { case http10, http11 }

  /// One `name=value` of the query, decoded. The value is what came, UTF-8 or not: `/explain` must be able to say what is wrong with it.
  package struct QueryPair: Equatable, Sendable {
    package var name: String
    package var value: [UInt8]
  }

  package internal(set) var method = Method.get
  /// The decoded path, split before decoding: `/visits/a%2Fb` is `["visits", "a/b"]`, `/` is empty, `/visits/` ends in an empty
  /// segment. UTF-8 without NUL.
  package internal(set) var path: [String] = []
  /// `OPTIONS *`: the question is about the server, not about a path.
  package internal(set) var isAboutServer = false
  package internal(set) var query: [QueryPair] = []
  package internal(set) var version = Version.http11
  /// Host and port as the client named them: from an absolute target, else from `Host`; empty if a 1.0 client named none.
  package internal(set) var host = ""
  package internal(set) var headers = HeaderFields()
  package internal(set) var body: [UInt8] = []
  /// Whether the client wants the connection kept (RFC 9112, section 9.3).
  package internal(set) var keepsAlive = true
  /// Whether it says whose page sends it, as browsers do: it has `Origin` or `Sec-Fetch-Site`.
  package internal(set) var namesOrigin = false
  /// Whether its body was not taken: the head alone is to be answered, with a fault.
  package internal(set) var isBodyRefused = false

  /// The value of the first query parameter called `name`.
  package func parameter(_ name: String) -> [UInt8]? {
    query.first { $0.name == name }?.value
  }

  /// What the client would like to be answered with.
  package var accept: AcceptHeader { AcceptHeader(headers.bytes(of: "accept") ?? []) }
}
