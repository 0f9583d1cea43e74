import Aggregation
import Platform

/// `/health` and `/ready`: cheap, and answered however busy the view is.
enum HealthAnswer {
  static func health(_ state: QueryState) -> Response {
    let reasons = reasons(state)
    return .json(
      JSONWriter.object { json in
        writeCondition(reasons, to: &json)
        writeTime(state, to: &json)
      })
  }

  /// Why the program does less than it should, in words for people.
  static func reasons(_ state: QueryState) -> [String] {
    let now = Clock.monotonic()
    let shortages = state.books.compactMap { books in
      books.isShortOfDescriptors(monotonic: now)
        ? "\(books.name): connections wait, since no file descriptor is free (RLIMIT_NOFILE)" : nil
    }
    return shortages + state.agent.conditions.map { "\($0.reason)" }
  }

  static func ready(_ state: QueryState) -> Response {
    let phase = state.agent.phase
    let body = JSONWriter.object { json in
      json.member("status", phase == .serving ? "ready" : "\(phase)")
      writeTime(state, to: &json)
    }
    if phase == .serving { return .json(body) }
    var response = Response.json(body, status: .serviceUnavailable)
    response.fields.append(("Retry-After", "1"))
    return response
  }

  /// `healthy`, or `degraded` and why: the program goes on, and somebody should look.
  static func writeCondition(_ reasons: [String], to json: inout JSONWriter) {
    json.member("status", reasons.isEmpty ? "healthy" : "degraded" as StaticString)
    if reasons.isEmpty { return }
    json.key("reasons")
    json.array { json in
      for reason in reasons { json.string(reason) }
    }
  }

  private static func writeTime(_ state: QueryState, to json: inout JSONWriter) {
    json.member("timestamp", WallClock.iso8601(Clock.wall()))
    json.member("uptime_seconds", state.uptimeSeconds)
  }
}
