import Testing

@testable import Platform

@Suite struct SocketAddressTests {
  @Test(
    arguments: [
      ("127.0.0.1", 8125, "127.0.0.1:8125"), ("0.0.0.0", 0, "0.0.0.0:0"),
      ("255.255.255.255", 65_535, "255.255.255.255:65535"),
    ] as [(String, UInt16, String)])
  func `an IPv4 address is read and written`(text: String, port: UInt16, written: String) throws {
    #expect(try #require(SocketAddress(v4: text, port: port)).description == written)
  }

  @Test(
    arguments: [
      ("::1", 8125, "[::1]:8125"), ("::", 80, "[::]:80"), ("2001:DB8:0:0::1", 1, "[2001:db8::1]:1"),
      ("::ffff:10.0.0.1", 9, "[::ffff:10.0.0.1]:9"),
    ] as [(String, UInt16, String)])
  func `an IPv6 address is read and written in its short form`(text: String, port: UInt16, written: String) throws {
    let address = try #require(SocketAddress(v6: text, port: port))
    #expect(address.description == written && address.isV6)
  }

  @Test(arguments: ["", "localhost", "1.2.3", "1.2.3.4.5", "256.0.0.1", "127.0.0.1 ", "::1", "0x7f.1"])
  func `what is no IPv4 address is none`(text: String) { #expect(SocketAddress(v4: text, port: 1) == nil) }

  @Test(arguments: ["", ":", "1::2::3", "fe80::1%lo", "[::1]", "127.0.0.1", "12345::"])
  func `what is no IPv6 address is none`(text: String) { #expect(SocketAddress(v6: text, port: 1) == nil) }
}
