import Glibc
import Testing

@testable import Platform

@Suite struct `a connection that is begun` {
  private func writable(_ socket: Descriptor) throws -> Bool {
    let poll = try Poll()
    try poll.add(socket, token: 1, for: .output)
    return poll.wait(milliseconds: 10_000) { _ in } == 1
  }

  @Test(arguments: ["127.0.0.1", "::1"]) func `reaches a listener of either version`(_ host: String) throws {
    let listener = try Socket.listening(try #require(NameLookup.literal(host, port: 0)), reusesPort: false)
    let socket = try Socket.connecting(to: Socket.localAddress(listener))
    #expect(try writable(socket) && Socket.failure(of: socket, host) == nil)
    let (peer, _) = try #require(try Socket.accept(listener))
    #expect(peer.write([1, 2, 3].span) == .bytes(3))
    let poll = try Poll()
    try poll.add(socket, token: 1, for: .input)
    poll.wait(milliseconds: 10_000) { _ in }
    var bytes: [UInt8] = []
    #expect(socket.read(2, into: &bytes) == .bytes(2) && bytes == [1, 2])
    #expect(socket.read(2, into: &bytes) == .bytes(1) && bytes == [3, 2])
    #expect(socket.read(2, into: &bytes) == .wouldBlock)
  }

  @Test func `to nobody tells why it failed`() throws {
    let listener = try Socket.listening(try #require(NameLookup.literal("127.0.0.1", port: 0)), reusesPort: false)
    let address = Socket.localAddress(listener)
    let failure = { (socket: Descriptor) in Socket.failure(of: socket, address.description) }
    shutdown(listener.number, Int32(SHUT_RDWR))
    let socket = try Socket.connecting(to: address)
    #expect(try writable(socket))
    #expect(failure(socket)?.number == ECONNREFUSED)
    #expect(throws: SystemError.self) { try Socket.connecting(path: "/nobody/listens/here") }
    #expect(throws: SystemError.self) { try Socket.connecting(path: String(repeating: "a", count: 200)) }
  }

  @Test func `finds a host by its name, without waiting for it`() throws {
    #expect(NameLookup.literal("localhost", port: 1) == nil)
    for (host, isKnown) in [("localhost", true), ("no.such.host.invalid", false)] {
      let wakeUp = try WakeUp()
      let poll = try Poll()
      try poll.add(wakeUp.descriptor, token: 1, for: .input)
      let lookup = try NameLookup(host, port: 7) { wakeUp.signal() }
      #expect(poll.wait(milliseconds: 30_000) { _ in } == 1)
      switch lookup.answer {
      case .addresses(let found):
        #expect(isKnown && found.contains { ["127.0.0.1:7", "[::1]:7"].contains($0.description) })
      case .failed(let reason): #expect(!isKnown && !reason.isEmpty)
      case .pending: Issue.record("woken without an answer")
      }
    }
  }
}
