extension Scenario {
  /// What keeping counts costs those who send: packed datagrams with a journal and without, in turns.
  static let keeping = Scenario("keeping", "packed datagrams of 1432 bytes with a journal and without, in turns") {
    run in
    for series in [run.effort.small, run.effort.middle] {
      let agents = [
        ("with a journal", try AgentProcess(processor: Pinning.measured, keepsCounts: true)),
        ("without", try AgentProcess(processor: Pinning.measured)),
      ]
      try compare(&run, agents, series: series, atLeast: 0.9)
    }
  }
}
