import Testing

@testable import Agent

@Suite struct `options of Redis` {
  @Test func `read a comma within a password as part of its URL`() throws {
    let read = try configuration(["--redis", "redis://:a,b@h:7070, redis://g"])
    #expect(read.redis.map(\.password) == ["a,b", nil])
    #expect(read.redis.map(\.description) == ["redis://h:7070", "redis://g:6379"])
  }

  @Test(arguments: [
    ("redis://:secret@h:99999", "want host:port"), ("redis://:sec,ret@h:99999", "want host:port"),
    ("rediss://:secret@h", "stunnel"), ("http://u:secret@h", "unknown scheme"),
    ("redis://:sec?ret@h", "unknown field"), ("redis://:12/secret@h", "no database"),
    ("redis://a,redis://u:secret@", "want host:port"), ("redis://a,b", "want host:port"),
  ])
  func `are refused with what is wrong, and without a password`(_ text: String, _ reason: String) {
    for arguments in [["--redis", text], ["--redis-cluster=\(text)"]] {
      let (lines, status) = faults(arguments)
      #expect(lines.count == 1 && status == 64)
      #expect(lines.allSatisfy { $0.contains(reason) && $0.contains("flag --redis") }, "\(lines)")
      #expect(lines.allSatisfy { !$0.contains("secret") && !$0.contains("sec") && !$0.contains("ret") }, "\(lines)")
    }
  }

  @Test func `show what is wrong with a URL without a line of its own making`() {
    #expect(faults(["--redis", "redis://a\nb"]).lines.count == 1)
  }

  @Test func `want a Cluster or other servers, not both`() throws {
    let both = ["--redis", "redis://a", "--redis-cluster", "redis://b"]
    #expect(
      faults(both).lines == [
        "footfall: redis-cluster (flag --redis-cluster): beside redis: want one of the two, the other none"
      ])
    #expect(faults(both).exitStatus == 64)
    #expect(faults(["--redis", "none"] + both.dropFirst(2)).lines.isEmpty)
    #expect(
      faults(["--redis", "redis://a?weight=0,redis://b?weight=0"]).lines.first?.contains("every weight is 0") == true)
    #expect(faults(["--redis", "redis://a?weight=0,redis://b"]).lines.isEmpty)
  }

  @Test(arguments: [
    (["--redis", "redis://a:7,redis://b,redis://u:secret@a:7?weight=2"], "names a server twice: redis://a:7"),
    (["--redis-cluster", "redis://a/0", "--redis-cluster", "redis://a:6379"], "names a server twice: redis://a:6379"),
    (["--redis", "unix:///s%0Aa?db=1,unix:///s%0Aa?db=1"], "names a server twice: unix:///s\\na?db=1"),
    (
      ["--redis", "redis://a?weight=1000,redis://b", "--virtual-nodes", "10000"],
      "make 10010000 points on the ring: want at most 10000000"
    ),
  ]) func `refuse servers that no ring can be made of`(_ arguments: [String], _ reason: String) {
    let (lines, status) = faults(arguments)
    #expect(lines.count == 1 && status == 64)
    #expect(lines.allSatisfy { $0.contains(reason) && $0.contains("(flag \(arguments[0]))") }, "\(lines)")
  }

  @Test(arguments: [
    ["--redis", "redis://a,redis://a/1,redis://a:7,redis://b"],
    ["--redis", "redis://a?weight=1000", "--virtual-nodes", "10000"],
  ]) func `take servers that differ by port or database, and the largest ring`(_ arguments: [String]) {
    #expect(faults(arguments).lines.isEmpty)
  }

  @Test(arguments: [
    ("redis://a?weight=0", "every weight is 0"), ("redis://a,redis://a", "names a server twice: redis://a:6379"),
  ]) func `are refused by the name that they were given by`(_ nodes: String, _ reason: String) {
    let environment = faults(environment: ["REDIS_NODES": nodes])
    #expect(environment.lines.count == 1 && environment.exitStatus == 78)
    #expect(
      environment.lines.first?.hasPrefix("footfall: REDIS_NODES (environment variable REDIS_NODES): \(reason)") == true)
    let file = faults(["--config", "f"], files: ["f": "REDIS_NODES=\(nodes)\n"])
    #expect(file.lines.first?.hasPrefix("footfall: REDIS_NODES (f:1): \(reason)") == true)
    let twice = faults(environment: ["REDIS_NODES": "redis://a/2,redis://a", "REDIS_DB": "2"])
    #expect(twice.lines.first?.contains("names a server twice: redis://a:6379/2") == true)
    let both = faults(
      ["--redis-cluster", "redis://b"], environment: ["REDIS_NODES": "redis://a"])
    #expect(both.lines.first?.contains("--redis-cluster): beside REDIS_NODES") == true)
    let own = faults(environment: ["REDIS_NODES": "redis://c", "FOOTFALL_REDIS": nodes])
    #expect(own.lines.first?.hasPrefix("footfall: redis (environment variable FOOTFALL_REDIS): \(reason)") == true)
  }

  @Test(arguments: ["{", "a}", "a b", "ä", "a\u{7F}", String(repeating: "a", count: 129)])
  func `refuse a prefix that keys cannot begin with`(_ text: String) {
    #expect(faults(["--redis-prefix", text]).lines.count == 1)
  }

  @Test func `take fixed memory for each server`() throws {
    let alone = try MemoryNeeds.least(configuration(), workers: 1)
    let one = try MemoryNeeds.least(configuration(["--redis", "redis://a"]), workers: 1)
    let two = try MemoryNeeds.least(configuration(["--redis-cluster", "redis://a,redis://b"]), workers: 1)
    #expect(alone < one && one < two)
    let three = try MemoryNeeds.least(configuration(["--redis", "redis://a,redis://b,redis://c"]), workers: 1)
    #expect(two == three, "a Cluster has three masters at least")
    #expect(faults(["--redis", "redis://a", "--workers", "1", "--memory-limit", "\(alone)"]).lines.count == 1)
  }
}

@Suite struct `the names of a visit counter` {
  static let file = """
    # The service's own file.
    PROJECT_NAME="Visit Counter # 1"
    API_PREFIX='/api/v1'
    DEBUG=true
    export REDIS_NODES="redis://redis1:6379,redis://redis2:6379,redis://redis3:6379"
    REDIS_PASSWORD = "sec#ret"  # a comment
    REDIS_DB=2
    REDIS_TIMEOUT=0.25
    REDIS_RETRY_ATTEMPTS=4
    VIRTUAL_NODES=50
    CACHE_TTL_SECONDS=7
    CACHE_CAPACITY=20
    BATCH_INTERVAL_SECONDS=2.5
    BATCH_SIZE_LIMIT=30
    ENABLE_METRICS=
    METRICS_INTERVAL_SECONDS=60
    """

  private func expectAll(_ read: Configuration) {
    #expect(read.redis.map(\.description) == (1...3).map { "redis://redis\($0):6379" })
    #expect(read.redisPassword == "sec#ret" && read.redisDatabase == 2)
    #expect(read.redisTimeout == .milliseconds(250) && read.redisRetries == 4)
    #expect(read.virtualNodes == 50 && read.cacheTTL == .seconds(7) && read.cacheCapacity == 20)
    #expect(read.redisFlushInterval == .milliseconds(2_500) && read.redisBatchSize == 30)
    #expect(read.logLevel == .debug)
    #expect(read.unheeded == ["PROJECT_NAME", "ENABLE_METRICS", "METRICS_INTERVAL_SECONDS"])
  }

  @Test func `are read from its .env file`() throws {
    expectAll(try configuration(["--config", ".env"], files: [".env": Self.file]))
  }

  @Test func `are read from the environment`() throws {
    let environment = [
      "PROJECT_NAME": "Visit Counter", "API_PREFIX": "/api/v1", "DEBUG": "True", "REDIS_PASSWORD": "sec#ret",
      "REDIS_NODES": "redis://redis1:6379,redis://redis2:6379,redis://redis3:6379", "REDIS_DB": "2",
      "REDIS_TIMEOUT": "0.25", "REDIS_RETRY_ATTEMPTS": "4", "VIRTUAL_NODES": "50", "CACHE_TTL_SECONDS": "7",
      "CACHE_CAPACITY": "20", "BATCH_INTERVAL_SECONDS": "2.5", "BATCH_SIZE_LIMIT": "30", "ENABLE_METRICS": "true",
      "METRICS_INTERVAL_SECONDS": "60",
    ]
    #expect(Set(environment.keys) == Set(Options.visitCounter.map(\.name)))
    expectAll(try configuration(environment: environment))
  }

  @Test func `give way to the program's own in the same place, and to those of a place before`() throws {
    let files = ["f": "REDIS_TIMEOUT=1\nredis-timeout = 2s\nCACHE_CAPACITY=3\nvirtual-nodes = 4\n"]
    let read = try configuration(
      ["--config", "f", "--redis-batch-size", "7"],
      environment: [
        "CACHE_CAPACITY": "5", "VIRTUAL_NODES": "6", "BATCH_SIZE_LIMIT": "8", "FOOTFALL_CACHE_CAPACITY": "9",
      ],
      files: files)
    #expect(read.redisTimeout == .seconds(2))
    #expect(read.cacheCapacity == 9)
    #expect(read.virtualNodes == 6)
    #expect(read.redisBatchSize == 7)
  }

  @Test(arguments: [
    ("REDIS_NODES", "redis1:6379"), ("REDIS_DB", "x"), ("REDIS_TIMEOUT", "5s"), ("REDIS_TIMEOUT", "-1"),
    ("REDIS_TIMEOUT", "0"), ("REDIS_TIMEOUT", "1e9"), ("REDIS_RETRY_ATTEMPTS", "1.5"), ("VIRTUAL_NODES", "0"),
    ("CACHE_TTL_SECONDS", "nan"), ("CACHE_CAPACITY", ""), ("BATCH_INTERVAL_SECONDS", "."), ("BATCH_SIZE_LIMIT", "0"),
  ])
  func `are named with a value that is none`(_ name: String, _ text: String) {
    let environment = faults(environment: [name: text])
    #expect(environment.lines.count == 1 && environment.exitStatus == 78)
    #expect(environment.lines.allSatisfy { $0.hasPrefix("footfall: \(name)") && $0.contains("variable \(name)") })
    let file = faults(["--config", "f"], files: ["f": "\(name)=\"\(text)\"\n"])
    #expect(file.lines.count == 1 && file.exitStatus == 78)
    #expect(file.lines.allSatisfy { $0.hasPrefix("footfall: \(name)") && $0.contains("(f:1)") }, "\(file)")
  }

  @Test func `change nothing where they mean nothing here, and are remembered`() throws {
    let read = try configuration(environment: ["API_PREFIX": "/v2", "DEBUG": "app:*", "REDIS_PASSWORD": ""])
    var expected = Configuration()
    expected.unheeded = ["DEBUG", "API_PREFIX"]
    #expect(read == expected)
  }

  @Test func `stand in the text of help`() {
    let words = Set(Options.help.split { $0 == " " || $0 == "\n" }.map(String.init))
    for entry in Options.visitCounter { #expect(words.contains(entry.name)) }
  }
}
