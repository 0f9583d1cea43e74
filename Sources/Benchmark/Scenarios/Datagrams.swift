import Platform

extension Scenario {
  /// The product against a program that only receives: one line a datagram.
  static let datagrams = Scenario("datagrams", "one line a datagram, against a bare receiver, interleaved") { run in
    for (name, packing) in [("ordinary", Traffic.Packing.single), ("segmented", .singleTrain)] {
      let traffic = Traffic(.keyed, series: run.effort.small, packing)
      let bare = try BareReceiverProcess(naps: true, processor: Pinning.measured)
      let sleepless = try BareReceiverProcess(naps: false, processor: Pinning.measured)
      let agent = try AgentProcess(processor: Pinning.measured)
      let toBare = try Crew(traffic, to: .udp(port: bare.udpPort))
      let toSleepless = try Crew(traffic, to: .udp(port: sleepless.udpPort))
      let toAgent = try Crew(traffic, to: .udp(port: agent.udpPort))
      var trials: [(bare: Trial, sleepless: Trial, agent: Trial)] = []
      let seconds = run.effort.trialSeconds
      _ = try Trial(agent, toAgent, seconds: seconds / 5)
      for _ in 0..<run.effort.rounds {
        trials.append(
          (
            try Trial(bare, toBare, seconds: seconds), try Trial(sleepless, toSleepless, seconds: seconds),
            try Trial(agent, toAgent, seconds: seconds)
          ))
      }
      run.report("\(name), bare receiver that naps: CPU", "ns/datagram", trials.map(\.bare.cpuADatagram))
      run.report("\(name), agent: CPU", "ns/datagram", trials.map(\.agent.cpuADatagram))
      let more = trials.map { $0.agent.cpuADatagram - $0.bare.cpuADatagram }
      let allowed = max(20, 0.15 * Spread(trials.map(\.bare.cpuADatagram)).median)
      run.report("\(name), agent: CPU above the bare receiver's", "ns/datagram", more, .atMost(allowed))
      run.report(
        "\(name), agent: CPU over the bare receiver's", "ratio",
        trials.map { $0.agent.cpuADatagram / $0.bare.cpuADatagram })
      run.report(
        "\(name), receiver without a nap: received", "M/s", trials.map { $0.sleepless.datagramsPerSecond / 1e6 })
      run.report("\(name), bare receiver that naps: received", "M/s", trials.map { $0.bare.datagramsPerSecond / 1e6 })
      run.report("\(name), agent: received", "M/s", trials.map { $0.agent.datagramsPerSecond / 1e6 })
      run.report("\(name), agent: waited for a processor", "%", trials.map(\.agent.percentWaiting))
      run.report("\(name), agent: lost", "%", trials.map(\.agent.percentLost), .atMost(0))
      run.report(
        "\(name), agent: received over one without a nap", "ratio",
        trials.map { $0.agent.datagramsPerSecond / $0.sleepless.datagramsPerSecond },
        packing.segments == 1 ? .atLeast(1.9) : nil)
    }
  }
}
