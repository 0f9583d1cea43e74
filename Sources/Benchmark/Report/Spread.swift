/// Several measurements of one thing.
struct Spread {
  private var sorted: [Double]

  init(_ values: [Double]) { sorted = values.sorted() }

  var median: Double {
    if sorted.isEmpty { return .nan }
    let middle = sorted.count / 2
    return sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
  }
  var least: Double { sorted.first ?? .nan }
  var greatest: Double { sorted.last ?? .nan }
}

extension Double {
  /// Three digits that count: `9.87`, `123`, `0.0312`.
  var short: String {
    if !isFinite { return "-" }
    if self == 0 { return "0" }
    var decimals = 2
    var bound = 10.0
    while magnitude >= bound && decimals > 0 {
      decimals -= 1
      bound *= 10
    }
    bound = 1
    while magnitude < bound && decimals < 6 {
      decimals += 1
      bound /= 10
    }
    return fixed(min(decimals, magnitude < 1 ? decimals - 1 : decimals))
  }

  private func fixed(_ decimals: Int) -> String {
    var scale = 1
    for _ in 0..<decimals { scale *= 10 }
    let whole = Int((magnitude * Double(scale)).rounded())
    let sign = self < 0 && whole > 0 ? "-" : ""
    if decimals == 0 { return "\(sign)\(whole)" }
    let fraction = String(whole % scale)
    return "\(sign)\(whole / scale)." + String(repeating: "0", count: decimals - fraction.count) + fraction
  }
}
