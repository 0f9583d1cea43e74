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
      page(call) { page in
        guard let series = state.countVisit(of: page, call) else { return .ready(.full) }
        return PageCount.counted(state, series)
      }
    },
    Route(.get, "/visits/{page}", "A page's visits", readsCounts: true) { state, call in
      page(call) { page in PageCount.read(state, call, page) { .ready($0.response) } }
    },
    Route(.delete, "/visits/{page}", "Let a page's count begin anew", readsCounts: true) { state, call in
      page(call) { page in PageCount.reset(state, state.visitKey(of: page)) { $0.response } }
    },
    Route(.post, "/api/v1/counter/visit/{page}", "Count a visit of a page") { state, call in
      page(call) { page in
        guard let series = state.countVisit(of: page, call) else { return .ready(.full) }
        return PageCount.written(state, series) {
          .ready(
            .json(
              JSONWriter.object(capacity: 128) { json in
                json.member("status", "success")
                json.member("message", "Visit recorded for page \(page)")
                json.member("page_id", page)
                json.member("timestamp", WallClock.iso8601(Clock.wall()))
              }))
        }
      }
    },
    Route(.get, "/api/v1/counter/visits/{page}", "A page's visits; 404 for one never seen", readsCounts: true) {
      state, call in
      page(call) { page in
        PageCount.read(state, call, page) { .ready($0.isKnown ? $0.response : .noPage) }
      }
    },
    Route(.delete, "/api/v1/counter/visits/{page}", "Let a page's count begin anew", readsCounts: true) { state, call in
      page(call) { page in
        PageCount.known(state, state.visitKey(of: page)) { key in
          PageCount.reset(state, key) { _ in
            .json(
              JSONWriter.object(capacity: 128) { json in
                json.member("status", "success")
                json.member("message", "Counter reset for page \(page)")
                json.member("page_id", page)
              })
          }
        }
      }
    },
    Route(.get, "/api/v1/counter/metrics", "Cache and buffer of the page counts") { state, _ in
      .ready(storeMetrics(state))
    },
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

  /// Answers about the page that the path names.
  private static func page(_ call: Route.Call, _ answer: (_ page: String) -> Route.Answer) -> Route.Answer {
    let page = call.values[0]
    if let fault = Page.fault(page, at: [.name("path"), .name("page")]) { return .ready(.invalid([fault])) }
    return answer(page)
  }

  /// Without Redis there is no cache before the counts and no buffer behind.
  private static func storeMetrics(_ state: QueryState) -> Response {
    let condition = state.sharing?.store.condition() ?? SharedCondition()
    let isWell = condition.troubles.isEmpty && condition.nodes.allSatisfy { $0.isUp }
    return .json(
      JSONWriter.object { json in
        json.member("status", isWell ? "healthy" : "degraded" as StaticString)
        json.member("metrics") { json in
          json.member("cache_hits", condition.cacheHits)
          json.member("cache_misses", condition.cacheMisses)
          json.member("cache_size", condition.cacheSize)
          json.member("write_buffer_size", state.view.unshared)
        }
        json.member("redis_nodes") { json in
          for node in condition.nodes {
            json.key(node.url.utf8)
            json.bool(node.isUp)
          }
        }
        json.key("last_batch_write")
        if let last = state.sharing?.lastBatch { json.string(WallClock.iso8601(last)) } else { json.null() }
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

  static var noPage: Response { .fault(.notFound, "Page not found") }
}
