import Aggregation
import Platform

/// Every socket of the program, bound, and dealt out to the workers.
///
/// Each internet address has one socket a worker, in one SO_REUSEPORT group: the kernel spreads senders over them, and a sender stays
/// with its worker, which keeps the order of its gauge writes. Unix sockets cannot form groups: a datagram socket belongs to one worker,
/// and at a stream socket all workers wait.
struct Listeners {
  private(set) var plans: [WorkerPlan]
  /// The books of lines' listeners, in the order of the options.
  private(set) var books: [ListenerBooks] = []
  private(set) var http: [Descriptor] = []
  /// Where the HTTP sockets are bound.
  private(set) var httpNames: [String] = []
  /// The sockets that shall refuse arrivals at the end: not those that systemd keeps, whose queue is for the next start.
  private(set) var ownDatagramSockets: [Descriptor] = []
  /// Paths of the unix sockets that the program itself has bound, by the name of their books.
  private(set) var paths: [String: String] = [:]
  /// Every socket by the name of its books, those of HTTP under `http`.
  private(set) var sockets: [(listener: String, sockets: [Descriptor])] = []
  /// Names of the books whose sockets the manager bound, and keeps.
  private(set) var managers: Set<String> = []
  /// The smallest receive buffer that the kernel granted, if less than was asked.
  private(set) var grantedReceiveBuffer: Int?
  private let configuration: Configuration
  private let waitsForDrops: Bool
  private var stock: SocketStock

  /// Binds what `configuration` names. Of what another process left, the manager's sockets take the place of the addresses of their sort;
  /// sockets that the program bound itself serve the addresses that they were bound for, and the rest is to be let go.
  /// - Parameter waitsForDrops: the books of inherited sockets are open in another process (`ListenerBooks.beginDrops`).
  /// - Throws: `SystemError` naming the address and the call.
  init(
    _ configuration: Configuration, workers: Int, inherited: [ActivatedSocket], waitsForDrops: Bool = false
  ) throws(SystemError) {
    self.configuration = configuration
    self.waitsForDrops = waitsForDrops
    plans = (0..<workers).map { WorkerPlan(index: $0) }
    stock = try SocketStock(inherited.filter { !$0.isManagers })
    let activated = inherited.filter(\.isManagers)
    try adopt(activated)
    let has = { (kind: ActivatedSocket.Kind, isHTTP: Bool) in
      activated.contains { $0.kind == kind && $0.family == .internet && ($0.name == "http") == isHTTP }
    }
    if !has(.datagram, false) {
      try Self.hinting("--udp") { () throws(SystemError) in
        for address in stock.inOrder(configuration.udp) { try bindDatagrams(address.socketAddress) }
      }
    }
    if !has(.stream, false) {
      try Self.hinting("--tcp") { () throws(SystemError) in
        for address in stock.inOrder(configuration.tcp) { try bindStreams(address.socketAddress) }
      }
    }
    if !has(.stream, true) {
      try Self.hinting("--http") { () throws(SystemError) in
        for address in stock.inOrder(configuration.http) { try bindHTTP(address.socketAddress) }
      }
    }
    try Self.hinting("--unix-datagram") { () throws(SystemError) in
      for path in configuration.unixDatagram { try bindDatagrams(path: path) }
    }
    try Self.hinting("--unix-stream") { () throws(SystemError) in
      for path in configuration.unixStream { try bindStreams(path: path) }
    }
  }

  /// Lets go of inherited sockets that no address asks for any more.
  mutating func letGo() -> [Descriptor] { stock.takeRest() }

  /// An error of `body` says which option mends it.
  private static func hinting(_ option: String, _ body: () throws(SystemError) -> Void) throws(SystemError) {
    do throws(SystemError) { try body() } catch { throw error.hinting("set \(option)") }
  }

  /// `udp=127.0.0.1:8125,[::1]:8125` and so on, for the first log line.
  var fields: [(name: String, value: Log.Field)] {
    var byKind: [(name: String, addresses: [String])] = []
    func note(_ kind: String, _ address: String) {
      if let index = byKind.firstIndex(where: { $0.name == kind }) {
        byKind[index].addresses.append(address)
      } else {
        byKind.append((kind, [address]))
      }
    }
    for book in books {
      let colon = book.name.firstIndex(of: ":") ?? book.name.startIndex
      let scheme = String(book.name[..<colon])
      let address = String(book.name[colon...].dropFirst())
      note(scheme == "unix" ? (book.kind == .datagrams ? "unix-datagram" : "unix-stream") : scheme, address)
    }
    for name in httpNames { note("http", name) }
    var fields: [(name: String, value: Log.Field)] = []
    for kind in byKind {
      let addresses: String = kind.addresses.joined(separator: ",")
      fields.append((kind.name, Log.Field.text(addresses)))
    }
    return fields
  }

  private mutating func bindDatagrams(_ address: SocketAddress) throws(SystemError) {
    if let group = stock.take(.datagram, address) {
      ownDatagramSockets += group
      return addDatagrams(group, name: "udp:\(Socket.localAddress(group[0]))")
    }
    try Socket.requireFree(address, isStream: false)
    let first = try Socket.boundDatagram(address)
    let bound = Socket.localAddress(first)
    var sockets = [first]
    for _ in plans.dropFirst() { sockets.append(try Socket.boundDatagram(bound)) }
    ownDatagramSockets += sockets
    addDatagrams(sockets, name: "udp:\(bound)")
  }

  private mutating func bindDatagrams(path: String) throws(SystemError) {
    let socket: Descriptor
    if let left = stock.take(.datagram, path: path) {
      socket = left
    } else {
      socket = try Socket.boundDatagram(path: path)
    }
    paths["unix:\(path)"] = path
    ownDatagramSockets.append(socket)
    // One worker reads it, so that a sender's order is kept; several paths go to several workers.
    let owner = books.count % plans.count
    addDatagrams([socket], name: "unix:\(path)", firstOwner: owner)
  }

  private mutating func addDatagrams(_ sockets: [Descriptor], name: String, firstOwner: Int = 0) {
    let isInternet = !name.hasPrefix("unix:")
    let entry = ListenerBooks(
      name: name, kind: .datagrams, workers: plans.count, sockets: sockets, waitsForDrops: waitsForDrops)
    books.append(entry)
    self.sockets.append((name, sockets))
    for (index, socket) in sockets.enumerated() {
      let granted = Socket.setReceiveBuffer(socket, bytes: configuration.receiveBufferBytes)
      if granted < configuration.receiveBufferBytes {
        grantedReceiveBuffer = min(granted, grantedReceiveBuffer ?? granted)
      }
      if isInternet { Socket.joinDatagrams(socket) }
      plans[(firstOwner + index) % plans.count].datagrams.append(
        .init(
          descriptor: socket, books: entry, receiveBufferBytes: isInternet ? granted : 0, joinsDatagrams: isInternet))
    }
  }

  private mutating func bindStreams(_ address: SocketAddress) throws(SystemError) {
    if let group = stock.take(.stream, address) {
      return addStreams(group, name: "tcp:\(Socket.localAddress(group[0]))")
    }
    try Socket.requireFree(address, isStream: true)
    let first = try Socket.listening(address, reusesPort: true)
    let bound = Socket.localAddress(first)
    var sockets = [first]
    for _ in plans.dropFirst() { sockets.append(try Socket.listening(bound, reusesPort: true)) }
    addStreams(sockets, name: "tcp:\(bound)")
  }

  private mutating func bindStreams(path: String) throws(SystemError) {
    let socket: Descriptor
    if let left = stock.take(.stream, path: path) { socket = left } else { socket = try Socket.listening(path: path) }
    paths["unix:\(path)"] = path
    addShared(socket, name: "unix:\(path)")
  }

  private mutating func addStreams(_ sockets: [Descriptor], name: String) {
    let entry = ListenerBooks(name: name, kind: .stream, workers: plans.count)
    books.append(entry)
    self.sockets.append((name, sockets))
    for (index, socket) in sockets.enumerated() {
      plans[index % plans.count].listeners.append(.init(descriptor: socket, books: entry))
    }
  }

  private mutating func addShared(_ socket: Descriptor, name: String) {
    let entry = ListenerBooks(name: name, kind: .stream, workers: plans.count)
    books.append(entry)
    sockets.append((name, [socket]))
    for index in plans.indices {
      plans[index].listeners.append(.init(descriptor: socket, books: entry, mayBePrefixed: true, isShared: true))
    }
  }

  private mutating func bindHTTP(_ address: SocketAddress) throws(SystemError) {
    if let left = stock.take(.stream, address, isHTTP: true) { return addHTTP(left[0]) }
    addHTTP(try Socket.listening(address, reusesPort: false))
  }

  private mutating func addHTTP(_ socket: Descriptor) {
    http.append(socket)
    httpNames.append(Socket.localAddress(socket).description)
    sockets.append(("http", [socket]))
  }

  /// Takes over what the manager bound, by what each socket is; a stream named `http` is for queries.
  private mutating func adopt(_ activated: [ActivatedSocket]) throws(SystemError) {
    var datagrams: [(String, [Descriptor])] = []
    var streams: [(String, [Descriptor])] = []
    func add(_ socket: Descriptor, _ name: String, to list: inout [(String, [Descriptor])]) {
      if let index = list.firstIndex(where: { $0.0 == name }) {
        list[index].1.append(socket)
      } else {
        list.append((name, [socket]))
      }
    }
    for entry in activated {
      let socket = Descriptor(owning: entry.descriptor)
      try Socket.stopBlocking(socket)
      let address = Socket.localAddress(socket).description
      switch (entry.kind, entry.family, entry.name) {
      case (.stream, .internet, "http"):
        addHTTP(socket)
        managers.insert("http")
      case (.datagram, .internet, _): add(socket, "udp:\(address)", to: &datagrams)
      case (.stream, .internet, _): add(socket, "tcp:\(address)", to: &streams)
      case (.datagram, .unix, _): add(socket, "unix:\(Socket.localPath(socket))", to: &datagrams)
      case (.stream, .unix, _): addShared(socket, name: "unix:\(Socket.localPath(socket))")
      }
    }
    for (name, sockets) in datagrams { addDatagrams(sockets, name: name) }
    for (name, sockets) in streams { addStreams(sockets, name: name) }
    managers.formUnion(books.map(\.name))
  }
}

extension Configuration.ListenAddress {
  /// As the kernel takes it. `Options` has checked the text.
  var socketAddress: SocketAddress {
    let address =
      switch host {
      case .all: SocketAddress(v6: "::", port: port)
      case .v4(let text): SocketAddress(v4: text, port: port)
      case .v6(let text): SocketAddress(v6: text, port: port)
      }
    guard let address else { preconditionFailure("an address that its reader let through: \(self)") }
    return address
  }
}
