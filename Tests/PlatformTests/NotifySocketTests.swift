import Foundation
import Testing

@testable import Platform

@Suite struct `a notify socket` {
  @Test func `tells the manager behind a path`() throws {
    let folder = try Folder()
    let manager = try Manager(path: folder.path + "/notify")
    try NotifySocket(name: folder.path + "/notify").send(.ready, .status("listening on\n:8125"))
    #expect(manager.received() == "READY=1\nSTATUS=listening on :8125\n")
  }

  @Test func `tells the manager behind an abstract name`() throws {
    let name = "footfall-test-\(UInt64.random(in: 0 ... .max))"
    let manager = try Manager(path: "\0" + name)
    try NotifySocket(name: "@" + name).send(.stopping)
    #expect(manager.received() == "STOPPING=1\n")
  }

  @Test func `says since when it reloads, on the monotonic clock`() throws {
    let folder = try Folder()
    let manager = try Manager(path: folder.path + "/notify")
    let before = Clock.monotonic() / 1_000
    try NotifySocket(name: folder.path + "/notify").send(.reloading)
    let lines = manager.received().split(separator: "\n")
    #expect(lines.count == 2 && lines[0] == "RELOADING=1")
    let said = try #require(lines[1].split(separator: "=").last.flatMap { Int64($0) })
    #expect(lines[1].hasPrefix("MONOTONIC_USEC=") && (before...Clock.monotonic() / 1_000).contains(said))
  }

  @Test func `is silent without a manager`() throws {
    try NotifySocket(name: nil).send(.ready)
  }

  static let unreachable: [(name: String, number: Int32)] = [
    ("/nonexistent/notify", ENOENT), ("vsock:2:1234", EAFNOSUPPORT), ("", EAFNOSUPPORT),
    ("/" + String(repeating: "x", count: 107), ENAMETOOLONG), ("@footfall-nobody-listens-here", ECONNREFUSED),
  ]

  @Test(arguments: unreachable)
  func `says why nobody could be told`(_ name: String, _ number: Int32) {
    #expect(throws: SystemError("sendto", name, number: number)) { try NotifySocket(name: name).send(.ready) }
  }
}

/// A folder of its own for one test, gone with it.
private final class Folder {
  let path: String
  init() throws {
    let url = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: false)
    path = url.path
  }
  deinit { try? FileManager.default.removeItem(atPath: path) }
}

/// The other end, as systemd has it: a bound datagram socket.
private final class Manager {
  private let descriptor: Int32

  init(path: String) throws {
    descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0)
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
    let size = socklen_t(MemoryLayout<sa_family_t>.size + path.utf8.count)
    let result = withUnsafeBytes(of: address) {
      bind(descriptor, $0.assumingMemoryBound(to: sockaddr.self).baseAddress, size)
    }
    if result != 0 { throw SystemError("bind", path) }
  }

  deinit { close(descriptor) }

  /// The next datagram, which is there already: a unix socket's sender puts it into the queue itself.
  func received() -> String {
    var bytes = [UInt8](repeating: 0, count: 4_096)
    let count = recv(descriptor, &bytes, bytes.count, Int32(MSG_DONTWAIT))
    return String(decoding: bytes.prefix(max(0, count)), as: UTF8.self)
  }
}
