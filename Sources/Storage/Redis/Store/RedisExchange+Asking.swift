import Aggregation
import Platform
import Synchronization

/// Reads and resets: what somebody waits for.
extension RedisExchange {
  func carryOut(_ ask: RedisStore.Ask) {
    switch ask {
    case .read(let series, let ticket): read(series, ticket)
    case .reset(let series, let total, let ticket): reset(series, total, ticket)
    }
  }

  private func read(_ series: RedisSeries, _ ticket: UInt64) {
    if reading[series] != nil {
      reading[series]?.append(ticket)
      return
    }
    reading[series] = [ticket]
    let key = series.key(store.settings.prefix)
    let command = RESPCommand([Array("HGETALL".utf8), key])
    client.send(
      RedisRequest(command, at: KeyPlace(of: key)) { [unowned self] result, node in
        let tickets = reading.removeValue(forKey: series) ?? []
        switch result.map({ RedisCount($0, agent: store.agent) }) {
        case .success(let count?):
          store.shared.withLock { $0.cache.keep(count, of: series, now: Clock.monotonic()) }
          for ticket in tickets { answer(.count(ticket: ticket, count, served: served(node))) }
        case .success(nil): for ticket in tickets { answer(.failed(ticket: ticket, "\(series) is no hash of totals")) }
        case .failure(let failure):
          note(failure)
          for ticket in tickets { answer(.failed(ticket: ticket, failure.description)) }
        }
      })
  }

  private func reset(_ series: RedisSeries, _ total: SharedNumber, _ ticket: UInt64) {
    let key = series.key(store.settings.prefix)
    let request = RedisRequest(
      RedisScripts.reset, key: key, at: KeyPlace(of: key), store.agent, Array("\(total)".utf8)
    ) { [unowned self] result, node in
      store.shared.withLock { $0.cache.remove(series) }
      switch result {
      case .success:
        // A write from before may come after it, at a second try, with a smaller total.
        if pending.isUnderWay(series) { pending.put(RedisUpdate(series, total: total, base: total)) }
        answer(.reset(ticket: ticket, served: served(node)))
      case .failure(let failure):
        note(failure)
        answer(.failed(ticket: ticket, failure.description))
      }
    }
    client.send(request)
  }

  private func answer(_ news: RedisNews) {
    self.news.append(news)
    answered += 1
  }

  /// How an answer names the server that it comes from: with its port where there are several.
  private func served(_ node: RedisURL.Place?) -> String {
    guard client.links.count > 1, case .tcp(_, let port)? = node else { return "redis" }
    return "redis_\(port)"
  }
}
