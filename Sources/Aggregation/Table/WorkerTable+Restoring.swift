import Protocol

/// Series that were kept from before the start.
extension WorkerTable {
  /// The record of a series, made if there is none; of `__other__` where a limit keeps it out; nil if there is none for it.
  /// - Parameter spelling: a normal one.
  mutating func restore(_ spelling: [UInt8], _ kind: SampleKind) -> Int? {
    normal = spelling
    let hash = hashOf(spelling, kind.rawValue)
    if let number = find(spelling, hash, kind.rawValue) { return number }
    // What a limit had kept out is not paid for now either.
    if takesOthers(spelling, kind) { return findOrMake(spelling, kind.rawValue) }
    let known = seriesOfMetric[metricHash(spelling, kind.rawValue), default: 0]
    if known < budget.limitPerMetric && hasFreeRecord && budget.claimRestored(hash) {
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
