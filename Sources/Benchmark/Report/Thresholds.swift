import Platform

/// Bounds of exact counts, by name: a flat JSON object of numbers.
struct Thresholds {
  let bounds: [String: Double]

  struct Malformed: Error, CustomStringConvertible {
    var path: String
    var description: String { "\(path): not an object of names and numbers" }
  }

  init(path: String) throws {
    // Names hold no escapes, so that a quote ends one.
    let text = String(decoding: try File.read(path, limit: 1 << 16), as: UTF8.self)
    let parts = text.split(separator: "\"", omittingEmptySubsequences: false).map { $0.filter { !$0.isWhitespace } }
    let names = text.split(separator: "\"", omittingEmptySubsequences: false).map(String.init)
    if parts == ["{}"] {
      bounds = [:]
      return
    }
    guard parts.count % 2 == 1, parts[0] == "{" else { throw Malformed(path: path) }
    var bounds: [String: Double] = [:]
    // What stands behind a name: `:12,` or, behind the last one, `:12}`.
    for place in stride(from: 1, to: parts.count, by: 2) {
      let isLast = place + 2 == parts.count
      let value = parts[place + 1]
      guard value.first == ":", value.last == (isLast ? "}" : ","), let bound = Double(value.dropFirst().dropLast())
      else { throw Malformed(path: path) }
      bounds[names[place]] = bound
    }
    self.bounds = bounds
  }

  /// Sentences about counts that passed their bound or have none.
  /// - Parameter areAll: every scenario ran, so that a bound without a count is a fault too.
  func faults(_ counts: [(name: String, value: Double)], areAll: Bool) -> [String] {
    var faults: [String] = []
    for (name, value) in counts {
      if let bound = bounds[name] {
        if !(value <= bound) { faults.append("\(name): \(value.short), more than \(bound.short)") }
      } else {
        faults.append("\(name): \(value.short), and no threshold")
      }
    }
    for name in bounds.keys.sorted() where areAll && !counts.contains(where: { $0.name == name }) {
      faults.append("\(name): has a threshold and was not counted")
    }
    return faults
  }
}
