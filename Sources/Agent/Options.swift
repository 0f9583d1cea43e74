import HTTPQuery

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
      \.streamConnections),
    .one(
      "stream-idle", .duration("1ms", "8760h"), or: "never", default: "10m", .receiving, "silence that closes a stream",
      \.streamIdle),

    .list("http", .address, default: "127.0.0.1:8080", .answering, "addresses of the query API", \.http),
    .one(
      "http-connections", .count(1...1_000_000), default: "4096", .answering,
      "HTTP connections open at once; beyond them /health and /ready are still answered, and all else is 503",
      \.httpConnections),
    .one(
      "http-idle", .duration("1ms", "8760h"), or: "never", default: "60s", .answering, "silence that closes one",
      \.httpIdle),
    .one(
      "page-from", .word(Page.Source.self), default: "path", .answering, "what of a visit's page_url becomes its page",
      \.pageFrom),
    .list(
      "trusted-proxy", .addressRange, default: "none", .answering,
      "proxies whose X-Forwarded-For, Forwarded or X-Real-IP says who a client is", \.trustedProxies),
    .one(
      "http-rate", .count(1...1_000_000), or: "none", default: "none", .answering,
      "requests a second of one client, an IPv6 one being its /64; beyond it 429, but for /health and /ready",
      \.httpRate),
    .one(
      "token-file", .file, or: "none", default: "none", .answering,
      "file of bearer tokens, one a line, # before a comment; with it POST and DELETE need one of them, without it DELETE works on loopback only",
      \.tokenFile),
    .list(
      "http-host", .hostName, default: "none", .answering,
      "names under which browsers may write here, beside addresses and localhost", \.httpHosts),
    .list(
      "cors-origin", .origin, default: "none", .answering,
      "sites whose pages browsers let read and write here; * for all", \.corsOrigins),

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
      "how often what the workers gathered moves into the merged view and the history", \.flushInterval),
    .one(
      "max-series", .count(1...100_000_000), default: "1000000", .series,
      "series held; a new one beyond is counted under __other__", \.maxSeries),
    .one(
      "max-series-per-metric", .count(1...100_000_000), or: "none", default: "none", .series,
      "the same for one metric; none: max-series alone bounds it", \.maxSeriesPerMetric),
    .one(
      "series-ttl", .duration("1s", "8760h"), or: "never", default: "24h", .series,
      "idle time after which gauges, timers and sets leave", \.seriesTTL),
    .one(
      "counter-ttl", .duration("1s", "8760h"), or: "never", default: "never", .series,
      "idle time after which counters leave", \.counterTTL),
    .one(
      "history-memory", .size(1 << 20...1 << 38), default: "256MiB", .series,
      "budget of the history of series and metrics; beyond it the series longest without a count give way",
      \.historyBytes),

    .list(
      "quantiles", .number(0...1), default: "0.5,0.9,0.95,0.99", .timers, "quantiles that a timer's summary shows",
      \.quantiles,
      arranged: risingOnce),
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
      "least that is worth a line on standard error", \.logLevel),
    .one("log-format", .word(Log.Format.self), default: "text", .program, "how such a line looks", \.logFormat),
  ]

  /// The entry of that name.
  /// - Complexity: O(entries).
  static func entry(named name: some StringProtocol) -> Entry? { table.first { $0.name == name } }

  private static let risingOnce: @Sendable ([Double]) -> [Double] = { numbers in
    numbers.sorted().reduce(into: []) { if $0.last != $1 { $0.append($1) } }
  }
}
