import Platform

extension Scenario {
  /// The busiest series of a million, over HTTP.
  static let top = Scenario("top", "/stats with the top 10 of a million series") { run in
    let agent = try AgentProcess()
    try agent.fill(Traffic(.keyed, series: run.effort.large, .stream, lines: run.effort.large))
    for (name, path) in [("/stats", "/stats"), ("/stats/visit?top=100", "/stats/visit?top=100")] {
      var cpu: [Double] = []
      var wall: [Double] = []
      _ = try agent.http.get(path)
      for _ in 0..<run.effort.rounds {
        let before = agent.reading.cpu(ofThreads: "query")
        let begin = Clock.monotonic()
        _ = try agent.http.get(path)
        wall.append(Double(Clock.monotonic() - begin) / 1e6)
        cpu.append(Double(agent.reading.cpu(ofThreads: "query") - before) / 1e6)
      }
      run.report("\(name): CPU", "ms", cpu)
      run.report("\(name): time", "ms", wall)
    }
  }
}
