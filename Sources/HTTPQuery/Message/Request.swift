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
  package internal(set) var query: [QueryPair] = []
  package internal(set) var version = Version.http11
  /// Host and port as the client named them: from an absolute target, else from `Host`; empty if a 1.0 client named none.
  package internal(set) var host = ""
  package internal(set) var headers = HeaderFields()
  package internal(set) var body: [UInt8] = []
  private var facts: Facts = .keepsAlive

  /// What is so or not. In one byte, since a request of more words than the compiler keeps in registers is copied where it moves.
  private struct Facts: OptionSet {
    let rawValue: UInt8
    static let keepsAlive = Facts(rawValue: 1)
    static let isAboutServer = Facts(rawValue: 2)
    static let namesOrigin = Facts(rawValue: 4)
    static let isBodyRefused = Facts(rawValue: 8)

    subscript(fact: Facts) -> Bool {
      get { contains(fact) }
      set { if newValue { insert(fact) } else { remove(fact) } }
    }
  }

  /// Whether the client wants the connection kept (RFC 9112, section 9.3).
  package internal(set) var keepsAlive: Bool {
    get { facts[.keepsAlive] }
    set { facts[.keepsAlive] = newValue }
  }
  /// `OPTIONS *`: the question is about the server, not about a path.
  package internal(set) var isAboutServer: Bool {
    get { facts[.isAboutServer] }
    set { facts[.isAboutServer] = newValue }
  }
  /// Whether no page of another site sends it, as far as it says, and it is whole.
  var isHarmless: Bool { facts.isDisjoint(with: [.namesOrigin, .isBodyRefused]) }
  /// Whether it says whose page sends it, as browsers do: it has `Origin` or `Sec-Fetch-Site`.
  package internal(set) var namesOrigin: Bool {
    get { facts[.namesOrigin] }
    set { facts[.namesOrigin] = newValue }
  }
  /// Whether its body was not taken: the head alone is to be answered, with a fault.
  package internal(set) var isBodyRefused: Bool {
    get { facts[.isBodyRefused] }
    set { facts[.isBodyRefused] = newValue }
  }

  /// The value of the first query parameter called `name`.
  package func parameter(_ name: String) -> [UInt8]? {
    query.first { $0.name == name }?.value
  }

  /// What the client would like to be answered with.
  package var accept: AcceptHeader { AcceptHeader(headers.bytes(of: "accept") ?? []) }
}
