import Platform

extension Scenario {
  /// A page of all series, and what others feel of it.
  static let scrape = Scenario("scrape", "/metrics of a million series, with and without traffic") { run in
    let agent = try AgentProcess()
    try agent.fill(Traffic(.keyed, series: run.effort.large, .stream, lines: run.effort.large))
    // The first page may bring out what is kept.
    _ = try agent.http.get("/metrics", keeps: false)
    var cpu: [Double] = []
    var wall: [Double] = []
    var growth: [Double] = []
    var health: [Double] = []
    var bytes: [Double] = []
    for _ in 0..<run.effort.rounds {
      let before = (cpu: agent.reading.cpu(ofThreads: "query"), resident: agent.reading.residentBytes)
      let watch = try Watch(agent)
      let begin = Clock.monotonic()
      let answer = try agent.http.get("/metrics", keeps: false)
      wall.append(Double(Clock.monotonic() - begin) / 1e9)
      let seen = watch.end()
      cpu.append(Double(agent.reading.cpu(ofThreads: "query") - before.cpu) / 1e9)
      growth.append(Double(seen.greatestResident - before.resident) / 1_048_576)
      health.append(seen.percentile99 / 1e6)
      bytes.append(Double(answer.bodyBytes) / 1e6)
    }
    run.report("scrape: CPU", "s", cpu, .atMost(0.5))
    run.report("scrape: time", "s", wall)
    run.report("scrape: page", "MB", bytes)
    run.report("scrape: resident growth at most", "MiB", growth, .atMost(8))
    run.report("scrape: p99 of /health meanwhile", "ms", health, .atMost(20))
    try measureTraffic(&run, agent)
  }

  /// Packed lines at a quarter of what one worker takes, with scrapes back to back and without.
  private static func measureTraffic(_ run: inout Run, _ agent: AgentProcess) throws {
    let traffic = Traffic(.keyed, series: run.effort.small, .packedTrain, lines: 200_000)
    let crew = try Crew(traffic, to: .udp(port: agent.udpPort))
    var ratios: [Double] = []
    var lost: [Double] = []
    let seconds = run.effort.trialSeconds * 2
    for _ in 0..<run.effort.rounds {
      let without = try Trial(agent, crew, seconds: seconds, pace: 20e6)
      let stop = Flag()
      let http = agent.http
      let thread = try Thread("scraper") {
        while !stop.isSet { _ = try? http.get("/metrics", keeps: false) }
      }
      let with = try Trial(agent, crew, seconds: seconds, pace: 20e6)
      stop.set()
      thread.join()
      ratios.append(with.linesPerSecond / without.linesPerSecond)
      lost.append(with.percentLost)
    }
    run.report("scrapes back to back: lines received of 20 M/s, over without", "ratio", ratios, .atLeast(0.9))
    run.report("scrapes back to back: lost", "%", lost)
  }
}
