/// What is held against arbitrary bytes, under libFuzzer (`Tests/Fuzz/run`) and with fixed seeds in the suite.
///
/// An input is the bytes themselves; those of `framer`, `requests` and `replies` have seven bytes before the stream, see `CutStream`. The folder
/// `Tests/Corpus/<name>` holds inputs to begin with, and every one that once broke something.
enum FuzzBody: String, CaseIterable, Sendable {
  case lines, framer, numbers, requests, configuration, journal, replies, slots, redirections, urls
  /// Breaks on four bytes that chance would not find: who does not find it finds nothing.
  case canary

  /// - Throws: `Broken` if an invariant does not hold. What traps says so itself.
  func check(_ bytes: [UInt8]) throws(Broken) {
    switch self {
    case .lines: try checkLines(bytes)
    case .framer: try checkFramer(bytes)
    case .numbers: try checkNumber(bytes)
    case .requests: try checkRequests(bytes)
    case .configuration: try checkConfiguration(bytes)
    case .journal: try checkJournal(bytes)
    case .replies: try checkReplies(bytes)
    case .slots: try checkSlots(bytes)
    case .redirections: try checkRedirections(bytes)
    case .urls: try checkURLs(bytes)
    case .canary: try checkCanary(bytes)
    }
  }
}

/// An invariant that did not hold.
struct Broken: Error, CustomStringConvertible {
  let description: String
}

func hold(_ condition: Bool, _ otherwise: @autoclosure () -> String) throws(Broken) {
  if !condition { throw Broken(description: otherwise()) }
}

private func checkCanary(_ bytes: [UInt8]) throws(Broken) {
  // One byte after the other, as a parser does it, so that coverage shows the way.
  guard bytes.count >= 4, bytes[0] == 0xF0, bytes[1] == 0x07, bytes[2] == 0xFA, bytes[3] == 0x11 else { return }
  throw Broken(description: "the canary was found")
}

/// A stream and the places to cut it at, out of one input.
///
///     | 3 times 2 bytes, little-endian: places | 1 byte: copies | stream … |
///
/// The stream is repeated 2^(n - 8) times for a low nibble n above 8, up to `longest` bytes, since few bytes shall reach the bounds.
struct CutStream {
  /// More than any bound of framer and parser.
  static let longest = 150_000

  let bytes: [UInt8]
  let pieces: [ArraySlice<UInt8>]

  init?(_ input: [UInt8]) {
    guard input.count > 7 else { return nil }
    let stream = input[7...]
    let copies = min(1 << max(0, Int(input[6] & 15) - 8), max(1, Self.longest / stream.count))
    let bytes = Array(repeatElement(stream, count: copies).joined())
    let places = [0, 2, 4].map { (Int(input[$0]) | Int(input[$0 + 1]) << 8) % (bytes.count + 1) }.sorted()
    pieces = zip([0] + places, places + [bytes.count]).map { bytes[$0..<$1] }
    self.bytes = bytes
  }
}
