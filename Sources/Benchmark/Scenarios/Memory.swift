import Platform

extension Scenario {
  /// Resident memory a series by kind, and what a second worker that sees the same series adds.
  static let memory = Scenario("memory", "resident bytes a series, the product; history apart") { run in
    try measureCounters(&run)
    let cases: [(String, LineForm, Int, Double?)] = [
      ("counter with two tags, a metric each", .tagged, 1, nil), ("gauge, a metric each", .gauge, 1, nil),
      ("timer of 1 sample, a metric each", .timer, 1, nil),
      ("timer of 100 samples, a metric each", .timer, 100, 1_024),
      ("timer of 100 samples, series of one metric", .labelledTimer, 100, 1_024),
      ("set of 1 member, a metric each", .set, 1, nil),
      ("set of 100 members, a metric each", .set, 100, nil),
    ]
    for (name, form, samples, bar) in cases {
      let series = run.effort.middle
      let agent = try AgentProcess()
      let empty = try agent.bytesWithoutHistory()
      try agent.fill(Traffic(form, series: series, .stream, lines: series * samples))
      _ = try agent.http.get("/metrics", keeps: false)
      run.report(
        "\(name), \(series.short) series", "B/series", [(try agent.bytesWithoutHistory() - empty) / Double(series)],
        bar.map { .atMost($0) })
    }
  }

  private static func measureCounters(_ run: inout Run) throws {
    let series = run.effort.large
    let traffic = Traffic(.keyed, series: series, .stream, lines: series)
    var first: [Double] = []
    var further: [Double] = []
    var parts: [(part: String, bytes: Double)] = []
    for _ in 0..<run.effort.rounds {
      let agent = try AgentProcess(workers: 2)
      let empty = try agent.bytesWithoutHistory()
      try agent.fill(traffic)
      // Whoever reads brings out what is kept of a page.
      _ = try agent.http.get("/metrics", keeps: false)
      let one = try agent.bytesWithoutHistory()
      parts = try agent.memoryParts()
      let records = try agent.recordBytes()
      // A connection's worker is the kernel's choice: tried until the other one has got it too.
      for _ in 0..<40 where try agent.recordBytes() < records * 3 / 2 { try agent.fill(traffic) }
      first.append((one - empty) / Double(series))
      further.append((try agent.bytesWithoutHistory() - one) / Double(series))
    }
    run.report("counter, \(series.short) series, all in", "B/series", first, .atMost(200))
    run.report("counter, each further worker", "B/series", further, .atMost(100))
    for (part, bytes) in parts {
      run.report("counter, by the program's own books: \(part)", "B/series", [bytes / Double(series)])
    }
  }
}

extension AgentProcess {
  fileprivate func bytesWithoutHistory() throws(SystemError) -> Double {
    let history = try memoryParts().first { $0.part == "history" }?.bytes ?? 0
    return Double(reading.residentBytes) - history
  }

  fileprivate func recordBytes() throws(SystemError) -> Double {
    try memoryParts().first { $0.part == "records" }?.bytes ?? 0
  }
}
