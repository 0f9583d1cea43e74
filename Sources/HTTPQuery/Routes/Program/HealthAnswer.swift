import Platform

/// `/health` and `/ready`: cheap, and answered however busy the view is.
enum HealthAnswer {
  static func health(_ state: QueryState) -> Response {
    .json(
      JSONWriter.object { json in
        let stuck = state.agent.stuckThreads
        json.member("status", stuck.isEmpty ? "healthy" : "degraded")
        if !stuck.isEmpty {
          json.key("reasons")
          json.array { json in
            for thread in stuck { json.string("thread \(thread) is stuck") }
          }
        }
        writeTime(state, to: &json)
      })
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
