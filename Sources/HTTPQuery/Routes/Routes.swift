import Bytes
import Protocol

/// Everything that can be asked for, in the order in which `/` lists it.
enum Routes {
  static let all =
    answers + Visits.routes + Purchases.routes + [LinesWork.route, ResetWork.route] + EventsStream.routes
    + AssetAnswer.routes

  private static let answers: [Route] = [
    Route(.get, "/", "The dashboard for a browser, else this list") { state, call in .ready(front(state, call)) },
    Route(.get, "/metrics", "All series for Prometheus", readsCounts: true) { state, call in
      MetricsPage.answer(state, call)
    },
    Route(.get, "/stats", "Totals and the busiest metrics", readsCounts: true, sharesAnswers: true) { state, call in
      StatsWork.answer(state, call)
    },
    Route(.get, "/stats/{metric}", "One metric in detail", readsCounts: true, sharesAnswers: true) { state, call in
      MetricWork.answer(state, call)
    },
    Route(.get, "/series", "The live series, paged", readsCounts: true, sharesAnswers: true) { state, call in
      SeriesWork.answer(state, call)
    },
    Route(.get, "/health", "Whether the program is well") { state, _ in .ready(HealthAnswer.health(state)) },
    Route(.get, "/ready", "Whether it takes traffic") { state, _ in .ready(HealthAnswer.ready(state)) },
    Route(.get, "/status", "Listeners, memory, ledger, refused lines, senders", readsCounts: true) { state, _ in
      .ready(StatusAnswer.status(state))
    },
    Route(.get, "/explain", "How a line is read") { state, call in .ready(explanation(state, call)) },
  ]

  /// All routes by pattern, and the groups again by how many segments their patterns have.
  static let groups: [RouteGroup] = {
    var patterns: [String] = []
    for route in all where !patterns.contains(route.pattern) { patterns.append(route.pattern) }
    return patterns.enumerated().map { place, pattern in
      RouteGroup(pattern, number: place + 1, all.filter { $0.pattern == pattern })
    }
  }()
  private static let byLength = (0...longestPattern).map { length in groups.filter { $0.segments.count == length } }
  private static let longestPattern = groups.map(\.segments.count).max() ?? 0

  /// The routes that a path has, and what stands at the pattern's placeholders; nil: there is no such path.
  static func find(_ path: [String]) -> (group: RouteGroup, values: [String])? {
    if path.count > longestPattern { return nil }
    for group in byLength[path.count] {
      if let values = group.match(path) { return (group, values) }
    }
    return nil
  }

  /// The longest body that a request may bring.
  static func bodyLimit(for head: borrowing Request) -> Int {
    find(head.path)?.group.route(for: head.method)?.bodyLimit ?? 65_536
  }

  private static func front(_ state: QueryState, _ call: Route.Call) -> Response {
    var response = call.request.accept.wantsHTML ? AssetAnswer.file("dashboard.html", for: call.request) : index(state)
    response.fields.append(("Vary", "Accept"))
    return response
  }

  private static func index(_ state: QueryState) -> Response {
    .json(
      JSONWriter.object { json in
        json.member("message", "Footfall counts what statsd clients send")
        json.member("version", state.settings.version)
        json.member("endpoints") { json in
          for route in all {
            json.key("\(route.method.rawValue) \(route.pattern)".utf8)
            json.string(route.summary)
          }
        }
      })
  }

  private static func explanation(_ state: QueryState, _ call: Route.Call) -> Response {
    guard let line = call.request.parameter("line") else {
      return .invalid([.missing(query: "line")])
    }
    var text = ByteWriter(capacity: 256)
    PaddedText(line).read {
      explain($0, into: &text, reader: state.settings.reader, keyLabels: state.settings.keyLabels)
    }
    return .json(text)
  }
}
