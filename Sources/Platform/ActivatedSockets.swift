import Glibc

/// A socket that the manager bound and handed over at the start (sd_listen_fds(3)).
///
/// It must be adopted once: the descriptor is open, close-on-exec, and belongs to whoever takes it.
package struct ActivatedSocket: Equatable, Sendable {
  package enum Kind: Sendable { case datagram, stream }
  package enum Family: Sendable { case internet, unix }

  /// The inherited descriptor.
  package let descriptor: Int32
  /// `FileDescriptorName=` of its unit, which is the unit's own name if it has none; `unknown` if the manager gave no names.
  package let name: String
  /// How it carries data.
  package let kind: Kind
  /// What its addresses are.
  package let family: Family
  /// listen(2) was called: connections are waiting to be accepted.
  package let isListening: Bool
}

extension ActivatedSocket {
  /// The sockets handed over to this process; none if it was started in another way.
  ///
  ///     LISTEN_PID=4711 LISTEN_FDS=2 LISTEN_FDNAMES=udp:http        descriptors 3 and 4
  ///
  /// - Parameters:
  ///   - variable: the value of an environment variable.
  ///   - file: the name of descriptors that are no sockets; they are opened files, and `files` takes them.
  /// - Throws: at the first descriptor that is no socket which the program could serve.
  package static func handedOver(
    _ variable: (String) -> String?, file: String? = nil, files: (Descriptor) -> Void = { _ in }
  ) throws(SystemError) -> [ActivatedSocket] {
    let named = descriptors(
      process: variable("LISTEN_PID"), count: variable("LISTEN_FDS"), names: variable("LISTEN_FDNAMES"),
      ownProcess: getpid())
    var sockets: [ActivatedSocket] = []
    for (descriptor, name) in named {
      if name == file {
        guard fcntl(descriptor, F_SETFD, FD_CLOEXEC) == 0 else { throw SystemError("fcntl", name) }
        files(Descriptor(owning: descriptor))
      } else {
        sockets.append(try ActivatedSocket(descriptor: descriptor, name: name))
      }
    }
    return sockets
  }

  /// SD_LISTEN_FDS_START.
  private static let firstDescriptor: Int32 = 3
  /// More than any unit hands over; a larger number is a broken environment.
  private static let mostDescriptors: Int32 = 4_096

  /// Pure: what the three variables say to the process `ownProcess`. Of what does not hold together nothing is taken.
  static func descriptors(
    process: String?, count: String?, names: String?, ownProcess: Int32
  ) -> [(descriptor: Int32, name: String)] {
    // A parent's variables may still stand in the environment, hence the process id.
    guard let process, Int32(process) == ownProcess, let count = count.flatMap({ Int32($0) }) else { return [] }
    guard count > 0 && count <= mostDescriptors else { return [] }
    let names = names?.split(separator: ":", omittingEmptySubsequences: false) ?? []
    return (0..<count).map { index in
      (firstDescriptor + index, Int(index) < names.count ? String(names[Int(index)]) : "unknown")
    }
  }

  /// Asks the kernel what `descriptor` is, and closes it to the programs that this one might start.
  package init(descriptor: Int32, name: String) throws(SystemError) {
    let subject = "descriptor \(descriptor) (\(name))"
    guard fcntl(descriptor, F_SETFD, FD_CLOEXEC) == 0 else { throw SystemError("fcntl", subject) }
    let type = try Self.option(SO_TYPE, of: descriptor, subject)
    let domain = try Self.option(SO_DOMAIN, of: descriptor, subject)
    switch type {
    case Int32(SOCK_DGRAM.rawValue): kind = .datagram
    case Int32(SOCK_STREAM.rawValue): kind = .stream
    default: throw SystemError("getsockopt", subject, number: ESOCKTNOSUPPORT)
    }
    switch domain {
    case AF_INET, AF_INET6: family = .internet
    case AF_UNIX: family = .unix
    default: throw SystemError("getsockopt", subject, number: EAFNOSUPPORT)
    }
    isListening = try Self.option(SO_ACCEPTCONN, of: descriptor, subject) != 0
    self.descriptor = descriptor
    self.name = name
  }

  private static func option(_ option: Int32, of descriptor: Int32, _ subject: String) throws(SystemError) -> Int32 {
    var value: Int32 = 0
    var size = socklen_t(MemoryLayout<Int32>.size)
    // Safe: the kernel writes at most `size` bytes, which is what `value` has.
    guard unsafe getsockopt(descriptor, SOL_SOCKET, option, &value, &size) == 0 else {
      throw SystemError("getsockopt", subject)
    }
    return value
  }
}
