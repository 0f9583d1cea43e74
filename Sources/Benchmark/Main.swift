import Aggregation
import Bytes
import Platform
import Protocol

/// What a line costs in process, parse to record, and what a series costs the reader: `swift run -c release Benchmark [form…]`.
///
/// Times are the best of several rounds on one thread; the machine's other load shows in them.
@main
struct Benchmark {
  private static let rounds = 7

  static func main() throws {
    let wanted = CommandLine.arguments.dropFirst()
    print("form", "series", "ns a line", "ns a new series", "ns a touched series", separator: "\t")
    for form in LineForm.allCases where wanted.isEmpty || wanted.contains(form.rawValue) {
      for seriesCount in [1_000, 100_000, 1_000_000] { try measure(form, seriesCount) }
    }
  }

  private static func measure(_ form: LineForm, _ seriesCount: Int) throws {
    let lineCount = max(1 << 17, seriesCount * 2)
    let memory = try TableMemory(capacity: 4_000_000)
    let budget = SeriesBudget(limit: 2_000_000, limitPerMetric: 2_000_000)
    let hasher = SpellingHash(seed: .random(in: .min ... .max))
    var table = try WorkerTable(
      memory: memory, hasher: hasher, reader: LineReader(), keyLabels: KeyLabels(), budget: budget)
    var view = try MergedView(
      tables: [memory], hasher: hasher, keyLabels: KeyLabels(), budget: budget,
      settings: .init(seriesTTL: nil, counterTTL: nil, quantileWindow: 60))

    var perLine = Int64.max
    var perNewSeries: Int64 = 0
    var perTouchedSeries = Int64.max
    PaddedText(form.lines(lineCount, over: seriesCount)).read { bytes in
      for round in 0..<rounds {
        table.beginBatch(monotonic: Clock.monotonic(), wall: 0)
        let counting = timed { table.count(bytes) }
        table.endBatch()
        let gathering = timed { _ = view.gather(second: Int64(round), wall: 1_700_000_000 + Int64(round)) }
        if round == 0 {
          perNewSeries = gathering
        } else {
          perLine = min(perLine, counting)
          perTouchedSeries = min(perTouchedSeries, gathering)
        }
      }
    }
    precondition(table.tally.accepted == table.tally.lines && view.seriesCount == seriesCount)
    print(
      form, seriesCount, tenths(perLine, lineCount), tenths(perNewSeries, seriesCount),
      tenths(perTouchedSeries, seriesCount), separator: "\t")
  }

  private static func timed(_ body: () -> Void) -> Int64 {
    let start = Clock.threadCPU()
    body()
    return Clock.threadCPU() - start
  }

  /// `nanoseconds / count` with one decimal.
  private static func tenths(_ nanoseconds: Int64, _ count: Int) -> String {
    let tenths = nanoseconds * 10 / Int64(count)
    return "\(tenths / 10).\(tenths % 10)"
  }
}
