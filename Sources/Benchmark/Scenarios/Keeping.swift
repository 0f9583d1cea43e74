extension Scenario {
  /// What keeping counts costs those who send: packed datagrams with a journal and without, in turns.
  static let keeping = Scenario("keeping", "packed datagrams of 1432 bytes with a journal and without, in turns") {
    run in
    let effort = run.effort
    for series in [effort.small, effort.middle] {
      let agents = [
        try AgentProcess(processor: Pinning.measured, keepsCounts: true),
        try AgentProcess(processor: Pinning.measured),
      ]
      let traffic = Traffic(.counter, series: series, .packedTrain, lines: max(200_000, series * 2))
      let crews = try agents.map { try Crew(traffic, to: .udp(port: $0.udpPort)) }
      for (agent, crew) in zip(agents, crews) { _ = try Trial(agent, crew, seconds: effort.trialSeconds, pace: 5e6) }
      var best: [[Trial]] = [[], []]
      for _ in 0..<effort.rounds {
        for (place, agent) in agents.enumerated() {
          best[place].append(
            try Trial.bestLossFree(agent, crews[place], seconds: effort.trialSeconds, steps: effort.searchSteps))
        }
      }
      let name = "counter, \(series.short) series"
      for (place, word) in ["with a journal", "without"].enumerated() {
        run.report("\(name), \(word): lines/s", "M/s", best[place].map { $0.linesPerSecond / 1e6 })
      }
      let ratios = zip(best[0], best[1]).map { $0.linesPerSecond / $1.linesPerSecond }
      run.report("\(name): lines/s with / without", "", ratios, .atLeast(0.9))
    }
  }
}
