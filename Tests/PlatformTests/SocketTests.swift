import Foundation
import Glibc
import Testing

@testable import Platform

@Suite struct SocketTests {
  private func loopback(_ port: UInt16 = 0) throws -> SocketAddress {
    try #require(SocketAddress(v4: "127.0.0.1", port: port))
  }

  private func receiveAll(_ socket: Descriptor, _ arena: inout DatagramArena) -> Int {
    var count = 0
    while case let more = arena.receive(socket), more > 0 { count += more }
    return count
  }

  /// A number of small datagrams from a socket of its own.
  private func send(_ count: Int, to address: SocketAddress, from sender: Descriptor) {
    for _ in 0..<count {
      _ = unsafe address.withPointer { unsafe sendto(sender.number, "visit:page1|c", 13, 0, $0, $1) }
    }
  }

  private func sender() throws -> Descriptor { try Socket.boundDatagram(loopback()) }

  @Test(arguments: ["127.0.0.1", "::1"])
  func `a socket is bound where it is asked to, and says where that is`(host: String) throws {
    let address = try #require(SocketAddress(v4: host, port: 0) ?? SocketAddress(v6: host, port: 0))
    #expect(address.isV6 == (host == "::1"))
    let bound = Socket.localAddress(try Socket.boundDatagram(address))
    #expect(bound.description.hasPrefix(host == "::1" ? "[::1]:" : "127.0.0.1:"))
    #expect(!bound.description.hasSuffix(":0"))
  }

  @Test func `sockets of one group share a port, and each datagram reaches one of them`() throws {
    let first = try Socket.boundDatagram(loopback())
    let address = Socket.localAddress(first)
    let group = try [first] + (0..<3).map { _ in try Socket.boundDatagram(address) }
    for _ in 0..<20 { send(5, to: address, from: try sender()) }
    var arena = try DatagramArena()
    // A sender's datagrams are not spread: each socket has a multiple of five.
    var counts: [Int] = []
    for socket in group { counts.append(receiveAll(socket, &arena)) }
    #expect(counts.reduce(0, +) == 100)
    #expect(counts.allSatisfy { $0 % 5 == 0 })
  }

  @Test func `a port without a group is refused to a second listener, by name`() throws {
    let first = try Socket.listening(loopback(), reusesPort: false)
    let address = Socket.localAddress(first)
    let error = #expect(throws: SystemError.self) { try Socket.listening(address, reusesPort: false) }
    #expect(error?.description == "bind \(address): Address already in use")
  }

  @Test func `a connection is accepted once, with its peer's address, and never waited for`() throws {
    let listener = try Socket.listening(loopback(), reusesPort: true)
    #expect(try Socket.accept(listener) == nil)
    let client = Descriptor(owning: socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0))
    let address = Socket.localAddress(listener)
    #expect(unsafe address.withPointer { unsafe connect(client.number, $0, $1) } == 0)
    let (connection, peer) = try #require(try Socket.accept(listener))
    #expect(peer.description == Socket.localAddress(client).description)
    #expect(try Socket.accept(listener) == nil)
    Socket.sendAtOnce(connection)
    // Neither blocking nor open in a child.
    #expect(fcntl(connection.number, F_GETFL) & O_NONBLOCK != 0 && fcntl(connection.number, F_GETFD) & FD_CLOEXEC != 0)
    var room = [UInt8](repeating: 0, count: 8)
    #expect(unsafe room.withUnsafeMutableBytes { unsafe connection.read(into: $0) } == .wouldBlock)
    #expect(connection.write([1, 2, 3].span) == .bytes(3))
    #expect(unsafe room.withUnsafeMutableBytes { unsafe client.read(into: $0) } == .bytes(3))
    connection.shutdownWriting()
    #expect(unsafe room.withUnsafeMutableBytes { unsafe client.read(into: $0) } == .end)
  }

  @Test func `a peer that is gone is an error and no signal`() throws {
    var pair: [Int32] = [0, 0]
    #expect(unsafe socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &pair) == 0)
    let one = Descriptor(owning: pair[0])
    do { _ = Descriptor(owning: pair[1]) }
    #expect(one.write([1].span) == .failed(EPIPE))
  }

  @Test func `what a full buffer drops is what was sent less what was received`() throws {
    let receiver = try Socket.boundDatagram(loopback())
    #expect(Socket.setReceiveBuffer(receiver, bytes: 4_096) >= 1_024)
    #expect(Socket.drops(receiver) == 0)
    send(1_000, to: Socket.localAddress(receiver), from: try sender())
    var arena = try DatagramArena()
    let received = receiveAll(receiver, &arena)
    #expect(received > 0 && received < 1_000)
    #expect(Int(Socket.drops(receiver)) == 1_000 - received)
  }

  @Test func `a buffer is granted as asked where the kernel allows it`() throws {
    let receiver = try Socket.boundDatagram(loopback())
    #expect(Socket.setReceiveBuffer(receiver, bytes: 65_536) == 65_536)
  }

  @Test func `once arrivals are refused nothing vanishes: sent is read and dropped, or the sender learns of it`() throws
  {
    let receiver = try Socket.boundDatagram(loopback())
    let address = Socket.localAddress(receiver)
    var arena = try DatagramArena()
    let from = try sender()
    send(7, to: address, from: from)
    try Socket.refuseArrivals(receiver)
    let connected = try sender()
    #expect(unsafe address.withPointer { unsafe connect(connected.number, $0, $1) } == 0)
    // The first is turned away, of which the second tells.
    #expect(connected.write([1].span) == .bytes(1))
    #expect(connected.write([1].span) == .failed(ECONNREFUSED))
    let received = receiveAll(receiver, &arena)
    #expect(received == 7)
    #expect(Socket.drops(receiver) == 0)
  }

  @Test func `a receiver that is read while it closes its books accounts for every datagram`() throws {
    let receiver = try Socket.boundDatagram(loopback())
    _ = Socket.setReceiveBuffer(receiver, bytes: 4 << 20)
    let address = Socket.localAddress(receiver)
    let from = try sender()
    #expect(unsafe address.withPointer { unsafe connect(from.number, $0, $1) } == 0)
    let sent = Sent()
    let thread = try Thread("sender") {
      // Until it learns that nobody listens.
      while from.write([1, 2, 3].span) == .bytes(3) { sent.count += 1 }
    }
    var arena = try DatagramArena()
    var received = 0
    while received < 2_000 { received += arena.receive(receiver) }
    try Socket.refuseArrivals(receiver)
    thread.join()
    received += receiveAll(receiver, &arena)
    // The one that was turned away: the sender learned of it with its next, which was not sent.
    #expect(sent.count == received + Int(Socket.drops(receiver)) + 1)
  }

  /// Written by a sender's thread, read once it has ended.
  private final class Sent: @unchecked Sendable {
    var count = 0
  }
}

@Suite struct UnixSocketTests {
  private let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)

  /// Runs `body` with a path in a folder of its own.
  private func withPath(_ body: (String) throws -> Void) throws {
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    try body(folder.appending(path: "s").path)
  }

  private func error(_ body: () throws -> Void) -> Int32? {
    do { try body() } catch let error as SystemError { return error.number } catch {}
    return nil
  }

  @Test func `a socket file that a program left behind is replaced`() throws {
    for isStream in [false, true] {
      try withPath { path in
        do { _ = isStream ? try Socket.listening(path: path) : try Socket.boundDatagram(path: path) }
        #expect(FileManager.default.fileExists(atPath: path))
        let again = isStream ? try Socket.listening(path: path) : try Socket.boundDatagram(path: path)
        #expect(Socket.localPath(again) == path)
      }
    }
  }

  @Test func `a socket in use is refused and goes on working`() throws {
    try withPath { path in
      let live = try Socket.listening(path: path)
      #expect(error { _ = try Socket.listening(path: path) } == EADDRINUSE)
      #expect(error { _ = try Socket.boundDatagram(path: path) } == EADDRINUSE)
      let client = Descriptor(owning: socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0))
      var address = sockaddr_un()
      address.sun_family = sa_family_t(AF_UNIX)
      unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: path.utf8) }
      let status = unsafe withUnsafeBytes(of: &address) {
        unsafe connect(client.number, $0.baseAddress!.assumingMemoryBound(to: sockaddr.self), socklen_t($0.count))
      }
      #expect(status == 0)
      #expect(try Socket.accept(live) != nil)
    }
    try withPath { path in
      let live = try Socket.boundDatagram(path: path)
      #expect(error { _ = try Socket.boundDatagram(path: path) } == EADDRINUSE)
      #expect(Socket.localPath(live) == path)
    }
  }

  @Test func `a file that is no socket is never removed`() throws {
    try withPath { path in
      try Data("precious".utf8).write(to: URL(filePath: path))
      #expect(error { _ = try Socket.boundDatagram(path: path) } == EADDRINUSE)
      #expect(error { _ = try Socket.listening(path: path) } == EADDRINUSE)
      #expect(try Data(contentsOf: URL(filePath: path)) == Data("precious".utf8))
    }
  }

  @Test func `what is wrong with a path is said as it is`() throws {
    #expect(error { _ = try Socket.boundDatagram(path: "/nowhere/at/all") } == ENOENT)
    #expect(error { _ = try Socket.listening(path: String(repeating: "x", count: 200)) } == ENAMETOOLONG)
  }

  @Test func `whoever may enter the folder may send`() throws {
    try withPath { path in
      let socket = try Socket.boundDatagram(path: path)
      let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
      #expect(mode == 0o666)
      #expect(Socket.localAddress(socket).description == "")
    }
  }
}
