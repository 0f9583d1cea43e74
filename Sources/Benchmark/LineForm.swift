/// The lines that a scenario sends, names of about 20 bytes.
enum LineForm: String, CaseIterable {
  case plain, keyed, tagged, timer, gauge, set

  /// `count` lines over `seriesCount` series, each at least once, from a fixed seed.
  func lines(_ count: Int, over seriesCount: Int) -> [UInt8] {
    var text: [UInt8] = []
    text.reserveCapacity(count * 40)
    var random: UInt64 = 88_172_645_463_325_252  // xorshift64 (Marsaglia 2003)
    for line in 0..<count {
      random ^= random << 13
      random ^= random >> 7
      random ^= random << 17
      let series = line < seriesCount ? UInt64(line) : random % UInt64(seriesCount)
      let value = random >> 32
      switch self {
      case .plain: text += "visit.page\(series):1|c\n".utf8
      case .keyed: text += "visit:page\(series)|c\n".utf8
      case .tagged: text += "visit.page\(series):1|c|@0.5|#env:prod,host:web1\n".utf8
      case .timer: text += "visit.page\(series):\(value % 1_000).\(value % 10)|ms\n".utf8
      case .gauge: text += "visit.page\(series):\(value % 100_000)|g\n".utf8
      case .set: text += "visit.page\(series):user\(value % 5_000)|s\n".utf8
      }
    }
    return text
  }
}
