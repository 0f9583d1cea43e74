/// The tokens that writing needs, one of which a request must bear (RFC 6750, section 2.1).
///
///     # who deploys
///     c29tZSBsb25nIHNlY3JldA==
package struct BearerTokens: Equatable, Sendable {
  /// What is wrong with a file of tokens; it never repeats what stands there.
  package enum Fault: Error, Equatable, CustomStringConvertible {
    /// No line holds a token.
    case empty
    /// A line has a byte that no token has, counted from 1.
    case noToken(line: Int)
    /// There are more than `most`.
    case tooMany

    /// Fit to stand behind the file's name.
    package var description: String {
      switch self {
      case .empty: "it holds no token: want one a line, # before a comment"
      case .noToken(let line): "line \(line) is no token: want letters, digits and -._~+/, then perhaps ="
      case .tooMany: "it holds more than \(BearerTokens.most) tokens"
      }
    }
  }

  /// Every request is compared with all of them.
  static let most = 100

  private let tokens: [[UInt8]]

  /// - Parameter text: a file's bytes: a token a line; empty lines and those that begin with `#` are skipped.
  package init(_ text: [UInt8]) throws(Fault) {
    var found: [[UInt8]] = []
    for (place, line) in text.split(separator: .lineFeed, omittingEmptySubsequences: false).enumerated() {
      var token = Array(line)
      if token.last == .carriageReturn { token.removeLast() }
      token = Array(token[token.span.trimmingBlanks(token.indices)])
      if token.isEmpty || token[0] == UInt8(ascii: "#") { continue }
      if !Self.isToken(token) { throw .noToken(line: place + 1) }
      found.append(token)
    }
    if found.isEmpty { throw .empty }
    if found.count > Self.most { throw .tooMany }
    tokens = found
  }

  /// Whether the value of `Authorization` bears one of the tokens.
  ///
  /// How long it takes depends on the lengths alone, not on how much of a token was guessed.
  func admit(_ field: [UInt8]) -> Bool {
    let scheme = "bearer "
    let start = scheme.utf8.count
    guard field.count > start, field.span.extracting(0..<start).equalsIgnoringCase(scheme) else { return false }
    let given = Array(field[field.span.trimmingBlanks(start..<field.count)])
    var isAdmitted: UInt8 = 0
    for token in tokens { isAdmitted |= Self.isSame(given, as: token) }
    return isAdmitted == 1
  }

  /// 1 or 0, without a branch on any byte.
  private static func isSame(_ given: [UInt8], as token: [UInt8]) -> UInt8 {
    var difference = given.count ^ token.count
    for place in given.indices { difference |= Int(given[place] ^ token[place % token.count]) }
    return difference == 0 ? 1 : 0
  }

  /// `token68` (RFC 9110, section 11.2).
  private static func isToken(_ text: [UInt8]) -> Bool {
    let body = text.prefix { $0 != UInt8(ascii: "=") }
    return !body.isEmpty && body.allSatisfy { $0.isDigit || $0.isLetter || "-._~+/".utf8.contains($0) }
      && text[body.count...].allSatisfy { $0 == UInt8(ascii: "=") }
  }
}
