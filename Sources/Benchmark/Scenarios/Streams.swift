extension Scenario {
  /// One connection, one worker.
  static let streams = Scenario("streams", "one connection, one worker, 1k series") { run in
    let series = run.effort.small
    let agent = try AgentProcess(processor: Pinning.measured)
    let stream = Traffic(.counter, series: series, .stream, lines: max(200_000, series))
    let packed = Traffic(.counter, series: series, .packed, lines: max(200_000, series))
    let single = Traffic(.counter, series: series, .single)
    let cases: [(String, Traffic, Target, Double?)] = [
      ("TCP", stream, .tcp(port: agent.tcpPort), 60), ("unix stream", stream, agent.unixStream, nil),
      ("unix datagrams of 1432 bytes", packed, agent.unixDatagram, nil),
      ("unix datagrams of one line", single, agent.unixDatagram, nil),
    ]
    for (name, traffic, target, bar) in cases {
      let crew = try Crew(traffic, to: target)
      _ = try Trial(agent, crew, seconds: run.effort.trialSeconds / 5)
      var trials: [Trial] = []
      for _ in 0..<run.effort.rounds { trials.append(try Trial(agent, crew, seconds: run.effort.trialSeconds)) }
      run.report("\(name): lines/s", "M/s", trials.map { $0.linesPerSecond / 1e6 }, bar.map { .atLeast($0) })
      run.report("\(name): CPU", "ns/line", trials.map(\.cpuALine))
      run.report("\(name): waited for a processor", "%", trials.map(\.percentWaiting))
    }
  }
}
