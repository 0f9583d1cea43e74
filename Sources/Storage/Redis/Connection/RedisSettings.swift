/// How Redis is spoken to; each field is an option's.
package struct RedisSettings: Sendable {
  /// One server, several shards, or some nodes of one Cluster, from which the others are learned.
  package var urls: [RedisURL]
  /// Whether the servers are known to be nodes of a Cluster: one that is none is not used. Else the first that answers says what they are.
  package var isCluster = false
  /// What all keys begin with.
  package var prefix = "footfall:"
  /// How long a connection may take to be made, and a reply to come.
  package var timeout: Int64 = 5_000_000_000
  /// How often a command is sent again after a redirection, a lost connection or a server that asks for patience.
  package var retries = 3
  /// How long an answer may be given again; 0: never.
  package var cacheTTL: Int64 = 5_000_000_000
  /// Answers that are kept.
  package var cacheCapacity = 1_000
  /// Points that a shard of weight 1 has on the ring.
  package var virtualNodes = 100
  /// How often a node that nothing is said to is asked whether it is there.
  package var probeInterval: Int64 = 2_000_000_000
  /// How often everything is written, whether it has changed or not.
  package var fullPassInterval: Int64 = 600_000_000_000
  /// A full pass that a lost server asks for comes no sooner after another.
  package var fullPassPause: Int64 = 10_000_000_000

  /// Those of an agent whose options say no more than where Redis is.
  package init(urls: [RedisURL]) { self.urls = urls }
}

/// Bounds that nobody sets.
enum RedisBounds {
  /// Bytes that a connection keeps for a server that does not read them.
  static let outbox = 4 << 20
  /// Commands of a connection that are not answered.
  static let inFlight = 16_384
  /// Bytes read at once.
  static let read = 64 << 10
  /// Commands under way over all connections: those that a redirection or a loss has to be kept for.
  static let commands = 32_768
}
