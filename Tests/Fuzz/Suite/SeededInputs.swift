import Randomness
import Foundation

/// Inputs for a check without libFuzzer: those of the corpus, then endless changes of them, the same for the same seed.
struct SeededInputs {
  /// What the grammars turn on.
  private static let words = [
    "\n", "\r\n", "\0", " ", ":", "|", ",", ";", "#", "@", "[", "]", "=", "%2F", "e", ".", "-", "0", "9", "|c", "|ms",
    "|#k:v,k:w", "|@0.1", "|T1700000000", "_e{1,1}:", "_sc|a|0", "e-400", "9223372036854775808",
    "GET / HTTP/1.1\r\nHost: h\r\n\r\n", "Content-Length: 3\r\n", "Transfer-Encoding: chunked\r\n", "\u{e9}",
    "*2\r\n", "%1\r\n", "|1\r\n+a\r\n:1\r\n", "$3\r\nabc\r\n", "$-1\r\n",
    "MOVED ", "ASK ", "16383", "65535", "?:1", "://", "@", "/", "?db=1", "&weight=2",
  ].map { Array($0.utf8) }

  let corpus: [[UInt8]]
  private var random: SplitMix

  init(of corpus: [[UInt8]], seed: UInt64) {
    self.corpus = corpus
    random = SplitMix(seed: seed)
  }

  /// One to four changes in one input of the corpus.
  mutating func next() -> [UInt8] {
    var bytes = pick(corpus)
    for _ in 0...random.next() % 4 {
      let place = below(bytes.count + 1)
      let range = place..<min(bytes.count, place + below(9))
      switch below(6) {
      case 0: bytes.removeSubrange(range)
      case 1: bytes.insert(contentsOf: pick(Self.words), at: place)
      case 2: bytes.insert(contentsOf: bytes[range], at: place)
      case 3: bytes.insert(contentsOf: pick(corpus).prefix(64), at: place)
      case 4 where place < bytes.count: bytes[place] ^= 1 << UInt8(below(8))
      case 5 where place < bytes.count: bytes[place] = UInt8(below(256))
      default: bytes.replaceSubrange(range, with: pick(Self.words))
      }
    }
    return bytes
  }

  private mutating func below(_ bound: Int) -> Int { Int(random.next() % UInt64(bound)) }
  private mutating func pick(_ choices: [[UInt8]]) -> [UInt8] { choices[below(choices.count)] }
}

extension FuzzBody {
  /// The inputs to begin with: the files of `Tests/Corpus/<name>`, and for lines and numbers what clients send.
  var corpus: [[UInt8]] {
    get throws {
      let folder = URL(fileURLWithPath: #filePath).appending(path: "../../../Corpus").standardizedFileURL
      let own = folder.appending(path: rawValue)
      var found: [[UInt8]] = []
      if FileManager.default.fileExists(atPath: own.path) {
        let names = try FileManager.default.contentsOfDirectory(atPath: own.path).sorted()
        found += try names.map { try Array(Data(contentsOf: own.appending(path: $0))) }
      }
      guard self == .lines || self == .numbers else { return found }
      let vectors = try String(contentsOf: folder.appending(path: "lines.jsonl"), encoding: .utf8)
      for vector in vectors.split(separator: "\n") {
        guard let fields = try JSONSerialization.jsonObject(with: Data(vector.utf8)) as? [String: Any] else { continue }
        let input =
          (fields["input_b64"] as? String).flatMap { Data(base64Encoded: $0) }.map(Array.init)
          ?? Array((fields["input"] as? String ?? "").utf8)
        if self == .lines {
          found.append(input)
        } else {
          found += input.split { !"+-.0123456789eE".utf8.contains($0) }.map(Array.init)
        }
      }
      return found
    }
  }
}
