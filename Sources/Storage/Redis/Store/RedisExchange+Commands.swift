import Aggregation
import Platform

/// The commands for what the query thread asks for.
extension RedisExchange {
  // MARK: Writing

  func send(_ write: SharedWrite) {
    let key = RedisKey(write.key, prefix: prefix)
    guard let request = request(for: write, key) else { return answer(write: write, .written(ticket: write.ticket)) }
    writing += 1
    writingBytes += request.command.bytes.count
    // An agent's first write in a run asks what the shared store has of it, wherever that lies. One shard that is away does not keep the
    // series of all others waiting, though it may have some.
    if case .total(_, _, .some) = write.value {
      sendGathered(request, key, isWhole: false)
    } else {
      client.send(request)
    }
  }

  /// - Returns: nil if there is nothing to write.
  private func request(for write: SharedWrite, _ key: RedisKey) -> RedisRequest? {
    let lifetime = Array("\(key.lifetime)".utf8)
    let (script, keys, arguments): (RedisScripts.Script, [[UInt8]], [[UInt8]])
    switch write.value {
    case .total(let total, let base, let known):
      let claim = known.map { [Array("\($0)".utf8), store.runName] } ?? []
      (script, keys) = (RedisScripts.total, [key.bytes])
      arguments = [store.agent, Array("\(total)".utf8), Array("\(base)".utf8)] + claim
    case .counts(let counts):
      if counts.isEmpty { return nil }
      (script, keys) = (RedisScripts.fields, [key.bytes])
      arguments = [lifetime] + counts.flatMap { field($0.place < 10 ? "0\($0.place)" : "\($0.place)", "\($0.count)") }
    case .samples(let samples):
      if samples.count == 0 { return nil }
      (script, keys) = (RedisScripts.fields, [key.bytes])
      arguments =
        [lifetime] + field("count", "\(samples.count)") + field("sum", "\(samples.sum)")
        + field("min", "\(samples.least)") + field("max", "\(samples.greatest)")
        + samples.buckets.flatMap { field("\($0.number)", "\($0.weight)") }
    case .members(let members):
      (script, keys) = (RedisScripts.members, [key.bytes, key.bytes + ":joining".utf8])
      arguments = [lifetime, members]
    }
    var size = 0
    let request = RedisRequest(script, keys: keys, arguments) { [unowned self] result, _ in
      writing -= 1
      writingBytes -= size
      answer(write: write, news(of: write, result))
    }
    size = request.command.bytes.count
    return request
  }

  /// A field of this agent and its value.
  private func field(_ name: String, _ value: String) -> [[UInt8]] {
    [store.agent + ".\(name)".utf8, Array(value.utf8)]
  }

  private func news(of write: SharedWrite, _ result: Result<RESPValue, RedisFailure>) -> SharedNews {
    switch result {
    case .success(let reply):
      store.shared.withLock { $0.cache.expire(write.key) }
      guard case .total(_, let base, _) = write.value else { return .written(ticket: write.ticket) }
      let numbers = (reply.elements ?? []).map { $0.text.flatMap(SharedNumber.init) }
      if numbers.count == 2 {
        // What is stored compares as larger than a number, and is none that may be counted on with.
        guard let total = numbers[1] else { return .unwritten(ticket: write.ticket) }
        return .found(ticket: write.ticket, write.key, total: total, base: numbers[0] ?? .zero)
      }
      guard let stored = numbers.first ?? nil, base < stored else { return .written(ticket: write.ticket) }
      return .rebased(ticket: write.ticket, write.key, base: stored)
    case .failure(let failure):
      note(failure)
      return .unwritten(ticket: write.ticket)
    }
  }

  // MARK: Reading

  func carryOut(_ ask: RedisStore.Ask) {
    switch ask {
    case .read(let key, let ticket): read(key, ticket)
    case .reset(let key, let own, let ticket): reset(key, own, ticket)
    }
  }

  private func read(_ key: SharedKey, _ ticket: UInt64) {
    let name = RedisKey(key, prefix: prefix)
    let verb = if case .members = key.part { "GET" } else { "HGETALL" }
    let command = RESPCommand([Array(verb.utf8), name.bytes])
    sendGathered(
      RedisRequest(command, at: KeyPlace(of: name.bytes)) { [unowned self] result, node in
        answer(ask: news(of: key, name, ticket, result, node))
      }, name, isWhole: false)
  }

  private func news(
    of key: SharedKey, _ name: RedisKey, _ ticket: UInt64, _ result: Result<RESPValue, RedisFailure>,
    _ node: RedisURL.Place?
  ) -> SharedNews {
    let now = Clock.monotonic()
    switch result.map({ SharedHolding($0, of: key.part, agent: store.agent, run: store.runName) }) {
    case .success(let holding?):
      store.shared.withLock { $0.cache.keep(holding, of: key, now: now) }
      return .holding(ticket: ticket, holding, served: served(node))
    case .success(nil): return .failed(ticket: ticket, "\(name) holds what no agent has written")
    case .failure(let failure):
      if failure.isAway { store.shared.withLock { $0.cache.extend(key, now: now) } }
      note(failure)
      return .failed(ticket: ticket, failure.description)
    }
  }

  // MARK: Resetting

  private func reset(_ key: SharedKey, _ own: SharedNumber?, _ ticket: UInt64) {
    let arguments = own.map { [store.agent, Array("\($0)".utf8)] } ?? []
    let name = RedisKey(key, prefix: prefix)
    sendGathered(
      RedisRequest(RedisScripts.reset, keys: [name.bytes], arguments) { [unowned self] result, node in
        store.shared.withLock { $0.cache.remove(key) }
        switch result {
        case .success:
          tellOthers(ofReset: key)
          answer(ask: .reset(ticket: ticket, served: served(node)))
        case .failure(let failure):
          note(failure)
          answer(ask: failure.mayBeDone ? .unanswered(ticket: ticket) : .failed(ticket: ticket, failure.description))
        }
      }, name, isWhole: true)
  }
}
