import Platform

extension AgentProcess {
  /// Sends each line of `traffic` once over a TCP connection of its own and waits until all are read and in the merged view.
  func fill(_ traffic: Traffic) throws(SystemError) {
    let lines = try books().lines
    let crew = try Crew(traffic, to: .tcp(port: tcpPort), processor: nil)
    let sent = try crew.send(seconds: 60, lines: traffic.lineCount)
    try waitForLines(lines + sent.lines)
    // An answer from the view waits for a gather that began after it was asked for.
    _ = try seriesCount()
  }
}
