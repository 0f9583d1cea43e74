import Testing

@testable import Agent

@Suite struct `a configuration` {
  typealias Address = Configuration.ListenAddress

  @Test func `has the documented defaults`() {
    let defaults = Configuration()
    #expect(defaults.file == nil)
    #expect(defaults.udp == [Address(host: .v4("127.0.0.1"), port: 8125)])
    #expect(defaults.tcp == [Address(host: .v4("127.0.0.1"), port: 8125)])
    #expect(defaults.unixDatagram == [] && defaults.unixStream == [])
    #expect(defaults.http == [Address(host: .v4("127.0.0.1"), port: 8080)])
    #expect(defaults.workers == nil)
    #expect(defaults.receiveBufferBytes == 8 << 20)
    #expect(defaults.streamConnections == 4_096 && defaults.httpConnections == 4_096)
    #expect(defaults.streamIdle == .seconds(600) && defaults.httpIdle == .seconds(60))
    #expect(defaults.keyLabels.map(\.metric) == ["visit", "buy"])
    #expect(defaults.keyLabels.map(\.label) == ["page", "promotion"])
    #expect(defaults.gaugeSign == .delta && !defaults.strict)
    #expect(defaults.flushInterval == .seconds(1))
    #expect(defaults.maxSeries == 1_000_000 && defaults.maxSeriesPerMetric == nil)
    #expect(defaults.seriesTTL == .seconds(86_400) && defaults.counterTTL == nil)
    #expect(defaults.quantiles == [0.5, 0.9, 0.95, 0.99] && defaults.quantileWindow == .seconds(60))
    #expect(defaults.buckets == [])
    #expect(defaults.logLevel == .info && defaults.logFormat == .text)
  }

  static let addresses: [(String, Address)] = [
    ("127.0.0.1:8125", Address(host: .v4("127.0.0.1"), port: 8125)),
    ("0.0.0.0:0", Address(host: .v4("0.0.0.0"), port: 0)),
    ("255.255.255.255:65535", Address(host: .v4("255.255.255.255"), port: 65_535)),
    (":8125", Address(host: .all, port: 8125)),
    ("[::]:80", Address(host: .v6("::"), port: 80)),
    ("[::1]:0", Address(host: .v6("::1"), port: 0)),
    ("[2001:DB8:0:0:8:800:200C:417A]:1", Address(host: .v6("2001:DB8:0:0:8:800:200C:417A"), port: 1)),
    ("[fe80::1:2:3:4]:1", Address(host: .v6("fe80::1:2:3:4"), port: 1)),
    ("[1:2:3:4:5:6:7::]:1", Address(host: .v6("1:2:3:4:5:6:7::"), port: 1)),
    ("[::ffff:127.0.0.1]:1", Address(host: .v6("::ffff:127.0.0.1"), port: 1)),
    ("[1:2:3:4:5:6:1.2.3.4]:1", Address(host: .v6("1:2:3:4:5:6:1.2.3.4"), port: 1)),
  ]

  @Test(arguments: addresses)
  func `reads an address and writes it back`(_ text: String, _ expected: Address) {
    #expect(Address(text[...]) == expected)
    #expect(expected.description == text)
  }

  @Test(arguments: [
    "", ":", "8125", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:+80", "127.0.0.1:080", "127.0.0.1:8 ",
    "127.0.0.1:8x",
    "127.0.0:80", "127.0.0.256:80", "127.0.0.01:80", "127.0.0.1.1:80", "127..0.1:80", "localhost:80", "*:80",
    "a[::1]:80", "::1:80",
    "[]:80", "[::1:80", "[::1]", "[::1]80", "[1:2:3:4:5:6:7]:80", "[1:2:3:4:5:6:7:8:9]:80", "[1::2::3]:80", "[:::]:80",
    "[:1]:80",
    "[1:]:80", "[12345::]:80", "[g::]:80", "[1:2:3:4:5:6:7:8::]:80", "[1.2.3.4::]:80", "[::1.2.3]:80",
    "[fe80::1%eth0]:80",
    "[1:2:3:4:5:6:7:1.2.3.4]:80", "٣.0.0.1:80", "127.0.0.1:٣",
  ])
  func `refuses what is no address`(_ text: String) {
    #expect(Address(text[...]) == nil)
  }
}
