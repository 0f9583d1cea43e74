import HTTPQuery
import Platform
import Storage

/// What the operator asked for, checked and typed. `Options.table` says how each field is spelt and what it is by default.
///
/// A plain value: whoever holds one may rely on its bounds, since only `Options` fills it from outside.
struct Configuration: Equatable, Sendable {
  /// The configuration file that was read, if any.
  var file: String?

  /// Where datagrams are heard; empty: nowhere. So for the other listeners.
  var udp: [ListenAddress] = []
  var tcp: [ListenAddress] = []
  /// Paths of unix sockets, at most 107 bytes each.
  var unixDatagram: [String] = []
  var unixStream: [String] = []
  /// Receiving threads; nil: one for each core that the process may run on.
  var workers: Int?
  /// Asked of the kernel for each datagram socket.
  var receiveBufferBytes = 0
  /// Stream connections at once, over all workers.
  var streamConnections = 0
  /// Silence after which a stream is closed; nil: never. So for `httpIdle`.
  var streamIdle: Duration?
  /// Of one IPv4 address or IPv6 network of 64 bits; nil: no bound of its own.
  var streamConnectionsPerAddress: Int?
  /// From a line's first byte to its end; nil: any.
  var streamLineTime: Duration?
  /// Senders heard over UDP and TCP; empty: all.
  var allowed: [AddressRange] = []

  var http: [ListenAddress] = []
  var httpConnections = 0
  var httpIdle: Duration?
  /// What of a visit's URL becomes its page.
  var pageFrom = Page.Source.path
  /// Whose forwarding fields count.
  var trustedProxies: [AddressRange] = []
  /// Requests a second and client; nil: any number.
  var httpRate: Int?
  /// Where the bearer tokens stand that writing needs; nil: it needs none.
  var tokenFile: String?
  /// Names under which browsers may write, beside addresses and `localhost`.
  var httpHosts: [HostName] = []
  /// Sites whose pages may use the API.
  var corsOrigins: [WebOrigin] = []

  /// Where the key of a keyed count goes; a metric that is not named here uses the label `key`. Each metric stands once.
  var keyLabels: [KeyLabel] = []
  var gaugeSign = GaugeSign.delta
  /// Keyed counts are refused: plain statsd only.
  var strict = false

  var flushInterval = Duration.zero
  var maxSeries = 0
  /// nil: no bound of its own, `maxSeries` alone bounds a metric.
  var maxSeriesPerMetric: Int?
  /// Idle time after which gauges, timers and sets leave; nil: never.
  var seriesTTL: Duration?
  /// Idle time after which counters leave; nil: never.
  var counterTTL: Duration?
  /// Bytes that all of it together may take, the program itself and its buffers too; nil: no bound.
  var memoryLimit: Int?
  /// Bytes that the history of series and metrics may take.
  var historyBytes = 0

  /// Where counts outlive the program.
  var stateDirectory = StateDirectoryChoice.usual
  var journalSync = JournalSync.flush

  /// Where all agents' counts come together: one server or shards. At most one of the two is not empty.
  var redis: [RedisURL] = []
  /// Entry points of a Cluster.
  var redisCluster: [RedisURL] = []
  /// Where the password stands of servers whose URL has none.
  var redisPasswordFile: String?
  /// The same itself.
  var redisPassword: String?
  /// Of servers whose URL names none.
  var redisDatabase: Int?
  /// The servers of `redis`, each with its database.
  var shards: [RedisURL] {
    redis.map { url in
      var url = url
      if url.database == nil { url.database = redisDatabase }
      return url
    }
  }
  /// Printable ASCII without braces, which tell a Cluster what of a key to hash.
  var redisPrefix = ""
  /// 0: at once.
  var redisFlushInterval = Duration.zero
  var redisBatchSize = 0
  var redisTimeout = Duration.zero
  var redisRetries = 0
  var virtualNodes = 0
  /// 0: nothing is used again.
  var cacheTTL = Duration.zero
  var cacheCapacity = 0
  /// Names of another program's settings that were given, and that nothing here heeds.
  var unheeded: [String] = []

  /// From 0 to 1, rising, each once.
  var quantiles: [Double] = []
  var quantileWindow = Duration.zero
  /// Upper bounds in the exported unit, finite, rising, each once; empty: timers are summaries.
  var buckets: [Double] = []

  /// Take over from the one that runs on the state directory.
  var takeover = false

  var logLevel = Log.Level.info
  var logFormat = Log.Format.text

  /// The defaults of the table.
  init() {
    for entry in Options.table { entry.setDefault(in: &self) }
  }

  /// The label that takes the key of `metric`'s keyed counts.
  struct KeyLabel: Equatable, Sendable {
    var metric: String
    var label: String
  }

  /// Where the journal is.
  enum StateDirectoryChoice: Equatable, Sendable {
    /// `$STATE_DIRECTORY`, else `$XDG_STATE_HOME/footfall`, else `$HOME/.local/state/footfall`.
    case usual
    /// Nowhere: counts last as long as the program.
    case none
    case path(String)
  }

  /// When the journal is synchronised: never, once a flush, before an HTTP answer to what counts.
  enum JournalSync: String, CaseIterable, Sendable {
    case none, flush, always
  }

  /// What a sign before a gauge's value means.
  enum GaugeSign: String, CaseIterable, Sendable {
    case delta, absolute
  }
}
