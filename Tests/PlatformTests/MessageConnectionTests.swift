import Foundation
import Testing

@testable import Platform

@Suite struct `a connection for messages` {
  @Test func `carries messages whole, with files`() throws {
    let (near, far) = try MessageConnection.pair()
    let file = try MemoryFile.make("test")
    try MemoryFile.write(Array("in memory".utf8), to: file)
    try near.send("one", [file, file])
    try near.send("two\nlines")
    guard case .message("one", let numbers) = far.receive(seconds: 5) else { return #expect(Bool(false)) }
    #expect(numbers.count == 2)
    for number in numbers {
      let descriptor = Descriptor(owning: number)
      #expect(fcntl(number, F_GETFD) == FD_CLOEXEC)
      #expect(try MemoryFile.read(descriptor) == Array("in memory".utf8))
    }
    guard case .message("two\nlines", let none) = far.receive(seconds: 5) else { return #expect(Bool(false)) }
    #expect(none.isEmpty)
    #expect(near.isOfOneUser && near.peerProcess == Int(getpid()))
  }

  @Test func `takes as many descriptors as the kernel does`() throws {
    let (near, far) = try MessageConnection.pair()
    let file = try MemoryFile.make("test")
    try near.send("many", Array(repeating: file, count: MessageConnection.mostDescriptors))
    guard case .message("many", let numbers) = far.receive(seconds: 5) else { return #expect(Bool(false)) }
    #expect(numbers.count == MessageConnection.mostDescriptors)
    for number in numbers { _ = Descriptor(owning: number) }
  }

  @Test func `says when the other side is gone, or silent`() throws {
    let (near, far) = try MessageConnection.pair()
    var rounds = 0
    guard case .timedOut = far.receive(seconds: 0, meanwhile: { rounds += 1 }) else { return #expect(Bool(false)) }
    #expect(rounds == 1)
    _ = consume near
    guard case .end = far.receive(seconds: 5) else { return #expect(Bool(false)) }
    #expect(throws: SystemError.self) { try far.send("word") }
  }

  @Test func `is for one user alone, and takes the place of a path that nobody answers at`() throws {
    let path = FileManager.default.temporaryDirectory.appending(path: "\(UUID().uuidString).sock").path
    defer { unlink(path) }
    #expect(try MessageConnection.connect(to: path) == nil)
    _ = try MessageConnection.listener(at: path)
    #expect(try MessageConnection.connect(to: path) == nil)
    let listener = try MessageConnection.listener(at: path)
    var status = stat()
    #expect(stat(path, &status) == 0 && status.st_mode & 0o777 == 0o600)
    let near = try #require(try MessageConnection.connect(to: path))
    let far = try MessageConnection.accept(listener)
    try near.send("word")
    guard case .message("word", _) = far.receive(seconds: 5) else { return #expect(Bool(false)) }
  }
}

@Suite struct `a socket in other hands` {
  @Test func `has one cookie, whoever holds it`() throws {
    let one = Descriptor(owning: socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0))
    let other = Descriptor(owning: socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0))
    let copy = Descriptor(owning: dup(one.number))
    #expect(Socket.cookie(one) != 0 && Socket.cookie(one) == Socket.cookie(copy))
    #expect(Socket.cookie(one) != Socket.cookie(other))
  }

  @Test func `gives up what waits there, counted`() throws {
    let receiver = try Socket.boundDatagram(try #require(SocketAddress(v4: "127.0.0.1", port: 0)))
    let sender = Descriptor(owning: socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0))
    let status = Socket.localAddress(receiver).withPointer { connect(sender.number, $0, $1) }
    try #require(status == 0)
    for _ in 0..<3 { #expect(send(sender.number, "x", 1, 0) == 1) }
    #expect(Socket.queuedBytes(receiver) > 0 && !Socket.isConnected(receiver) && Socket.isConnected(sender))
    try Socket.refuseArrivals(receiver)
    #expect(Socket.discard(receiver) == 3 && Socket.queuedBytes(receiver) == 0 && Socket.isConnected(receiver))
  }
}
