/// The methods that a route may name (RFC 9110, section 9; PATCH: RFC 5789). TRACE and QUERY are known, so that they are 405 like any
/// other that a path does not take; all others, CONNECT among them, are 501.
///
/// Names are case-sensitive: `get` is none of them.
package enum Method: String, CaseIterable, Sendable {
  case get = "GET"
  case head = "HEAD"
  case post = "POST"
  case put = "PUT"
  case patch = "PATCH"
  case delete = "DELETE"
  case options = "OPTIONS"
  case trace = "TRACE"
  case query = "QUERY"

  /// The method whose name is `token`.
  init?(_ token: Span<UInt8>) {
    for method in Self.allCases where token.equals(method.rawValue) {
      self = method
      return
    }
    return nil
  }
}
