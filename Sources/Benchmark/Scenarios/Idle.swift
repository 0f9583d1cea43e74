import Platform

extension Scenario {
  /// What the product costs while nobody sends and nobody asks.
  static let idle = Scenario("idle", "nobody sends, nobody asks") { run in
    let agent = try AgentProcess(workers: ProcessFacts.processors)
    let seconds = run.effort.rounds > 1 ? 2 : 1
    var switches: [Double] = []
    var cpu: [Double] = []
    for _ in 0..<run.effort.rounds {
      let before = (switches: agent.reading.contextSwitches, cpu: agent.reading.cpu())
      for _ in 0..<seconds * 2 { Clock.sleep(nanoseconds: 500_000_000) }
      switches.append(Double(agent.reading.contextSwitches - before.switches) / Double(seconds))
      cpu.append(Double(agent.reading.cpu() - before.cpu) / 1e4 / Double(seconds))
    }
    run.report("resident", "MiB", [Double(agent.reading.residentBytes) / 1_048_576], .atMost(12))
    run.report("CPU", "us/s", cpu.map { $0 * 10 })
    run.report("context switches", "1/s", switches, .atMost(20))
    run.count("context switches a second, idle", Spread(switches).median)
  }
}
