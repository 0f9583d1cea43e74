import Aggregation
import Bytes
import Platform
import Protocol

/// `/visit` and the counts of single pages, under two names each.
///
///     POST /visit             visit                         no body: one more of the series without labels
///                             visit{page=…}                 of a body's page_url
///                             visit_users{page=…}           its user_id
///                             visit_addresses{page=…}       its ip_address, else the client's
///     …/{page}                visit{page=…}
///
/// What `/visit` answers is the count of all visits: all that came over HTTP up to this one, and what other ways had brought in by the last
/// flush. What a page answers is its count at the moment, since those requests wait for a gather.
enum Visits {
  static let routes: [Route] = [
    Route(.post, "/visit", "Count a visit, with or without saying whose") { state, call in .ready(visit(state, call)) },
    Route(.post, "/visits/{page}", "Count a visit of a page", readsCounts: true) { state, call in
      page(state, call) { page, json in
        guard let series = state.countVisit(of: page, call) else { return false }
        writeCount(state, series, to: &json)
        return true
      }
    },
    Route(.get, "/visits/{page}", "A page's visits", readsCounts: true) { state, call in
      page(state, call) { page, json in
        writeCount(state, state.visitSeries(of: page), to: &json)
        return true
      }
    },
    Route(.delete, "/visits/{page}", "Let a page's count begin anew", readsCounts: true) { state, call in
      page(state, call) { page, json in
        let series = state.visitSeries(of: page)
        if let series { state.view.reset(series) }
        writeCount(state, series, to: &json)
        return true
      }
    },
    Route(.post, "/api/v1/counter/visit/{page}", "Count a visit of a page") { state, call in
      page(state, call) { page, json in
        if state.countVisit(of: page, call) == nil { return false }
        json.member("status", "success")
        json.member("message", "Visit recorded for page \(page)")
        json.member("page_id", page)
        json.member("timestamp", WallClock.iso8601(Clock.wall()))
        return true
      }
    },
    Route(.get, "/api/v1/counter/visits/{page}", "A page's visits; 404 for one never seen", readsCounts: true) {
      state, call in
      known(state, call) { _, series, json in writeCount(state, series, to: &json) }
    },
    Route(.delete, "/api/v1/counter/visits/{page}", "Let a page's count begin anew", readsCounts: true) { state, call in
      known(state, call) { page, series, json in
        state.view.reset(series)
        json.member("status", "success")
        json.member("message", "Counter reset for page \(page)")
        json.member("page_id", page)
      }
    },
    Route(.get, "/api/v1/counter/metrics", "Cache and buffer of the page counts") { _, _ in .ready(storeMetrics()) },
  ]

  // MARK: /visit

  private static let message: StaticString = "Visit logged successfully. Total visits: "

  private static func visit(_ state: QueryState, _ call: Route.Call) -> Response {
    if call.request.body.isEmpty {
      guard state.countVisit(call) else { return .full }
      return .json(JSONWriter.object(capacity: 64) { $0.member("visits", total: state.total(of: VisitNames.visit)) })
    }
    var fields: BodyFields
    switch BodyFields.read(call.request) {
    case .fields(let read): fields = read
    case .refused(let response): return response
    }
    let user = fields.text("user_id")
    let url = fields.text("page_url", longest: Page.longestURL)
    _ = fields.optionalText("user_agent")
    let address = fields.optionalText("ip_address")
    _ = fields.optionalText("referrer")
    if let refusal = fields.refusal { return refusal }
    let page = Page.of(url, state.settings.pageSource)
    guard state.countVisit(of: page, user: user, address: address, call) else { return .full }
    let total = state.total(of: VisitNames.visit)
    return .json(
      JSONWriter.object(capacity: 160) { json in
        json.key("success")
        json.bool(true)
        json.member("visit_count", total: total)
        json.key("message")
        json.string(message, total: total)
        json.member("visits", total: total)
      })
  }

  // MARK: Pages

  /// Answers about the page that the path names; `body` says false if nothing more can be counted.
  private static func page(
    _ state: QueryState, _ call: Route.Call, _ body: (_ page: String, _ json: inout JSONWriter) -> Bool
  ) -> Route.Answer {
    let page = call.values[0]
    if let fault = Page.fault(page, at: [.name("path"), .name("page")]) { return .ready(.invalid([fault])) }
    var isCounted = true
    let json = JSONWriter.object(capacity: 128) { isCounted = body(page, &$0) }
    return .ready(isCounted ? .json(json) : .full)
  }

  private static func known(
    _ state: QueryState, _ call: Route.Call,
    _ body: (_ page: String, _ series: SeriesID, _ json: inout JSONWriter) -> Void
  ) -> Route.Answer {
    if let series = state.visitSeries(of: call.values[0]) {
      return page(state, call) { page, json in
        body(page, series, &json)
        return true
      }
    }
    if let fault = Page.fault(call.values[0], at: [.name("path"), .name("page")]) { return .ready(.invalid([fault])) }
    return .ready(.fault(.notFound, "Page not found"))
  }

  private static func writeCount(_ state: QueryState, _ series: SeriesID?, to json: inout JSONWriter) {
    json.member("visits", total: series.map { state.view.countSinceReset($0) } ?? (0, 0))
    json.member("served_via", "in_memory")
  }

  /// Counts live in memory: there is no cache before them and no buffer behind.
  private static func storeMetrics() -> Response {
    .json(
      JSONWriter.object { json in
        json.member("status", "healthy")
        json.member("metrics") { json in
          for name in ["cache_hits", "cache_misses", "cache_size", "write_buffer_size"] as [StaticString] {
            json.member(name, 0)
          }
        }
        json.member("redis_nodes") { _ in }
        json.key("last_batch_write")
        json.null()
      })
  }
}

extension JSONWriter {
  /// A counter's total: exact while it is whole.
  mutating func member(_ name: StaticString, total: (whole: Int64?, value: Double)) {
    key(name)
    number(total)
  }

  /// A sentence that ends in a total.
  mutating func string(_ sentence: StaticString, total: (whole: Int64?, value: Double)) {
    var number = ByteWriter(capacity: 24)
    if let whole = total.whole { number.append(whole) } else { number.append(total.value) }
    string("\(sentence)\(String(decoding: number.bytes, as: UTF8.self))")
  }
}

extension Response {
  /// There is no room for one more series, not even where a limit sends what it keeps out.
  static var full: Response { .fault(.serviceUnavailable, retryAfterSeconds: 60) }
}
