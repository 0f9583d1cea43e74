import Aggregation
import Protocol

/// `POST /buy`: `buy{promotion=…,product=…}` by one, `buy_quantity` by the quantity, the user into the set `buy_users`.
enum Purchases {
  static let routes: [Route] = [
    Route(.post, "/buy", "Count a purchase") { state, call in .ready(buy(state, call)) }
  ]

  private static func buy(_ state: QueryState, _ call: Route.Call) -> Response {
    var fields: BodyFields
    switch BodyFields.read(call.request) {
    case .fields(let read): fields = read
    case .refused(let response): return response
    }
    let user = fields.integer("user_id")
    let promotion = fields.integer("promotion_id")
    let product = fields.integer("product_id")
    let quantity = fields.integer("product_quantity", above: 0)
    if let refusal = fields.refusal { return refusal }
    guard state.countPurchase(of: product, promotion: promotion, quantity: quantity, user: user, call) else {
      return .full
    }
    let total = state.total(of: VisitNames.buy)
    return .json(
      JSONWriter.object(capacity: 128) { json in
        json.key("success")
        json.bool(true)
        json.member("buy_count", total: total)
        json.key("message")
        json.string("Buy logged successfully. Total buys: ", total: total)
      })
  }
}
