import Aggregation
import Protocol
import Randomness
import Testing

@testable import HTTPQuery

@Suite struct `families whose names meet` {
  static let conflicts: [(first: String, second: String, shown: String)] = [
    ("x:1|g", "x:a|s", "# TYPE x gauge\nx 1\n"),
    ("x:1|h", "x:1|d", "# TYPE x summary\nx{quantile=\"0.5\"} 1\nx{quantile=\"0.99\"} 1\nx_sum 1\nx_count 1\n"),
    ("x:1|c", "x_total:1|c", "# TYPE x_total counter\nx_total 1\n"),
    ("x:1|c", "x_total:1|g", "# TYPE x_total counter\nx_total 1\n"),
    ("x_total:1|g", "x:1|c", "# TYPE x_total gauge\nx_total 1\n"),
    ("a.b:1|g", "a-b:1|g", "# TYPE a_b gauge\na_b 1\n"),
    ("x_count:1|g", "x:1|h", "# TYPE x_count gauge\nx_count 1\n"),
    ("x_seconds_sum:1|g", "x:1|ms", "# TYPE x_seconds_sum gauge\nx_seconds_sum 1\n"),
    ("x:1|c", "_e{1,1}:x|y", "# TYPE x_total counter\nx_total 1\n"),
  ]

  @Test(arguments: conflicts)
  func `the one that came first stands on the page`(_ first: String, _ second: String, _ shown: String) throws {
    let counted = try Counted()
    counted.count(first)
    counted.count(second)
    #expect(counted.samples() == shown)
    #expect(counted.page().components(after: "footfall_export_conflicts_total{").count == 1)
  }

  @Test func `a gauge and a counter of one name meet in OpenMetrics only`() throws {
    let counted = try Counted()
    counted.count("x:1|g", "x:2|c")
    #expect(counted.samples() == "# TYPE x gauge\nx 1\n# TYPE x_total counter\nx_total 2\n")
    #expect(counted.samples(.openMetrics) == "# TYPE x gauge\nx 1\n# EOF\n")
    #expect(counted.page().contains("footfall_export_conflicts_total{metric=\"x\"} 1\n"))
  }

  @Test func `names of the program's own are not to be had`() throws {
    let counted = try Counted()
    counted.count("footfall_series:7|g", "process.threads:1|g", "footfall:1|g")
    #expect(counted.samples() == "# TYPE footfall gauge\nfootfall 1\n")
    #expect(!counted.page().contains("footfall_series 7"))
    #expect(counted.page().contains("footfall_export_conflicts_total{metric=\"process.threads\"} 1\n"))
  }

  @Test func `one that was left out appears when the one before it has left`() throws {
    let counted = try Counted()
    counted.count("x:1|g")
    counted.gather(later: 900)
    counted.count("x:a|s", "x:1|h")
    #expect(counted.samples() == "# TYPE x gauge\nx 1\n")
    // The gauge goes; the set takes its place, and the histogram still waits.
    counted.forget(after: 200)
    #expect(counted.state.view.familyCount == 2)
    #expect(counted.samples() == "# TYPE x gauge\nx 1\n")
    #expect(counted.page().contains("# HELP x Set x"))
    #expect(counted.page().contains("footfall_export_conflicts_total{metric=\"x\"} 2\n"))
    counted.count("x:2|h")
    counted.forget(after: 850)
    #expect(counted.samples().hasPrefix("# TYPE x summary\n"))
  }

  @Test func `families that came and left unnoticed leave no trace`() throws {
    let counted = try Counted()
    counted.takesFamilyChanges = false
    counted.count("x:1|g", "x:a|s", "footfall_x:1|c")
    counted.forget()
    counted.count("x:1|h")
    counted.takesFamilyChanges = true
    counted.gather()
    #expect(counted.samples().hasPrefix("# TYPE x summary\n"))
    #expect(!counted.page().contains("footfall_export_conflicts_total{"))
  }

  /// A family of the model: what it claims in full.
  private struct Model {
    var family: FamilyID
    var name: ExposedName

    var claims: Set<[UInt8]> {
      var claims: Set<[UInt8]> = [name.bytes]
      for (suffix, text) in NameSuffixes.all where name.suffixes.contains(suffix) {
        claims.insert(name.bytes + Array("\(text)".utf8))
      }
      return claims
    }
  }

  @Test(arguments: [1, 2, 3] as [UInt64])
  func `claims agree with sets of all names`(_ seed: UInt64) {
    var random = SplitMix(seed: seed)
    for language in [ExpositionFormat.Language.text, .openMetrics] {
      var claims = NameClaims()
      var shown: [Model] = []
      var waiting: [Model] = []
      var free = Array(0..<40 as Range<FamilyID>)
      for _ in 0..<3_000 {
        if !free.isEmpty && random.below(2) == 0 {
          let name =
            random.pick(["x", "y"]) + random.pick(["", "_total", "_sum", "_count", "_created", "_bucket"])
            + random.pick(["", "_total", "_sum"])
          let model = Model(
            family: free.removeLast(),
            name: ExposedName(
              Array(name.utf8), kind: random.pick(SampleKind.allCases), language: language,
              hasBuckets: random.below(2) == 0))
          let isShown = claims.add(model.family, model.name)
          #expect(isShown == shown.allSatisfy { $0.claims.isDisjoint(with: model.claims) }, "seed \(seed)")
          if isShown { shown.append(model) } else { waiting.append(model) }
        } else if free.count < 40 {
          let all = shown.map(\.family) + waiting.map(\.family)
          let leaving = random.pick(all)
          free.append(leaving)
          shown.removeAll { $0.family == leaving }
          waiting.removeAll { $0.family == leaving }
          for family in claims.remove(leaving) {
            guard let place = waiting.firstIndex(where: { $0.family == family }) else {
              Issue.record("seed \(seed): \(family) does not wait")
              continue
            }
            let model = waiting.remove(at: place)
            if claims.add(family, model.name) { shown.append(model) } else { waiting.append(model) }
          }
        }
        for one in shown { #expect(claims.contains(one.family), "seed \(seed)") }
        for one in waiting {
          // Nobody waits for nothing.
          #expect(!claims.contains(one.family), "seed \(seed)")
          #expect(shown.contains { !$0.claims.isDisjoint(with: one.claims) }, "seed \(seed)")
        }
      }
    }
  }
}
