import Synchronization
import Testing

@testable import Agent

@Suite struct `a log` {
  /// What a log writes, line by line as it was handed over.
  private final class Written: Sendable {
    private let writes = Mutex<[String]>([])
    var lines: [String] { writes.withLock { $0 } }
    func append(_ bytes: [UInt8]) { writes.withLock { $0.append(String(decoding: bytes, as: UTF8.self)) } }
  }

  private func lines(
    _ level: Log.Level = .info, _ format: Log.Format = .text, marksPriority: Bool = false, _ body: (Log) -> Void
  ) -> [String] {
    let written = Written()
    var log = Log(level: level, format: format, journalStream: nil)
    log.marksPriority = marksPriority
    log.now = { 1_795_232_520_123_456_789 }
    log.write = { written.append($0) }
    body(log)
    return written.lines
  }

  @Test func `writes time, level, message and fields, a line at once`() {
    let found = lines {
      $0.info(
        "listening",
        ["udp": .text("127.0.0.1:8125"), "workers": .integer(2), "ratio": .number(0.5), "strict": .flag(false)])
    }
    #expect(found == ["2026-11-21T03:42:00.123Z info listening udp=127.0.0.1:8125 workers=2 ratio=0.5 strict=false\n"])
  }

  @Test func `writes the same as JSON`() {
    let found = lines(.info, .json) {
      $0.warning(
        "a \"b\"",
        [
          "udp": .text("x y"), "line": .bytes([0x61, 0x0A, 0xFF]), "n": .integer(-1), "r": .number(.nan),
          "f": .flag(true),
        ])
    }
    #expect(
      found == [
        #"{"time":"2026-11-21T03:42:00.123Z","level":"warning","message":"a \"b\"","udp":"x y","#
          + "\"line\":\"a\\n\u{FFFD}\","
          + #""n":-1,"r":null,"f":true}"# + "\n"
      ])
  }

  @Test func `leaves out what is less urgent than its level`() {
    let all: (Log) -> Void = {
      $0.error("e")
      $0.warning("w")
      $0.info("i")
      $0.debug("d")
    }
    for (level, count) in zip(Log.Level.allCases, 1...) { #expect(lines(level, .text, all).count == count) }
  }

  @Test func `does not make the fields of a debug line that nobody reads`() {
    var made = 0
    _ = lines(.info) { log in
      func fields() -> KeyValuePairs<String, Log.Field> {
        made += 1
        return [:]
      }
      log.debug("d", fields())
    }
    #expect(made == 0)
  }

  @Test func `marks each line with its priority for the journal`() {
    let found = lines(.debug, .text, marksPriority: true) {
      $0.error("e")
      $0.warning("w")
      $0.info("i")
      $0.debug("d")
    }
    #expect(found.map { $0.prefix(3) } == ["<3>", "<4>", "<6>", "<7>"])
    #expect(lines(.info, .json, marksPriority: true) { $0.info("i") }.first?.hasPrefix("<6>{") == true)
  }

  @Test func `marks nothing when the journal is not its reader`() {
    #expect(!Log(level: .info, format: .text, journalStream: nil).marksPriority)
    #expect(!Log(level: .info, format: .text, journalStream: "0:0").marksPriority)
  }

  static let values: [(bytes: [UInt8], shown: String)] = [
    (Array("visit:page1|c".utf8), "visit:page1|c"),
    (Array("".utf8), #""""#),
    (Array("a b".utf8), #""a b""#),
    (Array("a=b".utf8), #""a=b""#),
    (Array(#"a"b\c"#.utf8), #""a\"b\\c""#),
    (Array("a\nb\r\t".utf8), #""a\nb\r\t""#),
    (Array("caf\u{E9}".utf8), "\"caf\u{E9}\""),
    (Array("\u{1B}[31m\u{7F}".utf8), #""\x1b[31m\x7f""#),
    (Array("\u{9B}31m".utf8), #""\xc2\x9b31m""#),
    ([0x00, 0x07], #""\x00\x07""#),
    ([0x61, 0xFF, 0xC3, 0x28, 0xE2, 0x82], #""a\xff\xc3(\xe2\x82""#),
    ([0xED, 0xA0, 0x80, 0x62], #""\xed\xa0\x80b""#),
  ]

  @Test(arguments: values)
  func `shows a value from anywhere as one harmless word`(_ bytes: [UInt8], _ shown: String) {
    #expect(lines { $0.info("m", ["v": .bytes(bytes)]) } == ["2026-11-21T03:42:00.123Z info m v=\(shown)\n"])
  }

  @Test func `lets no message end its line`() {
    #expect(lines { $0.info("a\nb") } == ["2026-11-21T03:42:00.123Z info a\\nb\n"])
  }
}
