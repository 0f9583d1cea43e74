import Platform

/// Bounds of exact counts, by name: a flat JSON object of numbers.
struct Thresholds {
  let bounds: [String: Double]

  struct Malformed: Error, CustomStringConvertible {
    var path: String
    var description: String { "\(path): not an object of names and numbers" }
  }

  init(path: String) throws {
    let text = String(decoding: try File.read(path, limit: 1 << 16), as: UTF8.self)
    let inner = text.drop { $0.isWhitespace }.dropFirst()
    guard text.contains("{"), let end = inner.lastIndex(of: "}") else { throw Malformed(path: path) }
    var bounds: [String: Double] = [:]
    for member in inner[..<end].split(separator: ",") {
      let parts = member.split(separator: "\"", omittingEmptySubsequences: false)
      guard parts.count == 3, let bound = Double(parts[2].filter { !$0.isWhitespace && $0 != ":" }) else {
        throw Malformed(path: path)
      }
      bounds[String(parts[1])] = bound
    }
    self.bounds = bounds
  }

  /// Sentences about counts that passed their bound, have none, or were not taken.
  func faults(_ counts: [(name: String, value: Double)]) -> [String] {
    var faults: [String] = []
    for (name, value) in counts {
      if let bound = bounds[name] {
        if !(value <= bound) { faults.append("\(name): \(value.short), more than \(bound.short)") }
      } else {
        faults.append("\(name): \(value.short), and no threshold")
      }
    }
    for name in bounds.keys.sorted() where !counts.contains(where: { $0.name == name }) {
      faults.append("\(name): has a threshold and was not counted")
    }
    return faults
  }
}
