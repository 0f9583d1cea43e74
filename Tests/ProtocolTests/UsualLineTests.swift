import Bytes
import Randomness
import Testing

@testable import Protocol

/// The short ways through the reader say of a line what `readSlowly` says of it, or leave it to that.
@Suite struct `a usual line` {
  private static let readers = [
    LineReader(), LineReader(strict: true), LineReader(signedGaugesAreDeltas: false),
  ]

  private func isSame(_ left: Sample, _ right: Sample) -> Bool {
    left.form == right.form && left.kind == right.kind && left.isRelative == right.isRelative
      && left.isInteger == right.isInteger && left.lineStart == right.lineStart && left.nameStart == right.nameStart
      && left.nameEnd == right.nameEnd && left.tagsStart == right.tagsStart && left.tagsEnd == right.tagsEnd
      && left.valueStart == right.valueStart && left.valueEnd == right.valueEnd && left.integer == right.integer
      && left.double.bitPattern == right.double.bitPattern && left.rate == right.rate
      && left.timestamp == right.timestamp && left.skippedSections == right.skippedSections && left.fault == right.fault
  }

  private func check(_ line: [UInt8]) {
    PaddedText(line).read { bytes in
      guard bytes.count > 0 else { return }
      for reader in Self.readers where !isReadAlike(bytes, reader) {
        Issue.record("\(String(decoding: line, as: UTF8.self).debugDescription)")
      }
    }
  }

  private func isReadAlike(_ bytes: PaddedBytes, _ reader: LineReader) -> Bool {
    var usual = Sample()
    var slow = Sample()
    let next = reader.read(bytes, at: 0, into: &usual)
    let end = reader.readSlowly(bytes, at: 0, into: &slow)
    if next != end || !isSame(usual, slow) { return false }
    if !isShortAlike(bytes, reader, slow, end) { return false }
    guard let plain = reader.readPlain(bytes, at: 0) else { return true }
    // A guess, which holds if a series is known by these bytes and they may stand so.
    var spelling = bytes.copy(0..<plain.nameEnd)
    if plain.tagsEnd > 0 { spelling += Array("|#".utf8) + bytes.copy(plain.tagsStart..<plain.tagsEnd) }
    if !reader.plainUse(of: spelling).isSuperset(of: plain.use) { return true }
    var expected = Sample()
    expected.form = .single
    expected.nameEnd = plain.nameEnd
    expected.set(whole: plain.count)
    (expected.tagsStart, expected.tagsEnd) = (plain.tagsStart, plain.tagsEnd)
    (expected.valueStart, expected.valueEnd) = (slow.valueStart, slow.valueEnd)
    return plain.next == end && isSame(expected, slow)
  }

  /// A short line of a timer, a gauge or a set has one plain value and ends behind its type.
  private func isShortAlike(_ bytes: PaddedBytes, _ reader: LineReader, _ slow: Sample, _ end: Int) -> Bool {
    guard let short = reader.readShort(bytes, at: 0, SeparatorWindow(bytes, from: 0)), let kind = short.kind else {
      return true
    }
    let next = short.valueEnd + (kind == .timer ? 4 : 3)
    if kind == .set {
      if !reader.hasMember(bytes, short) { return true }
    } else {
      guard let value = reader.shortValue(bytes, short) else { return true }
      if slow.isRelative || slow.double.bitPattern != value.bitPattern { return false }
    }
    return slow.form == .single && slow.kind == kind && slow.rate == 1 && slow.nameEnd == short.nameEnd && next == end
      && slow.valueStart == short.nameEnd + 1 && slow.valueEnd == short.valueEnd && slow.tagsEnd == 0
      && slow.timestamp == Sample.noTimestamp && slow.skippedSections == 0
  }

  @Test(arguments: [1, 2])
  func `put together at random is read the short and the long way alike`(seed: UInt64) {
    print("seed \(seed)")
    var random = SplitMix(seed: seed)
    let names = [
      "visit", "a", "", "_e{1,1}", "_e{5,4}",
      "a.name.of.twenty.eight.bytes", "a.name.of.twenty.byte", "a.name.that.is.longer.than.thirty.two.bytes", "a|b",
      "é",
    ]
    let values = [
      "1", "7", "1234", "12345678", "123456789", "12.5", ".5", "5.", ".", "-3", "+3", "-0", "-0.0", "0.0", "1.50",
      "1e3",
      "1.2.3", "--1", "nan", "inf", "n", "nil", "page", "page:5", "page:x", "a:b:7", ":", "::1", "1:2", "1:", "/a",
      "0x1",
      "12345.678", "9999999", "", "al ice", "al\u{1}ice", "é", "\r", ",", "18446744073709551616", "page:1.5", "nan:5",
    ]
    let types = ["c", "c", "g", "ms", "s", "h", "d", "m", "x", "cc", "", "ms:2", "c:2|ms"]
    let sections = [
      "|@0.5", "|@.1", "|@0", "|@1e-3", "|@", "|@0.5x", "|#env:prod,host:web1", "|#", "|#a", "|#\r", "|#a:b\r", "|",
      "|T1",
      "|c:x", "|e:y", "|y", "|#tags,that,take:more,than:thirty-two,bytes:of,the:line", ":1", "\r", "|#\u{1}",
    ]
    for _ in 0..<8_000 {
      var line = "\(random.pick(names)):\(random.pick(values))|\(random.pick(types))"
      for _ in 0..<random.below(3) { line += random.pick(sections) }
      line += random.pick(["", "\n", "\nb:2|c\n", "\r\n"])
      check(Array(line.utf8))
    }
  }

  @Test func `of the corpus, cut and changed in a byte, is read the short and the long way alike`() {
    let changes: [UInt8] = Array(":|,#@.\n\r0-".utf8) + [0x00, 0xFF]
    for vector in Corpus.vectors {
      for line in vector.lines {
        check(line)
        for end in line.indices { check(Array(line[..<end])) }
        var changed = line
        for place in line.indices where place % 5 == 0 {
          for byte in changes {
            changed[place] = byte
            check(changed)
          }
          changed[place] = line[place]
        }
      }
    }
  }

  @Test func `at the limit of its length is measured the short and the long way alike`() {
    for length in [LineReader.longestLine - 1, LineReader.longestLine, LineReader.longestLine + 1] {
      for (head, tail) in [("a:1|c|#", ""), ("", ":1|c"), ("a:", "|c"), ("a:", "|s"), ("a:1|ms|@0.5|#", "")] {
        let fill = String(repeating: "k", count: length - head.utf8.count - tail.utf8.count)
        check(Array((head + fill + tail).utf8))
      }
    }
  }

  @Test func `that counts plainly is settled in the caller's loop`() {
    let lines = [
      "visit.page:7|c", "visit:1234|c", "visit:12345678|c", "visit:page1|c", "visit:news|c",
      "visit:1|c|#env:prod,host:web1",
    ]
    let read = lines.map { line in
      PaddedText(line.utf8).read { LineReader().readPlain($0, at: 0) }
    }
    #expect(read.map { $0?.count } == [7, 1234, 12_345_678, 1, 1, 1])
    #expect(read.map { $0?.nameEnd } == [10, 5, 5, 11, 10, 5])
    #expect(read.last??.tagsEnd == lines.last?.utf8.count)
  }

  private static let uses: [(spelling: String, use: PlainUse)] = [
    ("visit", .counted), ("a,k=v", .counted), ("visit|#env:prod", .counted), ("", []), ("_e{1,1}", []),
    ("visit:page1", .keyed), ("visit:/a", .keyed), ("visit:page1|#env:prod", .keyed),
    // Values and numbers gone wrong, which a key given as a tag can look like.
    ("visit:1", []), ("visit:-1", []), ("visit:nan", []), ("visit:", []), ("visit:a:b", []), (":a", []),
    // No line holds these.
    ("\u{3}a\u{1}b", []), ("visit|#a|T1", []), ("visit\nb", []),
  ]

  @Test(arguments: uses)
  func `may begin with what a series is known by, or not`(spelling: String, use: PlainUse) {
    #expect(LineReader().plainUse(of: Array(spelling.utf8)) == use)
    #expect(LineReader(strict: true).plainUse(of: Array(spelling.utf8)) == (use == .keyed ? [] : use))
  }

  @Test func `of a timer, a gauge or a set is read short if it is plain`() {
    func value(_ line: String) -> Double? {
      PaddedText(line.utf8).read { bytes in
        let short = LineReader().readShort(bytes, at: 0, SeparatorWindow(bytes, from: 0))
        return short.flatMap { $0.kind == nil ? nil : LineReader().shortValue(bytes, $0) }
      }
    }
    #expect(value("took:12.5|ms") == 12.5 && value("took:.125|ms") == 0.125 && value("level:12345678|g") == 12_345_678)
    #expect(value("a.name.of.twenty.eight.bytes:1234.567|ms") == 1_234.567 && value("took:0|ms") == 0)
    for line in ["took:-1|ms", "took:1e3|ms", "took:.|ms", "took:1.2.3|ms", "took:1|ms|@0.5", "took:123456789|ms"] {
      #expect(value(line) == nil, "\(line)")
    }
  }
}
