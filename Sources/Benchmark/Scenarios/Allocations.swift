import AllocationCounter

extension Scenario {
  /// Memory asked of the allocator while lines of known series are counted.
  static let allocations = Scenario("allocations", "allocations a line, in process") { run in
    var worst = 0.0
    for form in LineForm.allCases {
      var table = try CountingTable()
      let traffic = Traffic(form, series: 100, .packed, lines: 10_000)
      // Each half has its blocks once both have been used, and a sketch its size once it has seen the values.
      for _ in 0..<4 {
        _ = table.count(traffic)
        _ = table.gather()
      }
      let before = footfall_test_allocations()
      _ = table.count(traffic)
      worst = max(worst, Double(footfall_test_allocations() - before) / Double(traffic.lineCount))
    }
    run.count("allocations a line", worst)
  }
}
