import Aggregation
import Platform

/// `/health` and `/ready`: cheap, and answered however busy the view is.
enum HealthAnswer {
  static func health(_ state: QueryState) -> Response {
    .json(
      JSONWriter.object { json in
        writeStatus(reasons(state), to: &json)
        writeTime(state, to: &json)
      })
  }

  /// Why the program does less than it should, in words for people; empty: it is well.
  static func reasons(_ state: QueryState) -> [String] {
    let now = Clock.monotonic()
    let listeners = state.books.compactMap { books in
      books.isShortOfDescriptors(monotonic: now)
        ? "\(books.name): connections wait, since no file descriptor is free (RLIMIT_NOFILE)" : nil
    }
    return listeners + state.agent.conditions.map { "\($0.reason)" }
      + state.agent.stuckThreads.map { "thread \($0) is stuck" } + (state.keeping?.keeper.condition().reasons ?? [])
      + (state.sharing?.store.condition().troubles.map { "redis: \($0)" } ?? [])
  }

  /// `"status":"healthy"`, or `"degraded"` with the reasons.
  static func writeStatus(_ reasons: [String], to json: inout JSONWriter) {
    json.member("status", reasons.isEmpty ? "healthy" : "degraded")
    if reasons.isEmpty { return }
    json.key("reasons")
    json.array { json in
      for reason in reasons { json.string(reason) }
    }
  }

  static func ready(_ state: QueryState) -> Response {
    let phase = state.agent.phase
    let isRestoring = state.keeping?.isRestoring ?? false
    let isReady = phase == .serving && !isRestoring
    let body = JSONWriter.object { json in
      json.member("status", isReady ? "ready" : phase == .serving ? "restoring" : "\(phase)")
      writeTime(state, to: &json)
    }
    if isReady { return .json(body) }
    var response = Response.json(body, status: .serviceUnavailable)
    response.fields.append(("Retry-After", "1"))
    return response
  }

  private static func writeTime(_ state: QueryState, to json: inout JSONWriter) {
    json.member("timestamp", WallClock.iso8601(Clock.wall()))
    json.member("uptime_seconds", state.uptimeSeconds)
  }
}
