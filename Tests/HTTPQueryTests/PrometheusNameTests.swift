import Bytes
import Foundation
import Testing

@testable import HTTPQuery

@Suite struct `names and texts for Prometheus` {
  /// Right answers of other exporters and libraries, each with its source.
  struct Vector: Decodable {
    var id: String
    var kind: String
    var input: String
    var output: String
  }

  static let vectors: [Vector] = {
    let corpus = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../Corpus/prom.jsonl")
    let lines = try! String(contentsOf: corpus, encoding: .utf8).split(separator: "\n")
    // Those that are no text in, text out (numbers and whole families) are held elsewhere.
    return lines.compactMap { try? JSONDecoder().decode(Vector.self, from: Data($0.utf8)) }
  }()

  @Test func `come out as the corpus has them`() {
    var held: [String: Int] = [:]
    for vector in Self.vectors {
      let got: String
      switch vector.kind {
      case "metric_name": got = metric(vector.input)
      case "label_name": got = label(vector.input)
      case "label_value_escape": got = written(vector.input) { PrometheusName.writeLabelValue($0, to: &$1) }
      case "help_escape": got = written(vector.input) { PrometheusName.writeHelp($0, in: .text, to: &$1) }
      default: continue
      }
      #expect(got == vector.output, "\(vector.id)")
      held[vector.kind, default: 0] += 1
    }
    #expect(held == ["metric_name": 3, "label_name": 2, "label_value_escape": 5, "help_escape": 2])
  }

  static let names: [(String, metric: String, label: String)] = [
    ("visit", "visit", "visit"),
    ("a.b-c d", "a_b_c_d", "a_b_c_d"),
    ("a:b", "a:b", "a_b"),
    ("9lives", "_9lives", "_9lives"),
    ("_a", "_a", "_a"),
    (".a", "_a", "_a"),
    ("é", "_", "_"),
    ("e\u{301}", "e_", "e_"),
    ("日本", "__", "exported___"),
    ("__name__", "__name__", "exported___name__"),
    ("..a", "__a", "exported___a"),
    ("__9", "__9", "exported___9"),
    ("😱9", "_9", "_9"),
  ]

  @Test(arguments: names)
  func `lose what may not stand in them`(_ name: String, _ metricName: String, _ labelName: String) {
    #expect(metric(name) == metricName)
    #expect(label(name) == labelName)
    #expect(PrometheusName.isPlainMetric(Array(name.utf8).span) == (name == metricName))
    let isReserved = labelName.hasPrefix("exported_")
    if !isReserved { #expect(PrometheusName.isPlainLabel(Array(name.utf8).span) == (name == labelName)) }
  }

  @Test func `make room for the labels that a timer adds itself`() {
    #expect(label("le", onTimer: true) == "exported_le")
    #expect(label("quantile", onTimer: true) == "exported_quantile")
    #expect(label("le") == "le")
    #expect(label("quantile") == "quantile")
    #expect(label("let", onTimer: true) == "let")
  }

  @Test func `escape quotes in HELP for OpenMetrics only`() {
    let text = "a \"b\" \\ \n c"
    #expect(written(text) { PrometheusName.writeHelp($0, in: .text, to: &$1) } == "a \"b\" \\\\ \\n c")
    #expect(written(text) { PrometheusName.writeHelp($0, in: .openMetrics, to: &$1) } == "a \\\"b\\\" \\\\ \\n c")
  }

  private func metric(_ name: String) -> String { written(name) { PrometheusName.writeMetric($0, to: &$1) } }

  private func label(_ name: String, onTimer: Bool = false) -> String {
    written(name) { PrometheusName.writeLabel($0, onTimer: onTimer, to: &$1) }
  }

  private func written(_ text: String, _ write: (Span<UInt8>, inout ByteWriter) -> Void) -> String {
    var writer = ByteWriter()
    writer.append("before " as StaticString)
    write(Array(text.utf8).span, &writer)
    return String(String(decoding: writer.bytes, as: UTF8.self).dropFirst("before ".count))
  }
}
