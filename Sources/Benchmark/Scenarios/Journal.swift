import Aggregation

extension Scenario {
  /// What the journal costs the reader: telling what has changed, telling everything, and taking it back.
  static let journal = Scenario("journal", "what is kept of a million series, in process") { run in
    let series = run.effort.large
    let changed = series / 100
    let all = Traffic(.keyed, series: series, .packed, lines: series)
    let some = Traffic(.keyed, series: changed, .packed, lines: changed)
    var bytes: [Double] = []
    var cpu: [Double] = []
    var snapshotBytes: [Double] = []
    var snapshotCPU: [Double] = []
    var slice: [Double] = []
    var restoring: [Double] = []
    for _ in 0..<run.effort.rounds {
      var table = try CountingTable()
      table.keepChanges()
      _ = table.count(all)
      _ = table.gather()
      _ = table.encodeChanges()
      _ = table.count(some)
      _ = table.gather()
      let batch = table.encodeChanges()
      bytes.append(Double(batch.bytes))
      cpu.append(Double(batch.cpu) / 1e6)
      let snapshot = table.encodeSnapshot()
      snapshotBytes.append(Double(snapshot.payloads.reduce(0) { $0 + $1.count }) / Double(series))
      snapshotCPU.append(Double(snapshot.cpu) / 1e6)
      slice.append(Double(snapshot.longest) / 1e6)
      var fresh = try CountingTable()
      restoring.append(Double(fresh.restore(snapshot.payloads)) / Double(series))
      precondition(fresh.seriesCount == table.seriesCount, "a series did not come back")
    }
    run.report("journal, \(changed.short) of \(series.short) counters changed: bytes", "B", bytes)
    run.report("journal, \(changed.short) of \(series.short) counters changed: CPU", "ms", cpu, .atMost(10))
    run.report("journal, snapshot of \(series.short) counters: bytes", "B/series", snapshotBytes)
    run.report("journal, snapshot of \(series.short) counters: CPU", "ms", snapshotCPU)
    run.report("journal, its longest slice: CPU", "ms", slice)
    run.report("journal, \(series.short) counters taken back: CPU", "ns/series", restoring)
  }
}
