extension Scenario {
  /// What two agents receive a second of packed datagrams, in turns; and the first's by the second's.
  /// - Parameters:
  ///   - agents: with what tells them apart.
  ///   - bar: for the ratio.
  ///   - trial: what is done to each in a turn; if it is not given, the highest pace without loss is searched for.
  static func compare(
    _ run: inout Run, _ agents: [(word: String, agent: AgentProcess)], _ form: LineForm = .counter, series: Int,
    atLeast bar: Double, _ trial: ((AgentProcess, Crew) throws -> Trial)? = nil
  ) throws {
    let effort = run.effort
    let traffic = Traffic(form, series: series, .packedTrain, lines: max(200_000, series * 2))
    let crews = try agents.map { try Crew(traffic, to: .udp(port: $0.agent.udpPort)) }
    for (one, crew) in zip(agents, crews) { _ = try Trial(one.agent, crew, seconds: effort.trialSeconds, pace: 5e6) }
    var trials: [[Trial]] = [[], []]
    for _ in 0..<effort.rounds {
      for (place, one) in agents.enumerated() {
        trials[place].append(
          try trial?(one.agent, crews[place])
            ?? Trial.bestLossFree(one.agent, crews[place], seconds: effort.trialSeconds, steps: effort.searchSteps))
      }
    }
    let name = "\(form.rawValue), \(series.short) series"
    for (one, trials) in zip(agents, trials) {
      run.report("\(name), \(one.word): lines/s", "M/s", trials.map { $0.linesPerSecond / 1e6 })
    }
    let ratios = zip(trials[0], trials[1]).map { $0.linesPerSecond / $1.linesPerSecond }
    run.report("\(name): lines/s with / without", "", ratios, .atLeast(bar))
  }
}
