extension Scenario {
  /// What a series costs the reader when it is new, and when it was touched.
  static let merge = Scenario("merge", "taking over what a worker gathered, in process") { run in
    for form in [LineForm.counter, .tagged, .gauge, .timer] {
      let series = form == .timer ? run.effort.middle : run.effort.large
      let traffic = Traffic(form, series: series, .packed, lines: series)
      var fresh: [Double] = []
      var known: [Double] = []
      for _ in 0..<run.effort.rounds {
        var table = try CountingTable()
        _ = table.count(traffic)
        fresh.append(Double(table.gather()) / Double(series))
        _ = table.count(traffic)
        known.append(Double(table.gather()) / Double(series))
      }
      run.report("merge, new \(form.rawValue), \(series.short) series", "ns/series", fresh)
      run.report("merge, known \(form.rawValue), \(series.short) series", "ns/series", known)
    }
  }
}
