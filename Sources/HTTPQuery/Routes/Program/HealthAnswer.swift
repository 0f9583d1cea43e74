import Aggregation
import Platform

/// `/health` and `/ready`: cheap, and answered however busy the view is.
enum HealthAnswer {
  static func health(_ state: QueryState) -> Response {
    let reasons = reasons(state)
    return .json(
      JSONWriter.object { json in
        json.member("status", reasons.isEmpty ? "healthy" : "degraded")
        writeTime(state, to: &json)
        if reasons.isEmpty { return }
        json.key("reasons")
        json.array { json in
          for reason in reasons { json.string(reason) }
        }
      })
  }

  /// Why the program does less than it should, in words for people.
  private static func reasons(_ state: QueryState) -> [String] {
    let now = Clock.monotonic()
    return state.books.compactMap { books in
      books.isShortOfDescriptors(monotonic: now)
        ? "\(books.name): connections wait, since no file descriptor is free (RLIMIT_NOFILE)" : nil
    }
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

  private static func writeTime(_ state: QueryState, to json: inout JSONWriter) {
    json.member("timestamp", WallClock.iso8601(Clock.wall()))
    json.member("uptime_seconds", state.uptimeSeconds)
  }
}
