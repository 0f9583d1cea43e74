/// An answer that holds for everybody who asks the same and waits for the same gather.
///
/// A hundred clients that ask `/stats` in one turn of the loop have waited for one gather, and nothing has been taken over since: to them
/// the answer is made once. Who asks later waits for a later gather.
struct SharedAnswer {
  let route: Route
  let call: Route.Call
  let gather: Int
  let response: Response

  /// The answer, if it is to this question and of this gather.
  func answer(_ route: Route, _ call: Route.Call, gather: Int) -> Response? {
    guard self.gather == gather, self.route === route, self.call.request.query == call.request.query,
      self.call.request.path == call.request.path
    else { return nil }
    return response
  }
}
