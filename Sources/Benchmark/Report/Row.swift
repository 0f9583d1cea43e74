/// One line of the report.
struct Row {
  /// What a figure is held against. It informs: on a machine that others use too, a time decides nothing.
  enum Bar {
    case atMost(Double)
    case atLeast(Double)

    func isMet(by value: Double) -> Bool {
      switch self {
      case .atMost(let bound): value <= bound
      case .atLeast(let bound): value >= bound
      }
    }
    var text: String {
      switch self {
      case .atMost(let bound): "<= \(bound.short)"
      case .atLeast(let bound): ">= \(bound.short)"
      }
    }
  }

  var name: String
  var unit: String
  var spread: Spread
  var bar: Bar?

  init(_ name: String, _ unit: String, _ values: [Double], _ bar: Bar? = nil) {
    self.name = name
    self.unit = unit
    spread = Spread(values)
    self.bar = bar
  }
}

/// Prints rows in columns.
enum Table {
  private static let widths = [54, 10, 21, 15, 10, 3]

  static var head: String { line(["", "median", "min .. max", "unit", "bar", "met"]) }

  static func text(_ row: Row) -> String {
    let median = row.spread.median
    return line([
      row.name, median.short, "\(row.spread.least.short) .. \(row.spread.greatest.short)", row.unit,
      row.bar?.text ?? "", row.bar.map { $0.isMet(by: median) ? "yes" : "NO" } ?? "",
    ])
  }

  private static func line(_ cells: [String]) -> String {
    var text = ""
    for (place, cell) in cells.enumerated() {
      let gap = String(repeating: " ", count: max(0, widths[place] - cell.count))
      // Words to the left, figures to the right.
      text += (place == 1 || place == 2 ? gap + cell : cell + gap) + "  "
    }
    while text.last == " " { text.removeLast() }
    return text
  }
}
