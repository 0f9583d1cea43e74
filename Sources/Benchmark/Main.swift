import Platform

/// What Footfall costs: `swift build -c release && swift run -c release Benchmark [scenario…] [--smoke] [--check FILE]`.
///
/// README.md in this folder says what each row means.
@main
struct Benchmark {
  private static let scenarios: [Scenario] = [
    .parse, .count, .merge, .allocations, .datagrams, .packed, .keeping, .sharing, .streams, .workers, .memory, .start,
    .idle,
    .scrape, .flush, .journal, .top,
    .bytesASeries, .systemCalls,
  ]

  private static let usage = """
    Benchmark [scenario…] [options]: what Footfall costs, in process and as the built product

      --smoke        all of it in seconds: its times say nothing, its counts hold
      --check FILE   exit with 1 if an exact count passes its threshold in FILE
      --help

    """

  static func main() {
    do { try run(Array(CommandLine.arguments.dropFirst())) } catch {
      StandardError.write(Array("Benchmark: \(error)\n".utf8))
      Program.exit(status: 70)  // EX_SOFTWARE of sysexits(3)
    }
  }

  private static func run(_ words: [String]) throws {
    if words.first == BareReceiver.command { return try BareReceiver.run(naps: words.last == "naps") }
    var effort = Run.Effort.full
    var thresholds: Thresholds?
    var wanted: [String] = []
    var rest = words[...]
    while let word = rest.popFirst() {
      switch word {
      case "--smoke": effort = .smoke
      case "--check":
        guard let path = rest.popFirst() else { return refuse("--check needs a file") }
        thresholds = try Thresholds(path: path)
      case "--help":
        StandardOutput.write(Array((usage + scenarios.map { "  \($0.name)  \($0.purpose)\n" }.joined()).utf8))
        return
      default:
        guard scenarios.contains(where: { $0.name == word }) else { return refuse("unknown scenario \(word)") }
        wanted.append(word)
      }
    }
    try measure(effort, scenarios.filter { wanted.isEmpty || wanted.contains($0.name) }, thresholds)
  }

  private static func measure(_ effort: Run.Effort, _ scenarios: [Scenario], _ thresholds: Thresholds?) throws {
    var run = Run(effort)
    for scenario in scenarios {
      Run.write("\n\(scenario.name): \(scenario.purpose); cores \(try CoreLatency.text()) before")
      Run.write(Table.head)
      try scenario.body(&run)
      Run.write("cores \(try CoreLatency.text()) after")
    }
    Run.write("\nbars missed: \(run.missed.count)")
    for row in run.missed { Run.write(Table.text(row)) }
    guard let thresholds else { return }
    let faults = thresholds.faults(run.counts, areAll: scenarios.count == Self.scenarios.count)
    for fault in faults { Run.write("threshold: \(fault)") }
    if !faults.isEmpty { Program.exit(status: 1) }
    Run.write("thresholds: all \(run.counts.count) counts hold")
  }

  private static func refuse(_ message: String) {
    StandardError.write(Array("Benchmark: \(message)\n\(usage)".utf8))
    Program.exit(status: 64)  // EX_USAGE
  }
}
