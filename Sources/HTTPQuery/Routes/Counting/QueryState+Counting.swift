import Aggregation
import Bytes
import Platform
import Protocol

/// The metrics that visits and purchases are counted in.
enum VisitNames {
  static let visit = Array("visit".utf8)
  static let buy = Array("buy".utf8)
}

/// Counting what comes over HTTP, in the query thread's own table.
extension QueryState {
  /// One batch: counted, in the view, and in the books, when it returns.
  /// - Parameter event: seconds since 1970 at which what is counted has happened, if that is not now.
  func count<Result>(at event: Int64? = nil, _ body: (inout WorkerTable) -> Result) -> Result {
    let monotonic = Clock.monotonic()
    let wall = Clock.wall() / 1_000_000_000
    table.beginBatch(monotonic: monotonic, wall: wall)
    table.tally = LineTally()
    if let event, !HistorySpan.includes(event, at: wall) { table.tally.outOfWindow = 1 }
    let result = body(&table)
    table.endBatch()
    httpBooks.ledgers[0].add(table.tally)
    view.takeOwn(ownTable, second: second(monotonic), wall: wall)
    takeFamilyChanges()
    return result
  }

  /// What all series of a counter have counted since their resets; of other agents', what was known a short while ago.
  func total(of metric: [UInt8]) -> (whole: Int64?, value: Double) {
    let own = view.family(named: metric, kind: .counter).map { view.countSinceReset(family: $0) } ?? (0, 0)
    guard let sharing else { return own }
    sharing.totals.isWanted = true
    return (SharedNumber(own) + sharing.totals.ofOthers(metric)).total
  }

  /// When a request's visit or purchase has happened; nil is now. A field that says no time is counted and otherwise ignored.
  private func event(_ call: Route.Call) -> Int64? {
    do throws(EventTime.Bad) { return try EventTime.read(call.request.headers) } catch {
      badEventTimes += 1
      return nil
    }
  }

  // Each of the following gives false, or nil, if there is no room for another series.

  /// A visit of no page.
  func countVisit(_ call: Route.Call) -> Bool {
    let event = event(call)
    return count(at: event) { $0.count(VisitNames.visit, by: 1, at: event) != nil }
  }

  /// A visit of a page; the series that it was counted into.
  func countVisit(of page: String, _ call: Route.Call) -> SeriesID? {
    let spelling = visitSpelling(of: page)
    let event = event(call)
    return count(at: event) { $0.count(spelling, by: 1, at: event) }.flatMap { view.series(ofRecord: $0, in: ownTable) }
  }

  /// A visit of a page by somebody.
  /// - Parameter address: the visitor's, if the caller says so; else the client's.
  func countVisit(of page: String, user: String, address: String?, _ call: Route.Call) -> Bool {
    let label = Array(settings.keyLabels["visit"].utf8)
    let labels = [(key: label, value: Array(page.utf8))]
    let spelling = visitSpelling(of: page)
    let users = self.spelling("visit_users", labels, .set)
    let addresses = self.spelling("visit_addresses", labels, .set)
    let visitor = address ?? call.client.description
    let event = event(call)
    return count(at: event) { table in
      if table.count(spelling, by: 1, at: event) == nil { return false }
      table.addMember(Array(user.utf8), to: users, at: event)
      table.addMember(Array(visitor.utf8), to: addresses, at: event)
      return true
    }
  }

  /// A purchase.
  func countPurchase(of product: Int64, promotion: Int64, quantity: Int64, user: Int64, _ call: Route.Call) -> Bool {
    // The key's label, so that a datagram's `buy:67890|c` differs by the product alone.
    let keyLabel = settings.keyLabels["buy"]
    var labels = [
      (key: Array("product".utf8), value: Array("\(product)".utf8)),
      (key: Array((keyLabel == "product" ? "promotion" : keyLabel).utf8), value: Array("\(promotion)".utf8)),
    ]
    labels.sort { $0.key.lexicographicallyPrecedes($1.key) }
    let buys = spelling("buy", labels, .counter)
    let quantities = spelling("buy_quantity", labels, .counter)
    let users = spelling("buy_users", labels, .set)
    let event = event(call)
    return count(at: event) { table in
      if table.count(buys, by: 1, at: event) == nil { return false }
      table.count(quantities, by: quantity, at: event)
      table.addMember(Array("\(user)".utf8), to: users, at: event)
      return true
    }
  }

  /// What agents share a page's visits under.
  func visitKey(of page: String) -> SharedKey {
    let label = Array(settings.keyLabels["visit"].utf8)
    return SharedKey(.counter, metric: VisitNames.visit, labels: [(name: label, value: Array(page.utf8))])
  }

  /// The series of a page's visits, if there have been any.
  func visitSeries(of page: String) -> SeriesID? {
    view.series(spelled: visitSpelling(of: page), kind: .counter)
  }

  private func visitSpelling(of page: String) -> [UInt8] {
    spelling("visit", [(key: Array(settings.keyLabels["visit"].utf8), value: Array(page.utf8))], .counter)
  }

  private func spelling(
    _ name: StaticString, _ labels: [(key: [UInt8], value: [UInt8])], _ kind: SampleKind
  ) -> [UInt8] {
    var spelling: [UInt8] = []
    SeriesSpelling.write(name, labels, kind: kind, keyLabels: settings.keyLabels, into: &spelling)
    return spelling
  }
}
