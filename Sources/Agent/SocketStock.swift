import Platform

/// Sockets that the program itself once bound and that came back to it, by what they are for and where they are bound.
///
/// An address of the options takes those that are bound to it; one with port 0 takes any of its host that no other address names. A group
/// (SO_REUSEPORT) goes as a whole, and gets no further sockets: one that another user bound could not join it (EADDRINUSE).
struct SocketStock {
  private struct Group {
    var kind: ActivatedSocket.Kind
    var isHTTP: Bool
    /// `127.0.0.1:8125`, or the path of a unix socket.
    var place: String
    var isUnix: Bool
    var sockets: [Descriptor]
  }

  private var groups: [Group] = []

  /// Takes the descriptors over.
  init(_ inherited: [ActivatedSocket]) throws(SystemError) {
    for entry in inherited {
      let socket = Descriptor(owning: entry.descriptor)
      try Socket.stopBlocking(socket)
      // Its last owner did not come to an orderly end: nothing arrives there any more.
      if entry.kind == .datagram && entry.family == .internet && Socket.isConnected(socket) { continue }
      let isUnix = entry.family == .unix
      let place = isUnix ? Socket.localPath(socket) : Socket.localAddress(socket).description
      let isHTTP = entry.name.hasPrefix(Inheritance.httpPrefix)
      let known = groups.firstIndex {
        $0.kind == entry.kind && $0.isHTTP == isHTTP && $0.place == place && $0.isUnix == isUnix && !isUnix && !isHTTP
      }
      if let known {
        groups[known].sockets.append(socket)
      } else {
        groups.append(.init(kind: entry.kind, isHTTP: isHTTP, place: place, isUnix: isUnix, sockets: [socket]))
      }
    }
  }

  /// What nobody has taken.
  mutating func takeRest() -> [Descriptor] {
    defer { groups = [] }
    return groups.flatMap(\.sockets)
  }

  /// Addresses with a port of their own come first, lest one with port 0 take what they name.
  func inOrder(_ addresses: [Configuration.ListenAddress]) -> [Configuration.ListenAddress] {
    groups.isEmpty ? addresses : addresses.filter { $0.port != 0 } + addresses.filter { $0.port == 0 }
  }

  /// The sockets for an address; nil if there are none.
  mutating func take(
    _ kind: ActivatedSocket.Kind, _ address: SocketAddress, isHTTP: Bool = false
  ) -> [Descriptor]? {
    let wanted = address.description
    return take { group in
      guard group.kind == kind, group.isHTTP == isHTTP, !group.isUnix else { return false }
      return group.place == wanted || wanted.hasSuffix(":0") && Self.host(group.place) == Self.host(wanted)
    }
  }

  /// The socket at a path; nil if there is none.
  mutating func take(_ kind: ActivatedSocket.Kind, path: String) -> Descriptor? {
    take { $0.kind == kind && $0.isUnix && $0.place == path }?.first
  }

  private mutating func take(_ isMeant: (Group) -> Bool) -> [Descriptor]? {
    groups.firstIndex(where: isMeant).map { groups.remove(at: $0).sockets }
  }

  /// `127.0.0.1` of `127.0.0.1:8125`.
  private static func host(_ place: String) -> Substring { place[..<(place.lastIndex(of: ":") ?? place.endIndex)] }
}
