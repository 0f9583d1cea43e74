import Protocol

/// What a new series is likely to take in all, until the books know better at the next flush: rather too much than too little.
///
///     record 64, reader's part of it 16, its log 8, index 16 to 32 · series 48, index 16 to 32, text · history's entry 64 and link 4
enum SeriesCost {
  private static let base = 288
  /// Both halves of a timer with some samples, and its state in the view.
  private static let timer = 1_280
  private static let set = 512
  /// A family 64, its index, its entry in history, the tables' count of its series, and the names that the pages claim for it.
  private static let metric = 416

  /// - Parameters:
  ///   - spelling: bytes of the normal spelling.
  ///   - newMetric: bytes of the metric's name, if this is its first series.
  static func bytes(kind: SampleKind, spelling: Int, newMetric: Int?) -> Int {
    var bytes = base + spelling + 8 + SeriesRecord.bytesElsewhere(spelling: spelling)
    switch kind {
    case .timer, .histogram, .distribution: bytes += timer
    case .set: bytes += set
    default: break
    }
    if let newMetric { bytes += metric + newMetric }
    return bytes
  }

  /// Another spelling of a series: a record, and its places in the index and in the reader's columns.
  static func alias(spelling: Int) -> Int { 128 + SeriesRecord.bytesElsewhere(spelling: spelling) }
}
