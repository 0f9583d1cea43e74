import Randomness
import Testing

@testable import Storage

@Suite struct `replies of Redis` {
  /// How each type is spelled, and what is read.
  static let vectors: [(String, RESPValue)] = [
    ("+OK\r\n", .simple("OK")),
    ("+\r\n", .simple("")),
    ("-MOVED 3999 127.0.0.1:6381\r\n", .error("MOVED 3999 127.0.0.1:6381")),
    (":0\r\n", .integer(0)),
    (":-9223372036854775808\r\n", .integer(.min)),
    (":+7\r\n", .integer(7)),
    ("$5\r\nhe\r\nl\r\n", .bulk(Array("he\r\nl".utf8))),
    ("$0\r\n\r\n", .bulk([])),
    ("$-1\r\n", .null),
    ("*-1\r\n", .null),
    ("_\r\n", .null),
    ("#t\r\n", .boolean(true)),
    ("#f\r\n", .boolean(false)),
    (",1.5\r\n", .double(1.5)),
    (",-3e-2\r\n", .double(-0.03)),
    (",10\r\n", .double(10)),
    (",inf\r\n", .double(.infinity)),
    (",-inf\r\n", .double(-.infinity)),
    (
      "(3492890328409238509324850943850943825024385\r\n", .bigNumber("3492890328409238509324850943850943825024385")
    ),
    ("!21\r\nSYNTAX invalid syntax\r\n", .error("SYNTAX invalid syntax")),
    ("=15\r\ntxt:Some string\r\n", .verbatim(format: "txt", Array("Some string".utf8))),
    ("=4\r\nmkd:\r\n", .verbatim(format: "mkd", [])),
    ("*0\r\n", .array([])),
    ("*3\r\n:1\r\n$-1\r\n*1\r\n+a\r\n", .array([.integer(1), .null, .array([.simple("a")])])),
    ("%2\r\n+a\r\n:1\r\n+b\r\n%0\r\n", .map([.simple("a"), .integer(1), .simple("b"), .map([])])),
    ("~2\r\n#t\r\n_\r\n", .set([.boolean(true), .null])),
    (">2\r\n+invalidate\r\n*1\r\n$1\r\nk\r\n", .push([.simple("invalidate"), .array([.bulk([0x6B])])])),
    ("|1\r\n+ttl\r\n:3600\r\n:5\r\n", .integer(5)),
    ("*2\r\n:1\r\n|1\r\n+key\r\n%1\r\n+a\r\n,0.1\r\n:2\r\n", .array([.integer(1), .integer(2)])),
    ("|0\r\n|1\r\n+a\r\n|1\r\n+b\r\n_\r\n+c\r\n*1\r\n+d\r\n", .array([.simple("d")])),
    (":9223372036854775807\r\n", .integer(.max)),
    (",1.7976931348623157e308\r\n", .double(.greatestFiniteMagnitude)),
    ("(-12345678901234567890123\r\n", .bigNumber("-12345678901234567890123")),
    ("(+0\r\n", .bigNumber("+0")),
    ("$003\r\nabc\r\n", .bulk(Array("abc".utf8))),
    ("$6\r\n\r\n\r\n\r\n\r\n", .bulk(Array("\r\n\r\n\r\n".utf8))),
    ("!0\r\n\r\n", .error("")),
    ("!6\r\nA\r\nB\r\n\r\n", .error("A\r\nB\r\n")),
    ("=8\r\ntxt:\r\n\r\n\r\n", .verbatim(format: "txt", Array("\r\n\r\n".utf8))),
    ("-\r\n", .error("")),
    ("~0\r\n", .set([])),
    (">0\r\n", .push([])),
    (
      "%1\r\n*1\r\n:1\r\n~1\r\n%1\r\n_\r\n#f\r\n",
      .map([.array([.integer(1)]), .set([.map([.null, .boolean(false)])])])
    ),
    ("*2\r\n*0\r\n*2\r\n*-1\r\n%0\r\n", .array([.array([]), .array([.null, .map([])])])),
    (
      "%1\r\n|1\r\n+ttl\r\n:1\r\n+key\r\n|1\r\n+ttl\r\n$-1\r\n>1\r\n,2\r\n",
      .map([.simple("key"), .push([.double(2)])])
    ),
    ("*1\r\n|1\r\n~2\r\n:1\r\n:2\r\n!1\r\ne\r\n=5\r\ntxt:a\r\n", .array([.verbatim(format: "txt", [0x61])])),
  ]

  /// What no server sends, and what is said of it.
  static let refused: [(String, RESPFault)] = [
    (":\r\n", .malformed), (":1.5\r\n", .malformed), (":9223372036854775808\r\n", .malformed),
    ("_x\r\n", .malformed),
    ("#x\r\n", .malformed), ("#\r\n", .malformed), (",\r\n", .malformed), (",0x1p3\r\n", .malformed),
    (",infinity\r\n", .malformed), ("(12a\r\n", .malformed), ("(-\r\n", .malformed), ("$-2\r\n", .malformed),
    ("$\r\n", .malformed), ("$+1\r\na\r\n", .malformed), ("$?\r\n", .malformed), ("*?\r\n", .malformed),
    ("*-2\r\n", .malformed), ("%-1\r\n", .malformed), ("$1\r\nab\r\n", .malformed), ("$2\r\nab\n\r", .malformed),
    ("=3\r\ntxt\r\n", .malformed), ("=4\r\ntxt.\r\n", .malformed), ("+OK\n", .malformed), ("\r\n", .unknownType(0x0D)),
    ("HTTP/1.1 400 Bad Request", .unknownType(0x48)), ("*1\r\nx", .unknownType(0x78)),
    // Streamed strings and aggregates.
    ("$?\r\n;4\r\nabcd\r\n;0\r\n", .malformed), ("%?\r\n.\r\n", .malformed), ("~?\r\n.\r\n", .malformed),
    (">?\r\n.\r\n", .malformed), ("*1\r\n.\r\n", .unknownType(0x2E)), (";0\r\n", .unknownType(0x3B)),
    // Lengths that are none, or more than there can be.
    ("%-2\r\n", .malformed), ("~-1\r\n", .malformed), (">-1\r\n", .malformed), ("|-1\r\n", .malformed),
    ("!-1\r\n", .malformed), ("=-1\r\n", .malformed), ("$-0\r\n", .malformed), ("*1.0\r\n", .malformed),
    ("* 1\r\n", .malformed), ("*\r\n", .malformed), ("$9223372036854775807\r\n", .tooLong),
    ("$9223372036854775808\r\n", .malformed), ("!18446744073709551615\r\n", .malformed),
    ("=4294967296\r\n", .tooLong), ("*9223372036854775807\r\n", .tooLong), ("%4611686018427387904\r\n", .tooLong),
    ("%9223372036854775807\r\n", .tooLong), ("~4294967295\r\n", .tooLong), (">2147483648\r\n", .tooLong),
    ("|9223372036854775807\r\n", .tooLong), ("*99999999999999999999\r\n", .malformed),
  ]

  /// All replies of a stream, and why it cannot be read on.
  private func read(_ pieces: [ArraySlice<UInt8>], _ limits: RESPLimits = .init()) -> ([RESPValue], RESPFault?) {
    var decoder = RESPDecoder(limits)
    var values: [RESPValue] = []
    for piece in pieces {
      decoder.feed(piece)
      do throws(RESPFault) {
        while let value = try decoder.next() { values.append(value) }
      } catch { return (values, error) }
    }
    return (values, nil)
  }

  private func read(_ text: String, _ limits: RESPLimits = .init()) -> ([RESPValue], RESPFault?) {
    read([Array(text.utf8)[...]], limits)
  }

  @Test(arguments: vectors) func `of every type are read whole and cut at every byte`(
    _ spelling: String, _ value: RESPValue
  ) {
    let bytes = Array(spelling.utf8)
    // What follows is not touched by what came before, nor the other way round.
    let stream = bytes + Array("+next\r\n".utf8) + bytes
    let expected = [value, .simple("next"), value]
    #expect(read([stream[...]]) == (expected, nil))
    for place in 0...stream.count {
      #expect(read([stream[..<place], stream[place...]]) == (expected, nil), "cut at \(place)")
    }
    for place in 0...bytes.count {
      for other in place...bytes.count {
        let pieces = [bytes[..<place], bytes[place..<other], bytes[other...]]
        #expect(read(pieces) == ([value], nil), "cut at \(place) and \(other)")
      }
    }
    #expect(read(stream.indices.map { stream[$0...$0] }) == (expected, nil), "byte by byte")
    for count in 0..<bytes.count { #expect(read([bytes[..<count]]) == ([], nil), "\(count) bytes are no reply yet") }
  }

  @Test func `that are no number at all are read as such`() {
    guard case .double(let number)? = read(",nan\r\n").0.first else {
      Issue.record("no double")
      return
    }
    #expect(number.isNaN)
  }

  @Test(arguments: refused) func `that are none are refused, now and ever after, however cut`(
    _ spelling: String, _ fault: RESPFault
  ) {
    #expect(read(spelling) == ([], fault))
    let bytes = Array(spelling.utf8)
    for place in 0...bytes.count {
      #expect(read([bytes[..<place], bytes[place...]]) == ([], fault), "cut at \(place)")
    }
    var decoder = RESPDecoder()
    decoder.feed(spelling.utf8)
    for _ in 0..<2 { #expect(throws: fault) { try decoder.next() } }
    decoder.feed("+OK\r\n".utf8)
    #expect(throws: fault) { try decoder.next() }
  }

  @Test func `beyond a bound are refused before memory is taken for them`() {
    var limits = RESPLimits()
    limits.line = 10
    limits.bulk = 10
    limits.elements = 10
    limits.depth = 3
    limits.reply = 100
    let bounded: [(allowed: String, refused: String)] = [
      ("+0123456789\r\n", "+01234567890\r\n"),
      ("+0123456789", "+01234567890123"),
      ("$10\r\n0123456789\r\n", "$11\r\n"),
      ("*9\r\n" + String(repeating: ":1\r\n", count: 9), "*10\r\n" + String(repeating: ":1\r\n", count: 10)),
      // Long as it is, its end makes it no other fault.
      ("+0123456789\r\n", "+012345678901\n"),
      ("%4\r\n", "%11\r\n"),
      ("*1\r\n*1\r\n*1\r\n:1\r\n", "*1\r\n*1\r\n*1\r\n*1\r\n"),
      ("%1\r\n~1\r\n>1\r\n:1\r\n", "%1\r\n~1\r\n>1\r\n*1\r\n"),
      ("*1\r\n*1\r\n*1\r\n*0\r\n", "|1\r\n|1\r\n|1\r\n|1\r\n"),
      (String(repeating: "+01234567\r\n", count: 50), "*9\r\n" + String(repeating: "$10\r\n0123456789\r\n", count: 9)),
      // Attributes that never end in a value are a reply without an end.
      ("|0\r\n|0\r\n", String(repeating: "|0\r\n", count: 11)),
      ("*10\r\n", "*9223372036854775807\r\n"),
    ]
    for (allowed, refused) in bounded {
      #expect(read(allowed, limits).1 == nil, "\(allowed)")
      let bytes = Array(refused.utf8)
      for place in 0...bytes.count {
        #expect(read([bytes[..<place], bytes[place...]], limits).1 == .tooLong, "\(refused), cut at \(place)")
      }
    }
  }

  @Test func `of any length hold no more than what is still to be read`() throws {
    var decoder = RESPDecoder()
    let reply = Array("$1000\r\n".utf8) + Array(repeating: 0x61, count: 1_000) + [0x0D, 0x0A]
    for _ in 0..<1_000 {
      decoder.feed(reply.dropLast())
      #expect(try decoder.next() == nil)
      #expect(decoder.heldBytes <= 1_002)
      decoder.feed(reply.suffix(1))
      #expect(try decoder.next() != nil)
      #expect(decoder.heldBytes == 0)
    }
  }

  @Test(arguments: 1...20 as ClosedRange<UInt64>) func `made at random are read back, however cut`(_ seed: UInt64) {
    var random = SplitMix(seed: seed)
    var values: [RESPValue] = []
    var stream: [UInt8] = []
    for _ in 0..<50 {
      let value = RESPValue.random(&random, depth: 3)
      values.append(value)
      stream += value.spelling
    }
    var pieces: [ArraySlice<UInt8>] = []
    var place = 0
    while place < stream.count {
      let end = min(stream.count, place + 1 + random.below(40))
      pieces.append(stream[place..<end])
      place = end
    }
    #expect(read(pieces) == (values, nil), "seed \(seed)")
  }

  @Test(arguments: 1...20 as ClosedRange<UInt64>) func `spoilt at random never trap`(_ seed: UInt64) {
    var random = SplitMix(seed: seed)
    for _ in 0..<200 {
      var stream = (0..<3).flatMap { _ in RESPValue.random(&random, depth: 3).spelling }
      for _ in 0...random.below(4) { stream[random.below(stream.count)] = UInt8(random.below(256)) }
      let place = random.below(stream.count + 1)
      #expect(read([stream[...]]) == read([stream[..<place], stream[place...]]), "seed \(seed): \(stream)")
    }
  }

  @Test func `are asked for by arrays of strings`() {
    let words: [[UInt8]] = [Array("HSET".utf8), [0, 0x0D, 0x0A], []]
    #expect(RESPCommand(words).bytes == Array("*3\r\n$4\r\nHSET\r\n$3\r\n\0\r\n\r\n$0\r\n\r\n".utf8))
    #expect(RESPCommand("GET", "é").bytes == Array("*2\r\n$3\r\nGET\r\n$2\r\né\r\n".utf8))
  }
}

extension RESPValue {
  /// How a server would spell it.
  fileprivate var spelling: [UInt8] {
    func line(_ text: String) -> [UInt8] { Array("\(text)\r\n".utf8) }
    func string(_ type: String, _ bytes: [UInt8]) -> [UInt8] { line("\(type)\(bytes.count)") + bytes + line("") }
    func all(_ head: String, _ values: [RESPValue]) -> [UInt8] { line(head) + values.flatMap(\.spelling) }
    return switch self {
    case .simple(let text): line("+\(text)")
    case .error(let text): line("-\(text)")
    case .integer(let number): line(":\(number)")
    case .bulk(let bytes): string("$", bytes)
    case .null: line("_")
    case .boolean(let truth): line(truth ? "#t" : "#f")
    case .double(let number): line(",\(number)")
    case .bigNumber(let text): line("(\(text)")
    case .verbatim(let format, let bytes): string("=", Array("\(format):".utf8) + bytes)
    case .array(let values): all("*\(values.count)", values)
    case .map(let values): all("%\(values.count / 2)", values)
    case .set(let values): all("~\(values.count)", values)
    case .push(let values): all(">\(values.count)", values)
    }
  }

  fileprivate static func random(_ random: inout SplitMix, depth: Int) -> RESPValue {
    func bytes() -> [UInt8] { (0..<random.below(30)).map { _ in UInt8(random.below(256)) } }
    func values(_ count: Int) -> [RESPValue] { (0..<count).map { _ in .random(&random, depth: depth - 1) } }
    switch random.below(depth > 0 ? 13 : 9) {
    case 0: return .simple("OK \(random.below(100))")
    case 1: return .error("ERR no \(random.below(100))")
    case 2: return .integer(Int64(bitPattern: random.next()))
    case 3: return .bulk(bytes())
    case 4: return .null
    case 5: return .boolean(random.below(2) == 0)
    case 6: return .double(random.unit() * 1e6)
    case 7: return .bigNumber("-\(random.next())\(random.next())")
    case 8: return .verbatim(format: "txt", bytes())
    case 9: return .array(values(random.below(5)))
    case 10: return .map(values(2 * random.below(4)))
    case 11: return .set(values(random.below(5)))
    default: return .push(values(1 + random.below(4)))
    }
  }
}
