import Protocol

/// Series that were kept from before the start.
extension WorkerTable {
  /// The record of a series, made if there is none; of `__other__` where a limit keeps it out; nil if there is none for it.
  /// - Parameters:
  ///   - spelling: a normal one.
  ///   - tables: in all. Each lets as many series of a metric in as the limit says, and all of them come back into this one.
  mutating func restore(_ spelling: [UInt8], _ kind: SampleKind, tables: Int) -> Int? {
    normal = spelling
    let hash = hashOf(spelling, kind.rawValue)
    if let number = find(spelling, hash, kind.rawValue) { return number }
    // What a limit had kept out is not paid for now either.
    if takesOthers(spelling, kind) { return findOrMake(spelling, kind.rawValue) }
    let known = seriesOfMetric[metricHash(spelling, kind.rawValue), default: 0]
    if Int(known) / tables < budget.limitPerMetric && hasFreeRecord && budget.claimRestored(hash) {
      return makeSeries(hash, kind, known: known)
    }
    return overflowRecord(kind: kind, isKnown: known > 0)
  }

  /// Whether a series is one that takes what a limit keeps out.
  private mutating func takesOthers(_ spelling: [UInt8], _ kind: SampleKind) -> Bool {
    if spelling == Self.otherName { return true }
    var others: [UInt8] = []
    self.spelling.write(SeriesSpelling.normalName(of: spelling), key: Self.other, kind: kind, into: &others)
    return spelling == others
  }
}
