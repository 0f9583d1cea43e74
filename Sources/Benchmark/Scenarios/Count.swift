extension Scenario {
  /// Reading and counting, from the bytes of a datagram to the record.
  static let count = Scenario("count", "reading and counting a line, in process") { run in
    for form in LineForm.allCases {
      for series in [run.effort.small, run.effort.middle, run.effort.large] {
        // Sets of a million series take a gigabyte and tell nothing that the middle does not.
        if form == .set && series == run.effort.large { continue }
        var table = try CountingTable()
        let traffic = Traffic(form, series: series, .packed, lines: max(1 << 18, series * 2))
        // Both halves have their blocks, and the index its size.
        for _ in 0..<2 {
          _ = table.count(traffic)
          _ = table.gather()
        }
        let values = run.rounds { () -> Double in
          let cpu = table.count(traffic)
          _ = table.gather()
          return Double(cpu) / Double(traffic.lineCount)
        }
        precondition(table.seriesCount == series)
        run.report("count, \(form.rawValue), \(series.short) series", "ns/line", values, bar(form, series, run.effort))
      }
    }
  }

  private static func bar(_ form: LineForm, _ series: Int, _ effort: Run.Effort) -> Row.Bar? {
    switch (form, series) {
    case (.counter, effort.small): .atMost(8)
    case (.counter, effort.middle): .atMost(16)
    case (.counter, effort.large): .atMost(32)
    case (.tagged, effort.small): .atMost(18)
    case (.keyed, effort.small): .atMost(10)
    case (.timer, effort.small): .atMost(20)
    case (.mix, effort.small): .atMost(16)
    default: nil
    }
  }
}
