import Aggregation
import Bytes
import Platform
import Protocol

/// In-process figures of the way of a datagram: `swift run -c release Benchmark`.
@main
struct Benchmark {
  static func main() throws {
    print("kind        series   ns/line (best of 7)")
    for kind in (CommandLine.arguments.count > 1 ? [CommandLine.arguments[1]] : ["plain", "keyed", "tagged", "timer", "gauge", "set"]) {
      for names in (CommandLine.arguments.count > 2 ? [Int(CommandLine.arguments[2])!] : [1_000, 100_000, 1_000_000]) { try run(kind, names) }
    }
  }

  private static func run(_ kind: String, _ names: Int) throws {
    let lines = max(1 << 17, names * 2)
    var random: UInt64 = 88_172_645_463_325_252
    func next() -> UInt64 {
      random ^= random << 13
      random ^= random >> 7
      random ^= random << 17
      return random
    }
    var text: [UInt8] = []
    for line in 0..<lines {
      let id = line < names ? line : Int(next() % UInt64(names))
      switch kind {
      case "plain": text += "visit.page\(id):1|c\n".utf8
      case "keyed": text += "visit:page\(id)|c\n".utf8
      case "tagged": text += "visit.page\(id):1|c|@0.5|#env:prod,host:web1\n".utf8
      case "timer": text += "visit.page\(id):\(next() % 1_000).\(next() % 10)|ms\n".utf8
      case "gauge": text += "visit.page\(id):\(next() % 100_000)|g\n".utf8
      default: text += "visit.page\(id):user\(next() % 5_000)|s\n".utf8
      }
    }
    let memory = try TableMemory(capacity: 4_000_000)
    let budget = SeriesBudget(limit: 2_000_000, limitPerMetric: 2_000_000)
    let hasher = SpellingHash(seed: 0x1234_5678_9ABC_DEF1)
    var table = try WorkerTable(
      memory: memory, hasher: hasher, reader: LineReader(), keyLabels: KeyLabels(), budget: budget)
    var view = try MergedView(
      tables: [memory], hasher: hasher, keyLabels: KeyLabels(), budget: budget,
      settings: .init(seriesTTL: nil, counterTTL: nil, quantileWindow: 60))
    var best = Int64.max
    var gatherBest = Int64.max
    var first = Int64(0)
    PaddedText(text).read { bytes in
      for round in 0..<7 {
        table.beginBatch(monotonic: Clock.monotonic(), wall: 0)
        let from = Clock.threadCPU()
        table.count(bytes)
        let took = Clock.threadCPU() - from
        table.endBatch()
        if round > 0 { best = min(best, took) }
        let gatherFrom = Clock.threadCPU()
        _ = view.gather(second: Int64(round))
        let gatherTook = Clock.threadCPU() - gatherFrom
        if round == 0 { first = gatherTook } else { gatherBest = min(gatherBest, gatherTook) }
      }
    }
    func per(_ nanoseconds: Int64, _ count: Int) -> String { "\(nanoseconds * 10 / Int64(count))".dropLast() + "." + "\(nanoseconds * 10 / Int64(count))".suffix(1) }
    print(kind, names, "line", per(best, lines), "gather first", per(first, names), "again", per(gatherBest, names), "series", view.seriesCount, "accepted", table.tally.accepted, "of", table.tally.lines)
  }
}
