import Bytes
import Platform
import Protocol

extension Scenario {
  /// Reading lines without counting them.
  static let parse = Scenario("parse", "reading a line, in process") { run in
    for form in LineForm.allCases {
      let traffic = Traffic(form, series: run.effort.small, .packed)
      let values = run.rounds { () -> Double in
        let begin = Clock.threadCPU()
        let samples = read(traffic)
        precondition(samples == traffic.lineCount)
        return Double(Clock.threadCPU() - begin) / Double(traffic.lineCount)
      }
      run.report("parse, \(form.rawValue)", "ns/line", values)
    }
  }

  private static func read(_ traffic: Traffic) -> Int {
    let reader = LineReader()
    var sample = Sample()
    var samples = 0
    unsafe traffic.text.withUnsafeBytes { text in
      for message in traffic.messages {
        // Safe: an LF stands behind each message, and the slack behind the last one.
        let bytes = unsafe PaddedBytes(unsafeBase: text.baseAddress! + message.start, count: message.length)
        var at = 0
        while at < bytes.count {
          at = reader.read(bytes, at: at, into: &sample)
          if sample.form != .refused { samples += 1 }
        }
      }
    }
    return samples
  }
}
