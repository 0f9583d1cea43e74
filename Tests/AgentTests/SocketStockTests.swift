import Glibc
import Platform
import Testing

@testable import Agent

@Suite struct `sockets that came back` {
  @Test func `serve the address that they are bound to, as a group`() throws {
    let (first, port) = try bound(Int32(SOCK_DGRAM.rawValue))
    let (second, _) = try bound(Int32(SOCK_DGRAM.rawValue), port: port)
    var stock = try SocketStock([first, second])
    #expect(stock.take(.stream, try address("127.0.0.1:\(port)")) == nil)
    #expect(stock.take(.datagram, try address("127.0.0.1:1")) == nil)
    #expect(stock.take(.datagram, try address("127.0.0.1:\(port)"))?.count == 2)
    #expect(stock.takeRest().isEmpty)
  }

  @Test func `serve port 0 of their host, after the addresses that name a port`() throws {
    let (first, port) = try bound(Int32(SOCK_DGRAM.rawValue))
    let (second, other) = try bound(Int32(SOCK_DGRAM.rawValue))
    var stock = try SocketStock([first, second])
    let wanted = [try listen("127.0.0.1:0"), try listen("127.0.0.1:\(port)")]
    #expect(stock.inOrder(wanted) == [wanted[1], wanted[0]])
    #expect(stock.take(.datagram, try address("[::1]:0")) == nil)
    #expect(stock.take(.datagram, wanted[1].socketAddress)?.map(\.number) == [first.descriptor])
    #expect(stock.take(.datagram, wanted[0].socketAddress)?.map(\.number) == [second.descriptor])
    #expect(port != other && stock.takeRest().isEmpty)
  }

  @Test func `keep queries and lines apart`() throws {
    let (lines, port) = try bound(Int32(SOCK_STREAM.rawValue))
    let (queries, other) = try bound(Int32(SOCK_STREAM.rawValue), name: "footfall.http.x")
    var stock = try SocketStock([lines, queries])
    #expect(stock.take(.stream, try address("127.0.0.1:\(other)")) == nil)
    #expect(stock.take(.stream, try address("127.0.0.1:\(port)"), isHTTP: true) == nil)
    #expect(stock.take(.stream, try address("127.0.0.1:\(other)"), isHTTP: true)?.count == 1)
    #expect(stock.takeRest().map(\.number) == [lines.descriptor])
  }

  @Test func `are of no use once they have refused arrivals`() throws {
    let (socket, port) = try bound(Int32(SOCK_DGRAM.rawValue))
    try Socket.refuseArrivals(Descriptor(owning: dup(socket.descriptor)))
    var stock = try SocketStock([socket])
    #expect(stock.take(.datagram, try address("127.0.0.1:\(port)")) == nil)
    #expect(stock.takeRest().isEmpty)
  }

  private func listen(_ text: String) throws -> Configuration.ListenAddress {
    try #require(Configuration.ListenAddress(text[...]))
  }

  private func address(_ text: String) throws -> SocketAddress { try listen(text).socketAddress }

  /// A socket on a free port of 127.0.0.1, or on `port`. Whoever takes it closes it.
  private func bound(
    _ type: Int32, port: UInt16 = 0, name: String = "footfall.lines.x"
  ) throws -> (socket: ActivatedSocket, port: UInt16) {
    let number = socket(AF_INET, type, 0)
    var on: Int32 = 1
    setsockopt(number, SOL_SOCKET, SO_REUSEPORT, &on, 4)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    address.sin_port = port.bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let status = withUnsafeMutableBytes(of: &address) { bytes in
      let pointer = bytes.assumingMemoryBound(to: sockaddr.self).baseAddress!
      return bind(number, pointer, length) + getsockname(number, pointer, &length)
    }
    try #require(status == 0)
    return (try ActivatedSocket(descriptor: number, name: name), UInt16(bigEndian: address.sin_port))
  }
}
