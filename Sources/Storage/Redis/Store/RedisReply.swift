import Aggregation
import Protocol

/// Reading what Redis holds. What no agent writes counts nothing.
extension SharedHolding {
  /// Reads the reply to HGETALL, or to GET of a set's members; nil if it is none.
  /// - Parameter run: as `RedisStore.runName`.
  init?(_ reply: RESPValue, of part: SharedKey.Part, agent: [UInt8], run: [UInt8] = []) {
    if case .members = part {
      guard let bytes = RedisReply.members(reply) else { return nil }
      self = .members(bytes)
      return
    }
    guard let pairs = reply.pairs else { return nil }
    let fields = pairs.compactMap { pair in
      pair.value.text.flatMap(SharedNumber.init).flatMap { RedisReply.Field(pair.key, $0) }
    }
    switch part {
    case .total:
      let isOfRun = pairs.contains { $0.key.text == agent + ".run".utf8 && $0.value.text == run }
      self = RedisReply.total(fields, agent, isOfRun: isOfRun)
    case .hours: self = RedisReply.counts(fields, agent, places: 24)
    case .minutes: self = RedisReply.counts(fields, agent, places: 60)
    case .samples, .members: self = RedisReply.samples(fields, agent)
    }
  }
}

private enum RedisReply {
  /// `<agent>` or `<agent>.<name>`.
  struct Field {
    let agent: ArraySlice<UInt8>
    let name: String
    let value: SharedNumber

    init?(_ key: RESPValue, _ value: SharedNumber) {
      guard let text = key.text else { return nil }
      let dot = text.firstIndex(of: UInt8(ascii: ".")) ?? text.endIndex
      agent = text[..<dot]
      name = String(decoding: text[dot...].dropFirst(), as: UTF8.self)
      self.value = value
    }
  }

  static func total(_ fields: [Field], _ agent: [UInt8], isOfRun: Bool) -> SharedHolding {
    var bases: [ArraySlice<UInt8>: SharedNumber] = [:]
    for field in fields where field.name == "base" { bases[field.agent] = field.value }
    var (others, own, agents) = (SharedNumber.zero, SharedNumber?.none, 0)
    for field in fields where field.name.isEmpty {
      agents += 1
      if field.agent == agent[...] {
        own = field.value
      } else {
        others = others + (field.value - (bases[field.agent] ?? .zero))
      }
    }
    return .total(others: others, own: own, ownBase: bases[agent[...]] ?? .zero, agents: agents, isOfRun: isOfRun)
  }

  static func counts(_ fields: [Field], _ agent: [UInt8], places: Int) -> SharedHolding {
    var counts: [Int: SharedNumber] = [:]
    for field in fields where field.agent != agent[...] {
      guard let place = Int(field.name), 0..<places ~= place else { continue }
      counts[place] = (counts[place] ?? .zero) + field.value
    }
    return .counts(counts)
  }

  static func samples(_ fields: [Field], _ agent: [UInt8]) -> SharedHolding {
    var samples = SharedSamples()
    var weights: [Int32: Double] = [:]
    for field in fields where field.agent != agent[...] {
      let value = field.value.value
      switch field.name {
      case "count": samples.count += value
      case "sum": samples.sum += value
      case "min": samples.least = min(samples.least, value)
      case "max": samples.greatest = max(samples.greatest, value)
      default: if value > 0, let number = Int32(field.name) { weights[number, default: 0] += value }
      }
    }
    samples.buckets = weights.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    return .samples(samples)
  }

  /// A HyperLogLog; empty if there is none.
  static func members(_ reply: RESPValue) -> [UInt8]? {
    if case .null = reply { return [] }
    guard let bytes = reply.text, HyperLogLog(redis: bytes) != nil else { return nil }
    return bytes
  }
}
