import Platform

extension Scenario {
  /// What a receiving thread asks of the kernel for datagrams that wait.
  static let systemCalls = Scenario("calls", "system calls a datagram of a receiving thread that finds 512 waiting") {
    run in
    let agent = try AgentProcess()
    let traffic = Traffic(.keyed, series: 64, .single)
    let crew = try Crew(traffic, to: .udp(port: agent.udpPort))
    // So many fit into a receive buffer of the default size too.
    let waiting = 512
    _ = try crew.send(seconds: 10, lines: waiting)
    try agent.waitForLines(waiting)
    guard let worker = agent.reading.tasks.first(where: { $0.name.hasPrefix("worker") }) else {
      throw SystemError("find", "the receiving thread", number: 3)  // ESRCH
    }
    let counter = try SystemCallCounter(task: worker.id)
    let sent = try crew.send(seconds: 10, lines: waiting)
    counter.release()
    try agent.waitForLines(waiting + sent.lines)
    run.count("system calls a datagram", Double(counter.end()) / Double(sent.datagrams))
  }
}
