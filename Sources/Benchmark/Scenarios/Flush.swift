import Platform

extension Scenario {
  /// What a flush costs the reader where there are a million series and few have changed.
  static let flush = Scenario("flush", "a flush of a million series, 10k of them changed, the product") { run in
    let agent = try AgentProcess(options: ["--flush-interval", "250ms"])
    let changed = run.effort.large / 100
    try agent.fill(Traffic(.keyed, series: run.effort.large, .stream, lines: run.effort.large))
    let crew = try Crew(Traffic(.keyed, series: changed, .stream, lines: changed), to: .tcp(port: agent.tcpPort))
    func cpuOfASecond() -> Double {
      let before = agent.reading.cpu(ofThreads: "query")
      for _ in 0..<2 { Clock.sleep(nanoseconds: 500_000_000) }
      return Double(agent.reading.cpu(ofThreads: "query") - before) / 1e6
    }
    var quiet: [Double] = []
    var busy: [Double] = []
    for _ in 0..<run.effort.rounds {
      quiet.append(cpuOfASecond() / 4)
      _ = try crew.send(seconds: 10, lines: changed)
      // Four flushes, and the changes are in one of them, or parted over two.
      busy.append(cpuOfASecond() - (quiet.last ?? 0) * 3)
    }
    run.report("flush, nothing changed: CPU", "ms", quiet)
    run.report("flush, \(changed.short) of \(run.effort.large.short) series changed: CPU", "ms", busy, .atMost(10))
  }
}
