extension Scenario {
  /// The tables' own books, which are exact.
  static let bytesASeries = Scenario("bytes", "bytes a series by the program's own books, in process") { run in
    // Just below the size at which the indexes double, and just above it.
    for series in [60_000, 70_000] {
      var table = try CountingTable()
      _ = table.count(Traffic(.keyed, series: series, .packed, lines: series))
      _ = table.gather()
      // History has a budget of its own.
      let bytes = table.memoryParts.filter { "\($0.part)" != "history" }.reduce(0) { $0 + $1.bytes }
      run.count("bytes a counter, \(series.short) series", Double(bytes) / Double(series))
    }
  }
}
