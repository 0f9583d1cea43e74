/// The methods that a route may name (RFC 9110, section 9; PATCH: RFC 5789). All others, CONNECT and TRACE among them, are 501.
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

  /// The method whose name is `token`.
  init?(_ token: Span<UInt8>) {
    for method in Self.allCases where token.equals(method.rawValue) {
      self = method
      return
    }
    return nil
  }
}
