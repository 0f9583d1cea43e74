import Testing

@testable import Platform

@Suite struct `a range of addresses` {
  static let ranges: [(range: String, inside: [String], outside: [String])] = [
    ("10.0.0.0/8", ["10.0.0.0", "10.255.255.255", "::ffff:10.1.2.3"], ["11.0.0.0", "9.255.255.255", "::a00:1"]),
    ("192.0.2.7", ["192.0.2.7"], ["192.0.2.6"]), ("192.0.2.7/32", ["192.0.2.7"], ["192.0.2.8"]),
    ("0.0.0.0/0", ["1.2.3.4"], ["2001:db8::1"]), ("::/0", ["1.2.3.4", "2001:db8::1"], []),
    ("2001:db8::/33", ["2001:db8::1", "2001:db8:7fff::"], ["2001:db8:8000::", "2001:db9::"]),
    ("2001:db8::1/128", ["2001:db8::1"], ["2001:db8::2"]), ("fe80::/65", ["fe80::1"], ["fe80::8000:0:0:0"]),
  ]

  @Test(arguments: ranges) func `holds its own`(_ text: String, _ inside: [String], _ outside: [String]) throws {
    let range = try #require(AddressRange(text))
    #expect(range.description == text)
    for address in inside { #expect(range.contains(try #require(SenderAddress(address)))) }
    for address in outside { #expect(!range.contains(try #require(SenderAddress(address)))) }
  }

  @Test(arguments: [
    "", "/8", "10.0.0.0/", "10.0.0.0/33", "10.0.0.1/8", "::/129", "10.0.0.0/8/8", "host", "10.0.0.0/+8",
  ])
  func `is not made of`(_ text: String) { #expect(AddressRange(text) == nil) }
}
