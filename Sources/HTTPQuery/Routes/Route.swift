import Platform

/// What a path is answered with.
struct Route: Sendable {
  /// An answer now, or work that goes on for several turns of the loop until there is one.
  enum Answer {
    case ready(Response)
    case work(() -> Response?)
  }

  /// A request that met a route, with what stood at the pattern's placeholders.
  struct Call {
    var request: Request
    var values: [String]
    /// Whose it is: the connection's peer, or whom a trusted proxy names.
    var client = SenderAddress.local
  }

  let method: Method
  /// `/stats/{metric}`: a segment in braces takes any segment.
  let pattern: String
  let summary: String
  /// Counts are wanted as they are now: everything that came before the request is taken over first.
  let readsCounts: Bool
  /// Longest body in bytes.
  let bodyLimit: Int
  let handler: @Sendable (QueryState, Call) -> Answer

  init(
    _ method: Method, _ pattern: String, _ summary: String, readsCounts: Bool = false, bodyLimit: Int = 65_536,
    handler: @escaping @Sendable (QueryState, Call) -> Answer
  ) {
    self.method = method
    self.pattern = pattern
    self.summary = summary
    self.readsCounts = readsCounts
    self.bodyLimit = bodyLimit
    self.handler = handler
    segments = pattern.split(separator: "/").map(String.init)
  }

  private let segments: [String]

  /// What stands at the placeholders, if the path fits.
  func match(_ path: [String]) -> [String]? {
    if path.count != segments.count { return nil }
    var values: [String] = []
    for (segment, wanted) in zip(path, segments) {
      if wanted.hasPrefix("{") {
        if segment.isEmpty { return nil }
        values.append(segment)
      } else if segment != wanted {
        return nil
      }
    }
    return values
  }
}
