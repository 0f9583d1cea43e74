import Aggregation
import Platform

/// Requests that wait for the shared store.
extension QueryServer {
  /// Nanoseconds of a turn for going on with requests that have what they asked for.
  private static let resumingInATurn: Int64 = 2_000_000

  /// Lets a request wait until all that it asks for has come, or cannot.
  func park(_ request: WaitingRequest, _ asks: [SharedAsk], _ then: @escaping (SharedReplies) -> Route.Answer) {
    guard let sharing = state.sharing, let number = sharing.asking.park(request, asks, now: Clock.monotonic(), then)
    else { return proceed(then(SharedReplies()), request) }
    clients[request.client]?.parked = number
  }

  /// Asks for what requests wait for, and goes on with those that have it.
  func read(_ sharing: Sharing, _ now: Int64) {
    sharing.asking.askOn { key in sharing.isUp && state.view.share(key) }
    let end = now + Self.resumingInATurn
    while Clock.monotonic() < end, let parked = sharing.asking.nextReady() { resume(parked) }
  }

  private func resume(_ parked: Asking.Parked) {
    let request = parked.request
    let client = clients[request.client]
    client?.parked = 0
    moment = now
    if request.route.sharesAnswers, let client,
      let shared = shared?.answer(request.route, request.call, gather: request.gather)
    {
      answer(client, shared)
    } else {
      proceed(parked.then(parked.replies), request)
    }
    if let client { advance(client) }
  }
}
