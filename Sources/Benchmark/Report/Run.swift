import Platform

/// A run of scenarios: how much is done, and what came of it.
struct Run {
  /// How much a scenario does.
  struct Effort {
    /// Measurements of each figure.
    var rounds: Int
    /// Seconds that a sender sends in one trial.
    var trialSeconds: Double
    /// Trials in search of the highest rate without loss.
    var searchSteps: Int
    /// Series of a small, a middle and a large table.
    var small: Int
    var middle: Int
    var large: Int

    static let full = Effort(
      rounds: 5, trialSeconds: 0.5, searchSteps: 6, small: 1_000, middle: 100_000, large: 1_000_000)
    /// Everything once and in seconds: it shows that all of it runs, its times say nothing.
    static let smoke = Effort(rounds: 1, trialSeconds: 0.02, searchSteps: 1, small: 100, middle: 1_000, large: 10_000)
  }

  let effort: Effort
  /// Exact counts, for the thresholds.
  private(set) var counts: [(name: String, value: Double)] = []
  private(set) var missed: [Row] = []

  init(_ effort: Effort) { self.effort = effort }

  /// Prints a row.
  mutating func report(_ row: Row) {
    Self.write(Table.text(row))
    if let bar = row.bar, !bar.isMet(by: row.spread.median) { missed.append(row) }
  }

  /// Writes a line at once: a run takes minutes, and its reader may be a pipe.
  static func write(_ line: String) { StandardOutput.write(Array((line + "\n").utf8)) }

  mutating func report(_ name: String, _ unit: String, _ values: [Double], _ bar: Row.Bar? = nil) {
    report(Row(name, unit, values, bar))
  }

  /// Prints a count that has a threshold.
  mutating func count(_ name: String, _ value: Double) {
    counts.append((name, value))
    report(name, "count", [value])
  }

  /// One measurement a round.
  func rounds<Failure: Error>(_ body: () throws(Failure) -> Double) throws(Failure) -> [Double] {
    var values: [Double] = []
    for _ in 0..<effort.rounds { values.append(try body()) }
    return values
  }
}

/// A group of rows.
struct Scenario: Sendable {
  let name: String
  let purpose: String
  let body: @Sendable (inout Run) throws -> Void

  init(_ name: String, _ purpose: String, _ body: @escaping @Sendable (inout Run) throws -> Void) {
    self.name = name
    self.purpose = purpose
    self.body = body
  }
}

extension Int {
  /// `1k`, `100k`, `1M`.
  var short: String {
    self % 1_000_000 == 0 && self > 0
      ? "\(self / 1_000_000)M" : self % 1_000 == 0 && self > 0 ? "\(self / 1_000)k" : "\(self)"
  }
}
