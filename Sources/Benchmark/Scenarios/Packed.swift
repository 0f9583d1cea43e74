extension Scenario {
  /// Lines a second without loss, many in a datagram, one worker on one core.
  static let packed = Scenario("packed", "datagrams of 1432 bytes, one worker on one core, without loss") { run in
    let effort = run.effort
    let cases: [(LineForm, Int, Traffic.Packing, Double?)] = [
      (.counter, effort.small, .packedTrain, 90), (.counter, effort.middle, .packedTrain, 40),
      (.mix, effort.small * 10, .packedTrain, 30), (.counter, effort.small, .packed, nil),
      (.tagged, effort.small, .packedTrain, nil),
    ]
    for (form, series, packing, bar) in cases {
      let agent = try AgentProcess(processor: Pinning.measured)
      let traffic = Traffic(form, series: series, packing, lines: max(200_000, series * 2))
      let crew = try Crew(traffic, to: .udp(port: agent.udpPort))
      // Series are made and grow before the clock starts.
      _ = try Trial(agent, crew, seconds: effort.trialSeconds, pace: 5e6)
      var best: [Trial] = []
      for _ in 0..<effort.rounds {
        best.append(
          try Trial.bestLossFree(agent, crew, seconds: effort.trialSeconds, steps: effort.searchSteps))
      }
      let sender = packing.segments > 1 ? "segmented" : "ordinary"
      let name = "\(form.rawValue), \(series.short) series, \(sender)"
      run.report("\(name): lines/s", "M/s", best.map { $0.linesPerSecond / 1e6 }, bar.map { .atLeast($0) })
      run.report("\(name): CPU", "ns/line", best.map(\.cpuALine))
      run.report("\(name): waited for a processor", "%", best.map(\.percentWaiting))
    }
  }
}
