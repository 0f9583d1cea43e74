import Foundation
import Testing

@testable import Agent

@Suite struct `the text that the table makes` {
  static let exampleFile = URL(filePath: #filePath).deletingLastPathComponent().appending(
    path: "../../examples/footfall.conf")

  @Test func `lists every option once with its default, in 100 columns`() {
    let lines = Options.help.split(separator: "\n")
    for entry in Options.table {
      let starts = lines.indices.filter {
        lines[$0].hasPrefix("  \(entry.flag)") && !lines[$0].dropFirst(2 + entry.flag.count).hasPrefix("-")
      }
      #expect(starts.count == 1, "\(entry.flag)")
      guard let start = starts.first else { continue }
      let block = lines[start...].dropFirst().prefix { $0.hasPrefix("          ") }
      #expect(([lines[start]] + block).joined(separator: " ").contains("[\(entry.standard)]"), "\(entry.flag)")
    }
    for line in lines { #expect(line.count <= Options.helpWidth, "\(line)") }
    for word in ["serve", "explain", "check-config", "--help", "--version"] { #expect(Options.help.contains(word)) }
  }

  @Test func `shows each group that has options`() {
    for group in Options.Group.allCases {
      #expect(Options.table.contains { $0.group == group })
      #expect(Options.help.contains("\n\(group.rawValue):\n"))
    }
  }

  /// `WRITE_EXAMPLES=1 swift test --filter examples/footfall.conf` writes the file anew after the table has changed.
  @Test func `is what stands in examples/footfall.conf`() throws {
    if ProcessInfo.processInfo.environment["WRITE_EXAMPLES"] != nil {
      try Options.exampleFile.write(to: Self.exampleFile, atomically: true, encoding: .utf8)
    }
    #expect(try String(contentsOf: Self.exampleFile, encoding: .utf8) == Options.exampleFile)
  }

  @Test func `parses to the defaults, as it stands and with every key uncommented`() throws {
    var expected = Configuration()
    expected.file = "f"
    #expect(try configuration(["--config", "f"], files: ["f": Options.exampleFile]) == expected)
    let keys = Options.exampleFile.split(separator: "\n").filter {
      $0.hasPrefix("#") && !$0.hasPrefix("# ") && $0 != "#"
    }
    #expect(keys.count == Options.table.count - 1)
    let uncommented = keys.map { $0.dropFirst() }.joined(separator: "\n")
    #expect(try configuration(["--config", "f"], files: ["f": uncommented]) == expected)
  }
}
