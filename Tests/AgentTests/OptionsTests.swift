import HTTPQuery
import Testing

@testable import Agent

/// Reads a configuration without a file system: `files` holds what there is.
func configuration(
  _ arguments: [String] = [], environment: [String: String] = [:], files: [String: String] = [:]
) throws -> Configuration {
  let invocation = try Options.invocation(arguments: arguments, environment: environment) { try read($0, in: files) }
  guard case .serve(let configuration) = invocation else { throw NotServing() }
  return configuration
}

/// What is wrong with a configuration; empty if nothing is.
func faults(
  _ arguments: [String] = [], environment: [String: String] = [:], files: [String: String] = [:]
) -> (lines: [String], exitStatus: Int32) {
  do {
    _ = try Options.invocation(arguments: arguments, environment: environment) { try read($0, in: files) }
    return ([], 0)
  } catch {
    return (error.description.split(separator: "\n").map(String.init), error.exitStatus)
  }
}

private func read(_ path: String, in files: [String: String]) throws -> [UInt8] {
  guard let text = files[path] else { throw NoSuchFile() }
  return Array(text.utf8)
}

private struct NoSuchFile: Error, CustomStringConvertible {
  var description: String { "no such file (ENOENT)" }
}

private struct NotServing: Error {}

/// One value for an option, not its default, and what it must do.
struct Example: Sendable, CustomTestStringConvertible {
  let name: String
  let text: String
  let holds: @Sendable (Configuration) -> Bool
  var testDescription: String { "\(name) = \(text)" }

  init(_ name: String, _ text: String, _ holds: @escaping @Sendable (Configuration) -> Bool) {
    (self.name, self.text, self.holds) = (name, text, holds)
  }
}

@Suite struct `options` {
  static let examples: [Example] = [
    .init("udp", ":9125,[::1]:0") { $0.udp.map(\.description) == [":9125", "[::1]:0"] },
    .init("udp", "none") { $0.udp.isEmpty },
    .init("tcp", "10.0.0.1:9125") { $0.tcp.map(\.description) == ["10.0.0.1:9125"] },
    .init("unix-datagram", "/run/a.sock,b.sock") { $0.unixDatagram == ["/run/a.sock", "b.sock"] },
    .init("unix-stream", "/run/c.sock") { $0.unixStream == ["/run/c.sock"] },
    .init("workers", "3") { $0.workers == 3 },
    .init("receive-buffer", "64KiB") { $0.receiveBufferBytes == 65_536 },
    .init("receive-buffer", "4096") { $0.receiveBufferBytes == 4_096 },
    .init("receive-buffer", "1GiB") { $0.receiveBufferBytes == 1 << 30 },
    .init("stream-connections", "7") { $0.streamConnections == 7 },
    .init("stream-connections-per-address", "3") { $0.streamConnectionsPerAddress == 3 },
    .init("stream-line-time", "2s") { $0.streamLineTime == .seconds(2) },
    .init("allow", "10.0.0.0/8,::1") { $0.allowed.map(\.description) == ["10.0.0.0/8", "::1"] },
    .init("allow", "all") { $0.allowed.isEmpty },
    .init("stream-idle", "never") { $0.streamIdle == nil },
    .init("stream-idle", "250ms") { $0.streamIdle == .milliseconds(250) },
    .init("http", "none") { $0.http.isEmpty },
    .init("http-connections", "9") { $0.httpConnections == 9 },
    .init("http-idle", "5m") { $0.httpIdle == .seconds(300) },
    .init("page-from", "url") { $0.pageFrom == .url },
    .init("trusted-proxy", "10.0.0.0/8,::1") { $0.trustedProxies.map(\.description) == ["10.0.0.0/8", "::1"] },
    .init("http-rate", "20") { $0.httpRate == 20 },
    .init("token-file", "/etc/footfall.tokens") { $0.tokenFile == "/etc/footfall.tokens" },
    .init("http-host", "footfall.example,10.0.0.1") {
      $0.httpHosts == [HostName("Footfall.Example"), HostName("10.0.0.1")]
    },
    .init("cors-origin", "https://shop.example,http://localhost:3000") {
      $0.corsOrigins == [WebOrigin("https://SHOP.example:443"), WebOrigin("http://localhost:3000")]
    },
    .init("key-label", "download=file") {
      $0.keyLabels.map(\.metric) == ["visit", "buy", "download"] && $0.keyLabels.last?.label == "file"
    },
    .init("key-label", "visit") {
      $0.keyLabels.last == .init(metric: "visit", label: "key") && $0.keyLabels.count == 2
    },
    .init("gauge-sign", "absolute") { $0.gaugeSign == .absolute },
    .init("strict", "on") { $0.strict },
    .init("strict", "false") { !$0.strict },
    .init("flush-interval", "10s") { $0.flushInterval == .seconds(10) },
    .init("max-series", "5") { $0.maxSeries == 5 },
    .init("max-series-per-metric", "4") { $0.maxSeriesPerMetric == 4 },
    .init("series-ttl", "2h") { $0.seriesTTL == .seconds(7_200) },
    .init("counter-ttl", "1h") { $0.counterTTL == .seconds(3_600) },
    .init("memory-limit", "1024GiB") { $0.memoryLimit == 1 << 40 },
    .init("history-memory", "8MiB") { $0.historyBytes == 8 << 20 },
    .init("state-dir", "/var/lib/footfall") { $0.stateDirectory == .path("/var/lib/footfall") },
    .init("state-dir", "none") { $0.stateDirectory == .none },
    .init("takeover", "on") { $0.takeover },
    .init("journal-sync", "always") { $0.journalSync == .always },
    .init("redis", "redis://a:7070,redis://b?weight=2") {
      $0.redis.map(\.description) == ["redis://a:7070", "redis://b:6379"] && $0.redis.map(\.weight) == [1, 2]
    },
    .init("redis", "none") { $0.redis.isEmpty },
    .init("redis-cluster", "redis://a:7001,unix:///run/b") {
      $0.redisCluster.map(\.description) == ["redis://a:7001", "unix:///run/b"]
    },
    .init("redis-password-file", "/etc/footfall.password") { $0.redisPasswordFile == "/etc/footfall.password" },
    .init("redis-prefix", "shop:") { $0.redisPrefix == "shop:" },
    .init("redis-flush-interval", "0") { $0.redisFlushInterval == .zero },
    .init("redis-batch-size", "10") { $0.redisBatchSize == 10 },
    .init("redis-timeout", "250ms") { $0.redisTimeout == .milliseconds(250) },
    .init("redis-retries", "0") { $0.redisRetries == 0 },
    .init("virtual-nodes", "40") { $0.virtualNodes == 40 },
    .init("cache-ttl", "0") { $0.cacheTTL == .zero },
    .init("cache-capacity", "5") { $0.cacheCapacity == 5 },
    .init("quantiles", "0.9, 0.5,0.9") { $0.quantiles == [0.5, 0.9] },
    .init("quantile-window", "30s") { $0.quantileWindow == .seconds(30) },
    .init("buckets", "10,-.5,2.5e-1") { $0.buckets == [-0.5, 0.25, 10] },
    .init("log-level", "debug") { $0.logLevel == .debug },
    .init("log-format", "json") { $0.logFormat == .json },
  ]

  @Test(arguments: examples)
  func `are given as a flag, in the environment or in a file`(_ example: Example) throws {
    let entry = try #require(Options.entry(named: example.name))
    #expect(example.holds(try configuration(["--\(example.name)=\(example.text)"])))
    if !entry.isSwitch { #expect(example.holds(try configuration(["--\(example.name)", example.text]))) }
    #expect(example.holds(try configuration(environment: [entry.variable: example.text])))
    #expect(
      example.holds(try configuration(["--config", "f"], files: ["f": " \(example.name)=\(example.text) # why\r\n"])))
  }

  @Test func `have an example each`() {
    let tried = Set(Self.examples.map(\.name)).union(["config"])
    #expect(tried == Set(Options.table.map(\.name)))
    #expect(Options.table.count == tried.count, "a name stands twice")
  }

  @Test func `win as flag, environment, file, default`() throws {
    let files = ["f": "workers = 3\nmax-series = 3\nlog-level = debug\n"]
    let environment = ["FOOTFALL_CONFIG": "f", "FOOTFALL_WORKERS": "2", "FOOTFALL_MAX_SERIES": "2", "HOME": "/"]
    let read = try configuration(["--workers", "1"], environment: environment, files: files)
    #expect(read.workers == 1)
    #expect(read.maxSeries == 2)
    #expect(read.logLevel == .debug)
    #expect(read.logFormat == .text)
    #expect(read.file == "f")
  }

  @Test func `name the file by flag before environment`() throws {
    let files = ["a": "workers = 1", "b": "workers = 2"]
    #expect(try configuration(["--config", "a"], environment: ["FOOTFALL_CONFIG": "b"], files: files).workers == 1)
  }

  @Test func `that are lists gather repeated flags, and the others take the last`() throws {
    let read = try configuration(["--udp", ":1", "--workers", "1", "--udp=:2,:3", "--workers", "2", "--strict"])
    #expect(read.udp.map(\.port) == [1, 2, 3])
    #expect(read.workers == 2)
    #expect(read.strict)
  }

  @Test func `that name labels leave the other metrics alone`() throws {
    let read = try configuration(
      ["--key-label", "a=x", "--config", "f"], environment: ["FOOTFALL_KEY_LABEL": "a=y,b=y"],
      files: ["f": "key-label = a=z,b=z,c=z"])
    #expect(
      Set(read.keyLabels.map { "\($0.metric)=\($0.label)" }) == ["visit=page", "buy=promotion", "a=x", "b=y", "c=z"])
  }

  @Test func `may hold a # within a value`() throws {
    let read = try configuration(["--config", "f"], files: ["f": "# all\n\n\t# of it\nunix-stream = /run/a#b\t#c\n"])
    #expect(read.unixStream == ["/run/a#b"])
  }

  @Test func `that a reload changes are told apart, and are copied one by one`() throws {
    let running = try configuration(["--workers", "1", "--allow", "10.0.0.0/8"])
    let wanted = try configuration(["--workers", "2", "--allow", "10.0.0.0/8", "--max-series", "5"])
    var next = running
    let changed = Options.table.filter { $0.copy(from: wanted, to: &next) }
    #expect(changed.map(\.name) == ["workers", "max-series"] && changed.map(\.isReloadable) == [false, true])
    #expect(next == wanted)
    for entry in Options.table { #expect(!entry.copy(from: wanted, to: &next), "\(entry.name)") }
  }

  @Test func `come with one command, help or version`() throws {
    func invocation(_ arguments: String...) throws -> Invocation {
      try Options.invocation(arguments: arguments, environment: [:]) { try read($0, in: [:]) }
    }
    #expect(try invocation() == .serve(Configuration()))
    #expect(try invocation("serve") == .serve(Configuration()))
    #expect(try invocation("explain") == .explain(Configuration()))
    #expect(try invocation("--log-level", "info", "check-config") == .checkConfig(Configuration()))
    #expect(try invocation("journal", "dump") == .journal(.dump, Configuration()))
    #expect(try invocation("journal", "--log-level", "info", "verify") == .journal(.verify, Configuration()))
    #expect(try invocation("serve", "--help", "--nonsense") == .help)
    #expect(try invocation("-h") == .help)
    #expect(try invocation("--version") == .version)
  }
}
