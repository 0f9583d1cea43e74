import Randomness
import Testing

@testable import HTTPQuery

@Suite struct `mutated requests` {
  static let corpus = (`a request parser`.accepted + `a request parser`.refused).map { Array($0.0.utf8) }
  /// What a mutation likes to insert: the bytes and words that the grammar turns on.
  static let dictionary = [
    "\r\n", "\n", "\r", "\0", " ", "\t", ":", ",", ";", "%", "%2F", "/", "?", "&", "=", "#", "*", "0", "5", "f", "-1",
    "\r\n\r\n", "HTTP/1.1", "HTTP/1.0", "GET ", "POST ", "Host: h\r\n", "Content-Length: 5\r\n", "chunked",
    "Transfer-Encoding: chunked\r\n", "Connection: close\r\n", "Expect: 100-continue\r\n", "\u{e9}",
  ].map { Array($0.utf8) }

  static func mutated(with random: inout SplitMix) -> [UInt8] {
    var bytes = corpus.randomElement(using: &random)!
    if Bool.random(using: &random) { bytes += corpus.randomElement(using: &random)! }
    for _ in 0..<Int.random(in: 1...4, using: &random) {
      let place = Int.random(in: 0...bytes.count, using: &random)
      let end = min(bytes.count, place + Int.random(in: 0...8, using: &random))
      switch Int.random(in: 0..<5, using: &random) {
      case 0: bytes.removeSubrange(place..<end)
      case 1: bytes.insert(contentsOf: dictionary.randomElement(using: &random)!, at: place)
      case 2: bytes.insert(contentsOf: bytes[place..<end], at: place)
      case 3 where place < bytes.count: bytes[place] = UInt8.random(in: 0...255, using: &random)
      default: bytes.replaceSubrange(place..<end, with: dictionary.randomElement(using: &random)!)
      }
    }
    return bytes
  }

  @Test(arguments: [1, 2, 3] as [UInt64])
  func `are read the same in one piece and in many`(_ seed: UInt64) {
    var random = SplitMix(seed: seed)
    for round in 0..<4_000 {
      let bytes = Self.mutated(with: &random)
      let places = (0..<3).map { _ in Int.random(in: 0...bytes.count, using: &random) }.sorted()
      let whole = RequestReader.read(bytes)
      let cut = RequestReader.read(bytes, cutAt: places)
      if whole != cut {
        Issue.record(
          "seed \(seed), round \(round): \(whole) but \(cut) cut at \(places) of \(String(decoding: bytes, as: UTF8.self))"
        )
        return
      }
    }
  }

  @Test(arguments: [4, 5] as [UInt64])
  func `leave a connection in order and within its bounds`(_ seed: UInt64) {
    var random = SplitMix(seed: seed)
    for round in 0..<2_000 {
      let client = Client()
      let bytes = Self.mutated(with: &random)
      var rest = bytes[...]
      while !rest.isEmpty && client.wantsInput {
        let piece = rest.prefix(Int.random(in: 1...64, using: &random))
        client.connection.receive(Array(piece).span)
        rest = rest.dropFirst(piece.count)
        client.serve()
        client.take(Int.random(in: 0...200, using: &random))
      }
      client.connection.receiveEnd()
      client.settle()
      let finals = client.statuses.filter { $0 != "100" }
      #expect(client.phase == .closed, "seed \(seed), round \(round)")
      #expect(finals.count - client.requests.count <= 1, "seed \(seed), round \(round)")
      #expect(finals.dropLast().allSatisfy { $0 == "200" }, "a fault is the last word: seed \(seed), round \(round)")
    }
  }
}
