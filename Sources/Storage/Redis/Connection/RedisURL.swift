/// Where one Redis server is, and how to be let in.
///
///     url    = "redis://" [ [ user ] [ ":" password ] "@" ] host [ ":" port ] [ "/" db ] [ "?" query ]
///            | "unix://" [ [ user ] [ ":" password ] "@" ] path [ "?" query ]
///     query  = field { "&" field } ;  field = "db=" number | "weight=" number
///
/// User, password and path may hold `%xx`. An IPv6 host stands in brackets.
package struct RedisURL: Equatable, Sendable, CustomStringConvertible {
  /// A server's address: what two connections to one server have in common.
  package enum Place: Hashable, Sendable, CustomStringConvertible {
    case tcp(host: String, port: UInt16)
    case unix(path: String)

    /// `redis1:6379`, `[::1]:6379`, a path.
    package var description: String {
      switch self {
      case .tcp(let host, let port): host.utf8.contains(UInt8(ascii: ":")) ? "[\(host)]:\(port)" : "\(host):\(port)"
      case .unix(let path): path
      }
    }
  }

  /// Why a text is no such URL. Never shows a password.
  package struct Fault: Error, Equatable, CustomStringConvertible {
    /// The text without what may be a password, what is wrong, and what is allowed.
    package let description: String
  }

  /// Where the server is.
  package var place: Place
  /// The user of its access control list; nil: its default one.
  package var user: String?
  /// Never shown.
  package var password: String?
  /// What SELECT is given; nil: the URL names none, and 0 is meant.
  package var database: Int?
  /// The share of keys, against other shards'. 0: no key belongs there, and those that it has are moved to the others.
  package var weight = 1

  /// Redis's own.
  package static let defaultPort: UInt16 = 6_379
  /// A shard takes weight × virtual nodes points.
  package static let largestWeight = 1_000

  /// The URL without user, password and weight: how the server is named to people.
  package var description: String {
    let database = database ?? 0
    return switch place {
    case .tcp: "redis://\(place)\(database == 0 ? "" : "/\(database)")"
    case .unix(let path): "unix://\(path)\(database == 0 ? "" : "?db=\(database)")"
    }
  }

  /// - Throws: what is wrong, and what is allowed.
  package init(_ text: String) throws(Fault) {
    func fault(_ reason: String) -> Fault { Fault(description: "\(Self.withoutPassword(text)): \(reason)") }
    // A password with a `?` or a `/` that should be %3F and %2F is taken for a query or a database.
    func shown(_ part: Substring) -> Substring { text.contains("@") ? "…" : part }
    guard let colon = text.firstRange(of: "://") else { throw fault("want redis://host:port or unix:///path") }
    var rest = text[colon.upperBound...]
    switch text[..<colon.lowerBound] {
    case "redis", "unix": break
    case "rediss":
      throw fault("TLS is not built in: let stunnel carry the connection, and give its local address as redis://")
    case let scheme: throw fault("unknown scheme \(shown(scheme)); want redis:// or unix://")
    }
    let isUnix = text.hasPrefix("unix")
    if let mark = rest.firstIndex(of: "?") {
      for field in rest[rest.index(after: mark)...].split(separator: "&") {
        let parts = field.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        let number = parts.count == 2 ? Self.number(parts[1]) : nil
        switch (parts[0], number) {
        case ("db", let number?): database = number
        case ("weight", let number?) where 0...Self.largestWeight ~= number: weight = number
        case ("weight", _): throw fault("weight is a whole number from 0 to \(Self.largestWeight)")
        case ("db", _): throw fault("db is a whole number from 0 on")
        default: throw fault("unknown field \(shown(parts[0])); want db or weight")
        }
      }
      rest = rest[..<mark]
    }
    // A path may hold an @, and a host none: what stands before the first slash belongs to the host.
    let authority = isUnix && rest.hasPrefix("/") ? rest[..<rest.startIndex] : rest
    let end = authority.firstIndex(of: "/") ?? authority.endIndex
    if let at = authority[..<end].lastIndex(of: "@") {
      let parts = rest[..<at].split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
      guard let user = Self.decoded(parts[0]), let password = Self.decoded(parts.count == 2 ? parts[1] : "") else {
        throw fault("user and password: % wants two hexadecimal digits after it")
      }
      if !user.isEmpty { self.user = user }
      if parts.count == 2 { self.password = password }
      if self.user != nil && self.password == nil { throw fault("a user wants a password: user:password@") }
      rest = rest[rest.index(after: at)...]
    }
    if isUnix {
      guard rest.hasPrefix("/"), let path = Self.decoded(rest) else {
        throw fault("want an absolute path: unix:///path")
      }
      if path.utf8.count > 107 { throw fault("the path is longer than the 107 bytes that a unix socket's may have") }
      place = .unix(path: path)
      return
    }
    if let slash = rest.firstIndex(of: "/") {
      let digits = rest[rest.index(after: slash)...]
      if !digits.isEmpty {
        guard let number = Self.number(digits) else { throw fault("\(shown(digits)) is no database; want a number") }
        database = number
      }
      rest = rest[..<slash]
    }
    guard let place = Self.place(rest) else { throw fault("want host:port, the port from 1 to 65535") }
    self.place = place
  }

  private static func place(_ text: Substring) -> Place? {
    var host = text
    var port: Substring?
    if text.hasPrefix("[") {
      guard let close = text.firstIndex(of: "]") else { return nil }
      host = text[text.index(after: text.startIndex)..<close]
      let behind = text[text.index(after: close)...]
      if behind.hasPrefix(":") { port = behind.dropFirst() } else if !behind.isEmpty { return nil }
      if !host.contains(":") { return nil }
    } else if let colon = text.firstIndex(of: ":") {
      host = text[..<colon]
      port = text[text.index(after: colon)...]
    }
    let isName = host.utf8.allSatisfy { 0x21...0x7E ~= $0 && !"/@[]%,".utf8.contains($0) }
    guard !host.isEmpty, host.utf8.count <= 255, isName else { return nil }
    guard let port else { return .tcp(host: String(host), port: defaultPort) }
    guard let number = Self.number(port), let short = UInt16(exactly: number), short > 0 else { return nil }
    return .tcp(host: String(host), port: short)
  }

  /// Digits alone.
  private static func number(_ text: Substring) -> Int? {
    text.utf8.allSatisfy { 0x30...0x39 ~= $0 } ? Int(text) : nil
  }

  /// RFC 3986, 2.1; nil for a `%` without two digits or for what is not UTF-8.
  private static func decoded(_ text: Substring) -> String? {
    var bytes: [UInt8] = []
    var rest = text.utf8[...]
    while let byte = rest.popFirst() {
      if byte != UInt8(ascii: "%") {
        bytes.append(byte)
        continue
      }
      guard rest.count >= 2, let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16) else {
        return nil
      }
      bytes.append(value)
      rest = rest.dropFirst(2)
    }
    return String(validating: bytes, as: UTF8.self)
  }

  /// As far as a password could reach, nothing is shown.
  private static func withoutPassword(_ text: String) -> String {
    guard let at = text.lastIndex(of: "@") else { return text }
    let start = text.firstRange(of: "://").map(\.upperBound) ?? text.startIndex
    return start < at ? "\(text[..<start])…\(text[at...])" : text
  }
}
