import HTTPQuery
import Storage

/// The one table of what can be set, and the words of the command line.
///
/// An option is given as a flag, in the environment, or in a file, and they win in this order over its default. Flags, environment
/// variables, file keys, `--help` and `examples/footfall.conf` all come from `table`, so a new option is one entry here and one field
/// in `Configuration`.
enum Options {
  static let variablePrefix = "FOOTFALL_"
  static let configName = "config"

  static let table: [Entry] = [
    .list(
      "udp", .address, default: "127.0.0.1:8125", .receiving, "addresses for datagrams; port 0 picks a free one", \.udp),
    .list("tcp", .address, default: "127.0.0.1:8125", .receiving, "addresses for streams of lines", \.tcp),
    .list("unix-datagram", .socketPath, default: "none", .receiving, "unix sockets for datagrams", \.unixDatagram),
    .list(
      "unix-stream", .socketPath, default: "none", .receiving,
      "unix sockets for streams of lines, or of DogStatsD's packets with their length before them", \.unixStream),
    .one(
      "workers", .count(1...1_024), or: "auto", default: "auto", .receiving, "receiving threads; auto: one a core",
      \.workers),
    .one(
      "receive-buffer", .size(4_096...1 << 30), default: "8MiB", .receiving,
      "asked of the kernel for each datagram socket; more than net.core.rmem_max needs CAP_NET_ADMIN",
      \.receiveBufferBytes),
    .one(
      "stream-connections", .count(1...1_000_000), default: "4096", .receiving, "streams open at once",
      \.streamConnections
    ).onReload,
    .one(
      "stream-connections-per-address", .count(1...1_000_000), or: "none", default: "none", .receiving,
      "those of one IPv4 address or IPv6 /64 among them; unix sockets have none", \.streamConnectionsPerAddress
    ).onReload,
    .one(
      "stream-idle", .duration("1ms", "8760h"), or: "never", default: "10m", .receiving, "silence that closes a stream",
      \.streamIdle
    ).onReload,
    .one(
      "stream-line-time", .duration("1ms", "8760h"), or: "never", default: "30s", .receiving,
      "time from a line's first byte to its end; beyond it the stream is closed and the line refused", \.streamLineTime
    ).onReload,
    .list(
      "allow", .addressRange, default: "all", .receiving,
      "senders heard over UDP and TCP; the lines of others are refused (refused_source); not for unix sockets and HTTP",
      \.allowed, empty: "all"
    ).onReload,

    .list("http", .address, default: "127.0.0.1:8080", .answering, "addresses of the query API", \.http),
    .one(
      "http-connections", .count(1...1_000_000), default: "4096", .answering,
      "HTTP connections open at once; beyond them /health and /ready are still answered, and all else is 503",
      \.httpConnections
    ).onReload,
    .one(
      "http-idle", .duration("1ms", "8760h"), or: "never", default: "60s", .answering, "silence that closes one",
      \.httpIdle
    ).onReload,
    .one(
      "page-from", .word(Page.Source.self), default: "path", .answering, "what of a visit's page_url becomes its page",
      \.pageFrom
    ).onReload,
    .list(
      "trusted-proxy", .addressRange, default: "none", .answering,
      "proxies whose X-Forwarded-For, Forwarded or X-Real-IP says who a client is", \.trustedProxies
    ).onReload,
    .one(
      "http-rate", .count(1...1_000_000), or: "none", default: "none", .answering,
      "requests a second of one client, an IPv6 one being its /64; beyond it 429, but for /health and /ready",
      \.httpRate
    ).onReload,
    .one(
      "token-file", .file, or: "none", default: "none", .answering,
      "file of bearer tokens, one a line, # before a comment; with it POST and DELETE need one of them, without it DELETE works on loopback only",
      \.tokenFile
    ).onReload,
    .list(
      "http-host", .hostName, default: "none", .answering,
      "names under which browsers may write here, beside addresses and localhost", \.httpHosts
    ).onReload,
    .list(
      "cors-origin", .origin, default: "none", .answering,
      "sites whose pages browsers let read and write here; * for all", \.corsOrigins
    ).onReload,

    .keyLabels(
      "key-label", default: "visit=page,buy=promotion", .lines,
      "label that a keyed count's key goes to, metric by metric; a metric without its own has the label key"),
    .one(
      "gauge-sign", .word(Configuration.GaugeSign.self), default: "delta", .lines, "what a sign before a gauge means",
      \.gaugeSign),
    .one(
      "strict", .flag, default: "off", .lines, "refuse keyed counts such as visit:page1|c: plain statsd only", \.strict),

    .one(
      "flush-interval", .duration("10ms", "1h"), default: "1s", .series,
      "how often what the workers gathered moves into the merged view and the history", \.flushInterval
    ).onReload,
    .one(
      "max-series", .count(1...100_000_000), default: "1000000", .series,
      "series held; a new one beyond is counted under __other__", \.maxSeries
    ).onReload,
    .one(
      "max-series-per-metric", .count(1...100_000_000), or: "none", default: "none", .series,
      "the same for one metric; none: max-series alone bounds it", \.maxSeriesPerMetric
    ).onReload,
    .one(
      "series-ttl", .duration("1s", "8760h"), or: "never", default: "24h", .series,
      "idle time after which gauges, timers and sets leave", \.seriesTTL
    ).onReload,
    .one(
      "counter-ttl", .duration("1s", "8760h"), or: "never", default: "never", .series,
      "idle time after which counters leave", \.counterTTL
    ).onReload,
    .one(
      "memory-limit", .size(16 << 20...1 << 40), or: "none", default: "none", .series,
      "memory of series, history, connections and buffers together; reached, history gives way, then new series count under __other__",
      \.memoryLimit
    ).onReload,
    .one(
      "history-memory", .size(1 << 20...1 << 38), default: "256MiB", .series,
      "budget of the history of series and metrics; beyond it the series longest without a count give way",
      \.historyBytes
    ).onReload,

    .one(
      "state-dir", .stateDirectory, default: "auto", .state,
      "folder of the journal; auto: $STATE_DIRECTORY, else $XDG_STATE_HOME/footfall, else ~/.local/state/footfall; none: "
        + "counts last as long as the program",
      \.stateDirectory),
    .one(
      "takeover", .flag, default: "off", .state,
      "go on with the sockets, streams and state of the program that runs on the state directory, which then ends",
      \.takeover),
    .one(
      "journal-sync", .word(Configuration.JournalSync.self), default: "flush", .state,
      "when the disk must have what was counted: never, once a flush, before an HTTP answer to what counts",
      \.journalSync),

    .urls(
      "redis", default: "none", .redis, "one server, or several that share the keys by consistent hashing", \.redis),
    .urls(
      "redis-cluster", default: "none", .redis, "some nodes of a Cluster, from which the others are learned",
      \.redisCluster),
    .one(
      "redis-password-file", .file, or: "none", default: "none", .redis,
      "file whose first line is the password of servers whose URL has none; a URL in a flag is seen by everybody on the machine",
      \.redisPasswordFile),
    .one("redis-prefix", .keyPrefix, default: "footfall:", .redis, "what all keys begin with", \.redisPrefix),
    .one(
      "redis-flush-interval", .duration("0s", "1h"), default: "5s", .redis,
      "how long changes wait for others before they are written; 0: not at all", \.redisFlushInterval),
    .one(
      "redis-batch-size", .count(1...100_000), default: "1000", .redis,
      "so many changed series are written before that is over", \.redisBatchSize),
    .one(
      "redis-timeout", .duration("10ms", "10m"), default: "5s", .redis,
      "how long a connection may take to be made, and an answer to come", \.redisTimeout),
    .one(
      "redis-retries", .count(0...100), default: "3", .redis,
      "how often a command is sent once more after a lost connection or a redirection", \.redisRetries),
    .one(
      "virtual-nodes", .count(1...10_000), default: "100", .redis,
      "points that a server of weight 1 has on the ring of consistent hashing; all at most 10 million",
      \.virtualNodes),
    .one(
      "cache-ttl", .duration("0s", "24h"), default: "5s", .redis,
      "how long what was read of other agents may be used again; 0: not at all", \.cacheTTL),
    .one("cache-capacity", .count(1...1_000_000), default: "1000", .redis, "answers kept for that", \.cacheCapacity),

    .list(
      "quantiles", .number(0...1), default: "0.5,0.9,0.95,0.99", .timers, "quantiles that a timer's summary shows",
      \.quantiles,
      arranged: risingOnce
    ).onReload,
    .one(
      "quantile-window", .duration("1s", "24h"), default: "60s", .timers, "time that the quantiles look back over",
      \.quantileWindow),
    .list(
      "buckets", .number(), default: "none", .timers,
      "upper bounds in the exported unit; with them timers are histograms, without them summaries", \.buckets,
      arranged: risingOnce),

    .one(
      configName, .file, or: "none", default: "none", .program, "file with lines NAME = VALUE, # before a comment",
      \.file),
    .one(
      "log-level", .word(Log.Level.self, as: "LEVEL"), default: "info", .program,
      "least that is worth a line on standard error", \.logLevel
    ).onReload,
    .one("log-format", .word(Log.Format.self), default: "text", .program, "how such a line looks", \.logFormat)
      .onReload,
  ]

  /// The entry of that name.
  /// - Complexity: O(entries).
  static func entry(named name: some StringProtocol) -> Entry? { table.first { $0.name == name } }

  private static let risingOnce: @Sendable ([Double]) -> [Double] = { numbers in
    numbers.sorted().reduce(into: []) { if $0.last != $1 { $0.append($1) } }
  }
}
