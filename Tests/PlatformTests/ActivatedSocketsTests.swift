import Glibc
import Testing

@testable import Platform

@Suite struct `activated sockets` {
  static let environments: [(process: String?, count: String?, names: String?, expected: [String])] = [
    ("7", "2", "udp:http", ["3 udp", "4 http"]),
    ("7", "3", "udp", ["3 udp", "4 unknown", "5 unknown"]),
    ("7", "1", "a:b:c", ["3 a"]),
    ("7", "2", nil, ["3 unknown", "4 unknown"]),
    ("7", "2", ":b", ["3 ", "4 b"]),
    ("8", "2", "udp:http", []),
    (nil, "2", "udp:http", []),
    ("7", nil, "udp:http", []),
    ("7", "0", "", []),
    ("7", "-1", "", []),
    ("7", "4097", "", []),
    ("7", "x", "", []),
    ("x", "1", "", []),
  ]

  @Test(arguments: environments)
  func `are named by the environment`(_ process: String?, _ count: String?, _ names: String?, _ expected: [String]) {
    let found = ActivatedSocket.descriptors(process: process, count: count, names: names, ownProcess: 7)
    #expect(found.map { "\($0.descriptor) \($0.name)" } == expected)
  }

  static let kinds: [(family: Int32, type: Int32, listens: Bool, ActivatedSocket.Kind, ActivatedSocket.Family)] = [
    (AF_INET, Int32(SOCK_DGRAM.rawValue), false, .datagram, .internet),
    (AF_INET6, Int32(SOCK_DGRAM.rawValue), false, .datagram, .internet),
    (AF_INET, Int32(SOCK_STREAM.rawValue), true, .stream, .internet),
    (AF_INET, Int32(SOCK_STREAM.rawValue), false, .stream, .internet),
    (AF_UNIX, Int32(SOCK_DGRAM.rawValue), false, .datagram, .unix),
    (AF_UNIX, Int32(SOCK_STREAM.rawValue), false, .stream, .unix),
  ]

  @Test(arguments: kinds)
  func `are told apart by the kernel, and closed to children`(
    _ family: Int32, _ type: Int32, _ listens: Bool, _ kind: ActivatedSocket.Kind, _ expected: ActivatedSocket.Family
  ) throws {
    let descriptor = socket(family, type, 0)
    defer { close(descriptor) }
    // An unbound socket that listens gets a free port.
    if listens { try #require(listen(descriptor, 1) == 0) }
    let found = try ActivatedSocket(descriptor: descriptor, name: "n")
    #expect(found.kind == kind && found.family == expected && found.isListening == listens && found.name == "n")
    #expect(fcntl(descriptor, F_GETFD) == FD_CLOEXEC)
  }

  @Test func `that are none are a fault which names them`() {
    #expect(throws: SystemError("fcntl", "descriptor -1 (udp)", number: EBADF)) {
      try ActivatedSocket(descriptor: -1, name: "udp")
    }
    let file = open("/dev/null", O_RDONLY)
    defer { close(file) }
    #expect(throws: SystemError("getsockopt", "descriptor \(file) (udp)", number: ENOTSOCK)) {
      try ActivatedSocket(descriptor: file, name: "udp")
    }
    let sequenced = socket(AF_UNIX, Int32(SOCK_SEQPACKET.rawValue), 0)
    defer { close(sequenced) }
    #expect(throws: SystemError("getsockopt", "descriptor \(sequenced) (udp)", number: ESOCKTNOSUPPORT)) {
      try ActivatedSocket(descriptor: sequenced, name: "udp")
    }
  }

  @Test func `are none where nobody handed any over`() throws {
    #expect(try ActivatedSocket.handedOver { _ in nil }.isEmpty)
  }
}
