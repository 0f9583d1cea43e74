/// The lines that a scenario sends: names of about 20 bytes, as web sites have them.
enum LineForm: String, CaseIterable {
  case counter, keyed, tagged, gauge, timer
  case labelledTimer = "labelled timer"
  case set
  /// 60 % counters, 20 % timers, 10 % gauges, 10 % sets.
  case mix

  /// Appends the line of series number `series`, without an LF.
  /// - Parameters:
  ///   - random: chooses values, and the kind of a line of the mix.
  ///   - width: digits of the number at least; a segmented send needs datagrams of one length.
  func write(series: Int, random: UInt64, width: Int = 1, to text: inout [UInt8]) {
    switch self {
    case .counter:
      Self.write("site.visits.page", series, width, to: &text)
      text += ":1|c".utf8
    case .keyed:
      Self.write("visit:page", series, width, to: &text)
      text += "|c".utf8
    case .tagged:
      Self.write("site.visits.page", series, width, to: &text)
      text += ":1|c|#env:prod,host:web1".utf8
    case .gauge:
      Self.write("site.queue.depth", series, width, to: &text)
      text.append(UInt8(ascii: ":"))
      Self.write("", Int(random % 100_000), 5, to: &text)
      text += "|g".utf8
    case .timer:
      Self.write("site.render.page", series, width, to: &text)
      Self.writeMilliseconds(random, to: &text)
    case .labelledTimer:
      text += "site.render".utf8
      Self.writeMilliseconds(random, to: &text)
      Self.write("|#page:page", series, width, to: &text)
    case .set:
      Self.write("site.users.page", series, width, to: &text)
      Self.write(":user", Int(random % 5_000), 4, to: &text)
      text += "|s".utf8
    case .mix:
      // The kind belongs to the series, so that each name has one type.
      let kind: LineForm =
        switch series % 10 {
        case 0..<6: .counter
        case 6..<8: .timer
        case 8: .gauge
        default: .set
        }
      kind.write(series: series, random: random, width: width, to: &text)
    }
  }

  private static func writeMilliseconds(_ random: UInt64, to text: inout [UInt8]) {
    write(":", Int(random % 1_000), 3, to: &text)
    write(".", Int(random >> 32 % 1_000), 3, to: &text)
    text += "|ms".utf8
  }

  private static func write(_ prefix: StaticString, _ number: Int, _ width: Int, to text: inout [UInt8]) {
    prefix.withUTF8Buffer { unsafe text.append(contentsOf: $0) }  // Safe: the literal lives for ever.
    var divisor = 1
    for _ in 1..<width { divisor *= 10 }
    while number / divisor >= 10 { divisor *= 10 }
    while divisor > 0 {
      text.append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: number / divisor % 10))
      divisor /= 10
    }
  }
}
