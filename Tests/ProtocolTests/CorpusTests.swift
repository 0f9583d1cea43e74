import Bytes
import Foundation
import Testing

@testable import Protocol

/// Lines that clients and servers of statsd hold in their own tests, with what those that agree make of them: `Tests/Corpus`.
enum Corpus {
  struct Vector {
    var id: String
    var lines: [[UInt8]]
    var samples: [[String: any Sendable]]?
    var isContested: Bool
  }

  static let vectors: [Vector] = {
    let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent(
      "../Corpus/lines.jsonl")
    let text = try! String(contentsOf: file, encoding: .utf8)
    return text.split(separator: "\n").map { line in
      let vector = try! JSONSerialization.jsonObject(with: Data(line.utf8)) as! [String: Any]
      let input =
        (vector["input_b64"] as? String).map { [UInt8](Data(base64Encoded: $0)!) }
        ?? Array((vector["input"] as! String).utf8)
      return Vector(
        id: vector["id"] as! String,
        lines: input.split(separator: 0x0A, omittingEmptySubsequences: false).map(Array.init),
        samples: vector["error"] == nil ? (vector["samples"] as! [[String: Any]]).map(normal) : nil,
        isContested: vector["contested"] as? Bool ?? false)
    }
  }()

  /// The fields that all agents must agree on, in a form that compares; the order within a repeated tag does not count.
  static func normal(_ sample: [String: Any]) -> [String: any Sendable] {
    let tags = (sample["tags"] as? [String: Any] ?? [:]).mapValues { value in
      (value as? [Any]).map { $0.map { "\($0)" }.sorted().joined(separator: "\u{1}") }
        ?? (value is NSNull ? "\u{2}" : "\(value)")
    }
    return [
      "name": sample["name"] as! String, "type": sample["type"] as! String,
      "value": (sample["value"] as? NSNumber).map { "\($0.doubleValue)" } ?? "text \(sample["value"]!)",
      "relative": "\(sample["relative"] as? Bool ?? false)",
      "rate": "\((sample["rate"] as? NSNumber)?.doubleValue ?? 1)",
      "tags": tags.sorted { $0.key < $1.key }.map { "\($0)=\($1)" },
      "timestamp": "\((sample["timestamp"] as? NSNumber)?.int64Value ?? -1)",
    ]
  }
}

@Suite struct `the corpus` {
  @Test func `has 375 vectors that are settled`() {
    #expect(Corpus.vectors.filter { !$0.isContested }.count == 375)
  }

  @Test(arguments: Corpus.vectors.filter { !$0.isContested })
  func `is read as those agree who are settled about it`(_ vector: Corpus.Vector) throws {
    let answers = try vector.lines.map { line in
      try JSONSerialization.jsonObject(with: Data(reading(line, LineReader(strict: true)).utf8)) as! [String: Any]
    }
    let found = answers.flatMap { ($0["samples"] as? [[String: Any]] ?? []).map(Corpus.normal) }
    if let samples = vector.samples {
      #expect("\(found.map(sorted))" == "\(samples.map(sorted))", "\(vector.id)")
    } else {
      #expect(found.isEmpty && answers.contains { $0["error"] != nil }, "\(vector.id)")
    }
  }

  private func sorted(_ sample: [String: any Sendable]) -> [String] { sample.map { "\($0)=\($1)" }.sorted() }

  /// `PaddedBytes` asserts every access; what is found lies within the line.
  @Test func `leads nobody out of its lines when cut or changed in a byte`() {
    let changes: [UInt8] = Array(":|,#@T[;={}\n\r0-.e".utf8) + [0x00, 0xC3, 0xFF]
    var spelling = SeriesSpelling(keyLabels: KeyLabels())
    var normal: [UInt8] = []
    var count = 0
    func read(_ line: [UInt8]) {
      PaddedText(line).read { bytes in
        var place = 0
        while place < bytes.count {
          var sample = Sample()
          let next = LineReader().read(bytes, at: place, into: &sample)
          let lineEnd = min(next, bytes.count)
          #expect(next > place && next <= bytes.count + 1)
          place = next
          if sample.form == .refused { #expect(0...lineEnd - sample.lineStart ~= sample.fault.offset) }
          guard sample.form != .refused, sample.form != .empty else { continue }
          let name = sample.nameStart..<sample.nameEnd
          let tags = sample.tagsStart..<sample.tagsEnd
          #expect(name.lowerBound >= sample.lineStart && name.upperBound <= lineEnd && tags.upperBound <= lineEnd)
          #expect(sample.valueStart <= sample.valueEnd && sample.valueEnd <= lineEnd)
          if sample.form == .several {
            LineReader().forEachSample(in: bytes, of: sample) { count += Int($0.rate > 0 ? 1 : 0) }
          }
          try? spelling.normalise(
            bytes, lineStart: sample.lineStart, name: name, tags: tags, kind: sample.kind, into: &normal)
          count += 1
        }
      }
    }
    for vector in Corpus.vectors {
      for line in vector.lines {
        for end in line.indices { read(Array(line[..<end])) }
        var changed = line
        for place in line.indices {
          for byte in changes {
            changed[place] = byte
            read(changed)
          }
          changed[place] = line[place]
        }
      }
    }
    #expect(count > 100_000)
  }
}
