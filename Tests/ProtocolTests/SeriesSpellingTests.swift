import Bytes
import Randomness
import Testing

@testable import Protocol

@Suite struct `a series spelling` {
  /// The name and labels of a series, as plain text.
  struct Series: Hashable {
    var name: String
    var labels: [String: String]
  }

  static let normal: [(String, String)] = [
    // Normal as they stand.
    ("a:1|c", "a"), ("visit:page1|c", "visit:page1"), ("visit:a:b:1|c", "visit:a:b"), ("visit:a,b|c", "visit:a,b"),
    ("a:1|g|#env:prod,host:web1", "a|#env:prod,host:web1"), ("visit:p|c|#env:prod", "visit:p|#env:prod"),
    // Another way to say it.
    ("visit:1|c|#page:page1", "visit:page1"), ("visit;page=p;env=x:1|c", "visit:p|#env:x"),
    ("a:1|c|#key:x,b:y", "a:x|#b:y"),
    ("a:1|c|#b:2,a:1", "a|#a:1,b:2"), ("a:1|c|#b,a:1", "a|#a:1,b:true"), ("a:1|c|#b:2,a:1,b:1", "a|#a:1,b:2\u{1}1"),
    ("a:1|c|#b,b", "a|#b:true\u{1}true"), ("a[x=1]b:1|ms", "ab|#x:1"), ("a,x=1:1|s", "a|#x:1"), ("a:1|c|#", "a"),
    ("a:1|c|#,,", "a"),
    ("visit:1|c|#page:a,page:b", "visit:a,b"), ("visit:1|c|#page", "visit:true"),
    // No key without a counter, without a byte, with too many.
    ("visit:1|g|#page:p", "visit|#page:p"), ("visit:1|c|#page:", "visit|#page:"),
    (
      "visit:1|c|#page:\(String(repeating: "p", count: 513)),a:b",
      "visit|#a:b,page:\(String(repeating: "p", count: 513))"
    ),
    ("visit:1|c|#page:\(String(repeating: "p", count: 512))", "visit:\(String(repeating: "p", count: 512))"),
    // Escapes.
    ("a;x,y=1,2:1|c", "a|#x\u{1}y:1\u{1}2"), ("a,b:1|c", "\u{3}a\u{1}b"), ("a[]#b:1|c", "\u{3}a#b"),
    ("a[x=1];y=2:1|c", "\u{3}a;y=2|#x:1"),
    ("_e{5,1}:a:b|c|x|#k:v", "\u{3}a\u{2}b\u{4}c|#k:v"), ("_sc|a:b|0", "\u{3}a\u{2}b"),
    ("_e{3,1}:a,b|x", "\u{3}a\u{1}b"),
    ("_e{8,1}:a,b=c:d |x", "\u{3}a\u{1}b=c\u{2}d "),
  ]

  @Test(arguments: normal)
  func `has one normal form`(_ line: String, _ expected: String) {
    #expect(
      normalised(line) == Array(expected.utf8),
      "\(String(decoding: normalised(line) ?? [], as: UTF8.self).debugDescription)")
  }

  @Test func `leaves usual spellings as they are`() {
    for spelling in ["a", "visit:page1", "visit:https://x/y", "a|#env:prod,host:web1", "visit:p|#env:x", "ä.b c|#é:ü"] {
      let parts = spelling.split(separator: "|", omittingEmptySubsequences: false)
      let value = parts[0].contains(":") ? "" : ":1"
      #expect(normalised("\(parts[0])\(value)|c" + (parts.count > 1 ? "|\(parts[1])" : "")) == Array(spelling.utf8))
    }
  }

  @Test func `differs where series differ and is read back whole`() {
    var random = SplitMix(seed: 3)
    var seen: [[UInt8]: Series] = [:]
    var spellings: [Series: [UInt8]] = [:]
    for _ in 0..<40_000 {
      let (line, series) = randomLine(&random)
      guard let spelling = normalised(line) else {
        Issue.record("\(line.debugDescription) is refused")
        continue
      }
      #expect(seen.updateValue(series, forKey: spelling) ?? series == series, "\(line.debugDescription)")
      #expect(spellings.updateValue(spelling, forKey: series) ?? spelling == spelling, "\(line.debugDescription)")
      let (decoded, keys) = decode(spelling)
      #expect(decoded == series, "\(line.debugDescription)")
      #expect(keys == keys.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) })
    }
    #expect(spellings.count > 5_000)
  }

  /// A spelling that comes back as a line, its escapes undone where the line can say it, is still the same one.
  @Test func `stays the same when it is normalised again`() {
    var random = SplitMix(seed: 4)
    for _ in 0..<20_000 {
      let (line, series) = randomLine(&random)
      // Graphite's style can say every label; a name with a mark of its own cannot be said twice.
      guard !series.name.contains(where: { "[#,;".contains($0) }), let spelling = normalised(line) else { continue }
      guard !series.labels.contains(where: { $0.value.contains(":") || $0.value.contains(";") }) else { continue }
      let labels = series.labels.shuffled(using: &random).map { ";\($0.key)=\($0.value)" }.joined()
      #expect(normalised("\(series.name)\(labels):1|c") == spelling, "\(line.debugDescription)")
    }
  }

  @Test func `keeps its key labels to the metrics that they name`() {
    var keyLabels = KeyLabels()
    #expect(keyLabels["visit"] == "page" && keyLabels["buy"] == "promotion" && keyLabels["other"] == "key")
    keyLabels["visit"] = "seite"
    keyLabels["a,b"] = "x"
    #expect(keyLabels["visit"] == "seite" && keyLabels["a,b"] == "x" && keyLabels["a"] == "key")
    #expect(reading(Array("visit:p|c".utf8), keyLabels: keyLabels).contains(#""tags":{"seite":"p"}"#))
    #expect(reading(Array("a,b:p|c".utf8), keyLabels: keyLabels).contains(#""tags":{"x":"p"}"#))
  }

  /// A line of a counter in any style, from few pieces so that series meet, and the series that it means.
  private func randomLine(_ random: inout SplitMix) -> (String, Series) {
    let name = random.pick(["visit", "a", "a.b", "a,b", "a#", "a;b", "vis"])
    let hasMark = name.contains { "[#,;".contains($0) }
    var pairs: [(String, String?)] = []
    let keys = ["page", "key", "p", "pagf", "env", "z", "true"]
    let values: [String?] = ["a", "b", "", "x:y", "page1", nil, "a|".replacing("|", with: "="), "true"]
    for _ in 0..<random.below(4) { pairs.append((random.pick(keys), random.pick(values))) }
    let style = hasMark ? 0 : random.below(3)
    let separator = style == 2 ? ";" : ","
    var line = name
    if style > 0 {
      // The name ends at the first colon, so inline tags hold none.
      pairs = pairs.map { ($0, ($1 ?? "").replacing(":", with: style == 2 ? "," : "+")) }
      line += pairs.map { "\(separator)\($0)=\($1!)" }.joined()
    }
    let keyLabel = KeyLabels()[name]
    var labels: [String: [String]] = [:]
    for (key, value) in pairs { labels[key, default: []].append(value ?? "true") }
    if labels[keyLabel] == nil, random.below(2) == 0 {
      let key = random.pick(["a", "b", "x:y", "page1", "a,b", "=", "true"])
      line += ":\(key)"
      labels[keyLabel] = [key]
    } else {
      line += ":1"
    }
    line += "|c"
    if style == 0, !pairs.isEmpty {
      line += "|#" + pairs.map { $1 == nil ? $0 : "\($0):\($1!)" }.joined(separator: ",")
    }
    return (line, Series(name: name, labels: labels.mapValues { $0.joined(separator: ",") }))
  }

  private func decode(_ spelling: [UInt8]) -> (Series, [String]) {
    let parts = SeriesLabels(of: spelling.span)
    var labels: [String: String] = [:]
    var keys: [String] = []
    parts.forEach(in: spelling.span, keyLabels: KeyLabels()) { key, value in
      keys.append(plain(key))
      labels[plain(key)] = plain(value)
    }
    return (Series(name: plain(spelling.span.extracting(parts.name)), labels: labels), keys)
  }

  private func plain(_ text: Span<UInt8>) -> String {
    String(decoding: text.indices.map { SeriesLabels.plain(text[$0]) }, as: UTF8.self)
  }

  private func normalised(_ line: String) -> [UInt8]? {
    PaddedText(line.utf8).read { bytes in
      var sample = Sample()
      _ = LineReader().read(bytes, at: 0, into: &sample)
      var spelling = SeriesSpelling(keyLabels: KeyLabels())
      var normal: [UInt8] = Array("what was there".utf8)
      guard sample.form != .refused else { return nil }
      do throws(LineFault) {
        try spelling.normalise(
          bytes, lineStart: 0, name: sample.nameStart..<sample.nameEnd, tags: sample.tagsStart..<sample.tagsEnd,
          kind: sample.kind,
          into: &normal)
      } catch { return nil }
      return normal
    }
  }
}
