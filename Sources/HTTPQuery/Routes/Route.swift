import Platform

/// What a path is answered with, for one method.
final class Route: Sendable {
  /// An answer now, or how to come to one.
  enum Answer {
    case ready(Response)
    /// Work that goes on for several turns of the loop until there is an answer.
    case work(() -> Answer?)
    /// What has to come from the shared store first, each key once.
    case shared([SharedAsk], then: (SharedReplies) -> Answer)
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
  /// It counts or resets: under `--journal-sync always` its answer waits until that is safe.
  var writes: Bool { method != .get }
  /// Requests that wait for the same gather and ask the same have the same answer.
  let sharesAnswers: Bool
  /// Longest body in bytes.
  let bodyLimit: Int
  let handler: @Sendable (QueryState, Call) -> Answer

  init(
    _ method: Method, _ pattern: String, _ summary: String, readsCounts: Bool = false, sharesAnswers: Bool = false,
    bodyLimit: Int = 65_536, handler: @escaping @Sendable (QueryState, Call) -> Answer
  ) {
    self.method = method
    self.pattern = pattern
    self.summary = summary
    self.readsCounts = readsCounts
    self.sharesAnswers = sharesAnswers
    self.bodyLimit = bodyLimit
    self.handler = handler
  }
}

/// The routes of one pattern.
final class RouteGroup: Sendable {
  let pattern: String
  /// Its place among all patterns, from 1.
  let number: Int
  let segments: [String]
  private let isPlaceholder: [Bool]
  private let routes: [Route]

  init(_ pattern: String, number: Int, _ routes: [Route]) {
    self.pattern = pattern
    self.number = number
    self.routes = routes
    segments = pattern.split(separator: "/").map(String.init)
    isPlaceholder = segments.map { $0.hasPrefix("{") }
  }

  /// What stands at the placeholders, if the path fits. A placeholder takes no empty segment.
  func match(_ path: [String]) -> [String]? {
    if path.count != segments.count { return nil }
    var values: [String] = []
    for place in 0..<path.count {
      if isPlaceholder[place] {
        if path[place].isEmpty { return nil }
        values.append(path[place])
      } else if path[place] != segments[place] {
        return nil
      }
    }
    return values
  }

  /// The route for a method; HEAD is answered as GET is.
  func route(for method: Method) -> Route? {
    let wanted: Method = method == .head ? .get : method
    for route in routes where route.method == wanted { return route }
    return nil
  }

  /// The methods that the path takes. GET brings HEAD, and every path takes OPTIONS.
  var methods: [Method] {
    var methods: [Method] = []
    for route in routes {
      methods.append(route.method)
      if route.method == .get { methods.append(.head) }
    }
    return methods + [.options]
  }
}
