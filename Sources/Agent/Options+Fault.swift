/// What is wrong with a configuration, for the one who wrote it.
extension Options {
  /// Where a text came from.
  enum Origin: Equatable, Sendable, CustomStringConvertible {
    case commandLine
    case flag(String)
    case environment(String)
    case file(String, line: Int)

    var description: String {
      switch self {
      case .commandLine: "command line"
      case .flag(let flag): "flag \(flag)"
      case .environment(let variable): "environment variable \(Log.escaped(variable))"
      case .file(let path, let line): "\(Log.escaped(path)):\(line)"
      }
    }

    fileprivate var isCommandLine: Bool {
      switch self {
      case .commandLine, .flag: true
      case .environment, .file: false
      }
    }
  }

  /// One fault: `workers = "abc" (flag --workers): want a whole number from 1 to 1024, or auto`.
  struct Fault: Equatable, Sendable, CustomStringConvertible {
    /// What was given, as far as it could be read.
    let subject: String
    let origin: Origin
    /// What is allowed, and the way out.
    let message: String

    var description: String { "\(subject) (\(origin)): \(message)" }
  }

  /// All that is wrong, in the order flags, environment, file. Never empty.
  struct Faults: Error, Equatable, CustomStringConvertible {
    let list: [Fault]
    /// Who asks whether a configuration holds gets one answer, wherever the fault lies.
    var isAnswer = false

    /// sysexits.h: EX_USAGE if the command line has a share in it, EX_CONFIG if environment or file alone are at fault, and for
    /// `check-config`.
    var exitStatus: Int32 { !isAnswer && list.contains { $0.origin.isCommandLine } ? 64 : 78 }

    /// One fault a line, each line ended.
    var description: String { list.map { "footfall: \($0)\n" }.joined() }
  }

  /// `did you mean --workers?`, or the way to the list where no candidate is near `text`.
  ///
  /// Near is an edit distance of at most half the text: `wrokers` finds `workers`, `x` finds nothing.
  /// - Parameter prefix: what stands before the candidate that is found, and before neither text nor candidates here.
  static func hint(for text: String, among candidates: [String], prefix: String = "") -> String {
    // The distance is at least the difference of the lengths, so nothing is near a longer text, and few are to be measured.
    let length = text.utf8.prefix(longestHinted + 1).count
    let near = length > longestHinted ? [] : candidates.filter { abs($0.utf8.count - length) * 2 <= length }
    let ranked = near.map { (distance: distance(text, $0), text: $0) }.min { $0.distance < $1.distance }
    guard let nearest = ranked, nearest.distance * 2 <= length else { return "footfall --help lists them" }
    return "did you mean \(prefix)\(nearest.text)?"
  }

  /// Twice the longest name of an option in bytes, and some room.
  private static let longestHinted = 64

  /// Levenshtein's edit distance in bytes; names of options are ASCII.
  /// - Complexity: O(n · m).
  private static func distance(_ left: String, _ right: String) -> Int {
    let right = Array(right.utf8)
    var row = Array(0...right.count)
    for (line, character) in left.utf8.enumerated() {
      var diagonal = row[0]
      row[0] = line + 1
      for column in right.indices {
        let substitution = diagonal + (right[column] == character ? 0 : 1)
        diagonal = row[column + 1]
        row[column + 1] = min(substitution, diagonal + 1, row[column] + 1)
      }
    }
    return row[right.count]
  }
}
