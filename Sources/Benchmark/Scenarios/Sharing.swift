import Platform

extension Scenario {
  /// What sharing counts costs those who send, and what goes to Redis.
  static let sharing = Scenario("sharing", "packed datagrams with Redis and without, in turns; what a flush writes") {
    run in
    let redis = try RedisProcess()
    let agents = [
      (
        "with Redis",
        try AgentProcess(
          processor: Pinning.measured, keepsCounts: true,
          options: ["--redis", redis.url, "--redis-flush-interval", "1s"])
      ),
      ("without", try AgentProcess(processor: Pinning.measured, keepsCounts: true)),
    ]
    // Flat out, so that nothing that Redis takes of the receiver's own processor is made up for, and for some flushes each. Series of
    // one metric, and a metric each, which is four commands a flush instead of one.
    let seconds = run.effort.trialSeconds * 6
    for form in [LineForm.keyed, .counter] {
      try compare(&run, agents, form, series: run.effort.small, atLeast: 0.97) {
        try Trial($0, $1, seconds: seconds)
      }
    }
    try writing(&run, to: redis)
  }

  /// What goes over the wire where there are many series and a hundredth of them have changed.
  private static func writing(_ run: inout Run, to redis: RedisProcess) throws {
    let series = run.effort.large
    let changed = series / 100
    let agent = try AgentProcess(
      options: ["--redis", redis.url, "--redis-prefix", "writing:", "--redis-flush-interval", "1s"])
    func waitUntilWritten() throws {
      // What was counted last is marked within a flush.
      Clock.sleep(nanoseconds: 1_100_000_000)
      while try redisMetric(agent, "pending_series") > 0 { Clock.sleep(nanoseconds: 20_000_000) }
    }
    let began = Clock.monotonic()
    try agent.fill(Traffic(.keyed, series: series, .stream, lines: series))
    try waitUntilWritten()
    run.report("\(series.short) new series in Redis after", "s", [Double(Clock.monotonic() - began) / 1e9])
    let crew = try Crew(Traffic(.keyed, series: changed, .stream, lines: changed), to: .tcp(port: agent.tcpPort))
    var commands: [Double] = []
    var bytes: [Double] = []
    var cpu: [[Double]] = [[], []]
    for _ in 0..<run.effort.rounds {
      let before = (try redisMetric(agent, "commands_total"), try redisMetric(agent, "sent_bytes_total"))
      let used = ["redis", "query"].map { agent.reading.cpu(ofThreads: $0) }
      _ = try crew.send(seconds: 10, lines: changed)
      try waitUntilWritten()
      for (place, thread) in ["redis", "query"].enumerated() {
        cpu[place].append(Double(agent.reading.cpu(ofThreads: thread) - used[place]) / 1e6)
      }
      commands.append(try redisMetric(agent, "commands_total") - before.0)
      bytes.append(try redisMetric(agent, "sent_bytes_total") - before.1)
    }
    let name = "\(changed.short) of \(series.short) series changed"
    run.report("\(name): commands", "", commands)
    run.report("\(name): bytes sent", "B", bytes)
    run.report("\(name): CPU of the Redis thread", "ms", cpu[0])
    run.report("\(name): CPU of the query thread, flushes and questions included", "ms", cpu[1])
  }

  private static func redisMetric(_ agent: AgentProcess, _ name: String) throws(SystemError) -> Double {
    try agent.metrics("footfall_redis_\(name)").first?.value ?? 0
  }
}
