extension Scenario {
  /// The paces without loss of two agents, packed datagrams, searched for in turns; and the first's by the second's.
  /// - Parameters:
  ///   - agents: with what tells them apart.
  ///   - bar: for the ratio.
  static func compare(
    _ run: inout Run, _ agents: [(word: String, agent: AgentProcess)], _ form: LineForm = .counter, series: Int,
    atLeast bar: Double
  ) throws {
    let effort = run.effort
    let traffic = Traffic(form, series: series, .packedTrain, lines: max(200_000, series * 2))
    let crews = try agents.map { try Crew(traffic, to: .udp(port: $0.agent.udpPort)) }
    for (one, crew) in zip(agents, crews) { _ = try Trial(one.agent, crew, seconds: effort.trialSeconds, pace: 5e6) }
    var best: [[Trial]] = [[], []]
    for _ in 0..<effort.rounds {
      for (place, one) in agents.enumerated() {
        best[place].append(
          try Trial.bestLossFree(one.agent, crews[place], seconds: effort.trialSeconds, steps: effort.searchSteps))
      }
    }
    let name = "\(form.rawValue), \(series.short) series"
    for (one, best) in zip(agents, best) {
      run.report("\(name), \(one.word): lines/s", "M/s", best.map { $0.linesPerSecond / 1e6 })
    }
    let ratios = zip(best[0], best[1]).map { $0.linesPerSecond / $1.linesPerSecond }
    run.report("\(name): lines/s with / without", "", ratios, .atLeast(bar))
  }
}
