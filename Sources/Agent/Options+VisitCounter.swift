/// The names of a visit counter service's `.env` file, read as environment variables and as lines of a file, each for an option of this program.
///
/// In each of the two the program's own name wins over the other.
extension Options {
  static let visitCounter: [Entry] = [
    .urls("REDIS_NODES", default: "none", .redis, "redis", \.redis),
    .other("REDIS_PASSWORD", "a password", "as redis-password-file, the password itself") {
      $1.redisPassword = $0.isEmpty ? nil : String($0)
      return true
    },
    .one("REDIS_DB", .count(0...65_535), or: "", default: "", .redis, "database of URLs without one", \.redisDatabase),
    .one("REDIS_TIMEOUT", .seconds(0.01, 600), default: "", .redis, "redis-timeout", \.redisTimeout),
    .one("REDIS_RETRY_ATTEMPTS", .count(0...100), default: "", .redis, "redis-retries", \.redisRetries),
    .one("VIRTUAL_NODES", .count(1...10_000), default: "", .redis, "virtual-nodes", \.virtualNodes),
    .one("CACHE_TTL_SECONDS", .seconds(0, 86_400), default: "", .redis, "cache-ttl", \.cacheTTL),
    .one("CACHE_CAPACITY", .count(1...1_000_000), default: "", .redis, "cache-capacity", \.cacheCapacity),
    .one(
      "BATCH_INTERVAL_SECONDS", .seconds(0, 3_600), default: "", .redis, "redis-flush-interval", \.redisFlushInterval),
    .one("BATCH_SIZE_LIMIT", .count(1...100_000), default: "", .redis, "redis-batch-size", \.redisBatchSize),
    .other("DEBUG", "true or false", "true: log-level debug") { text, configuration in
      let isOn = Value<Bool>.flag.read(Substring(text.lowercased()))
      if isOn == true { configuration.logLevel = .debug }
      return isOn != nil
    },
    // What is served stands under /api/v1 and nowhere else.
    .other("API_PREFIX", "a path", unheeded) { text, configuration in
      if !["/api/v1", "/api/v1/"].contains(text) { configuration.unheeded.append("API_PREFIX") }
      return true
    },
    ignored("PROJECT_NAME"), ignored("ENABLE_METRICS"), ignored("METRICS_INTERVAL_SECONDS"),
  ]

  private static let unheeded = "taken and not heeded"

  private static func ignored(_ name: String) -> Entry {
    .other(name, "anything", unheeded) { _, configuration in
      configuration.unheeded.append(name)
      return true
    }
  }
}
