extension Scenario {
  /// What a second worker costs, where all threads share all cores.
  static let workers = Scenario("workers", "two workers against one, 16 sending sockets, all cores shared") { run in
    let traffic = Traffic(.counter, series: run.effort.small, .packed, lines: max(200_000, run.effort.small))
    let one = try AgentProcess(workers: 1)
    let two = try AgentProcess(workers: 2)
    let toOne = try Crew(traffic, to: .udp(port: one.udpPort), threads: 2, sockets: 8, processor: nil)
    let toTwo = try Crew(traffic, to: .udp(port: two.udpPort), threads: 2, sockets: 8, processor: nil)
    var ratios: [Double] = []
    var shares: [Double] = []
    var ones: [Trial] = []
    var twos: [Trial] = []
    for _ in 0..<run.effort.rounds {
      let single = try Trial(one, toOne, seconds: run.effort.trialSeconds)
      let before = [0, 1].map { two.reading.cpu(ofThreads: "worker-\($0)") }
      let double = try Trial(two, toTwo, seconds: run.effort.trialSeconds)
      let used = [0, 1].map { Double(two.reading.cpu(ofThreads: "worker-\($0)") - before[$0]) }
      shares.append(100 * (used.min() ?? 0) / max(1, used[0] + used[1]))
      ratios.append(double.cpuALine / single.cpuALine)
      ones.append(single)
      twos.append(double)
    }
    run.report("one worker: lines/s", "M/s", ones.map { $0.linesPerSecond / 1e6 })
    run.report("two workers: lines/s", "M/s", twos.map { $0.linesPerSecond / 1e6 })
    run.report("one worker: CPU", "ns/line", ones.map(\.cpuALine))
    run.report("two workers: CPU", "ns/line", twos.map(\.cpuALine))
    run.report("two workers over one: CPU a line", "ratio", ratios, .atMost(1.15))
    run.report("two workers: work of the one that has less", "%", shares, .atLeast(10))
    run.report("two workers: waited for a processor", "%", twos.map(\.percentWaiting))
    run.report("one worker: lost", "%", ones.map(\.percentLost))
    run.report("two workers: lost", "%", twos.map(\.percentLost))
  }
}
