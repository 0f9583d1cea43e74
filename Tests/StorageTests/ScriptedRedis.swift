import Platform
import Testing

@testable import Storage

/// A server that says what a test wants it to say, and a client, driven by one thread: what comes after what is the test's to choose.
final class ScriptedRedis {
  /// What comes of a command.
  enum Reply {
    case bytes(String)
    /// The end of the connection.
    case close
  }

  let url: RedisURL
  /// Commands that were sent, but for the greeting.
  private(set) var commands: [[String]] = []
  var answer: ([String]) -> Reply = { _ in .bytes("+OK\r\n") }
  var isCluster: Bool

  private let address: SocketAddress
  private var listener: Descriptor?
  private var connections: [(socket: Descriptor, decoder: RESPDecoder)] = []

  init(isCluster: Bool = false) throws {
    self.isCluster = isCluster
    let any = try #require(SocketAddress(v4: "127.0.0.1", port: 0))
    let listener = try Socket.listening(any, reusesPort: false)
    address = Socket.localAddress(listener)
    self.listener = listener
    url = try RedisURL("redis://\(address)")
  }

  var place: RedisURL.Place { url.place }

  func count(_ word: String) -> Int { commands.filter { $0.contains(word) }.count }

  /// A map that gives all slots to one server.
  static func map(_ owner: ScriptedRedis) -> String {
    guard case .tcp(let host, let port) = owner.place else { return "-ERR\r\n" }
    return "*1\r\n%2\r\n+slots\r\n*2\r\n:0\r\n:16383\r\n+nodes\r\n*1\r\n"
      + "%4\r\n+endpoint\r\n+\(host)\r\n+port\r\n:\(port)\r\n+role\r\n+master\r\n+health\r\n+online\r\n"
  }

  /// Is not there any more.
  func leave() {
    listener = nil
    connections = []
  }

  /// Ends its connections, and takes new ones.
  func hangUp() { connections = [] }

  func turn() throws {
    while let listener, let (socket, _) = try Socket.accept(listener) { connections.append((socket, RESPDecoder())) }
    var bytes: [UInt8] = []
    connections = try connections.compactMap { socket, decoder in
      var decoder = decoder
      while case .bytes(let count) = socket.read(1 << 16, into: &bytes) { decoder.feed(bytes[..<count]) }
      while let command = try decoder.next() {
        switch reply(to: (command.elements ?? []).compactMap(\.string)) {
        case .bytes(let text): _ = socket.write(Array(text.utf8).span)
        case .close: return nil
        }
      }
      return (socket, decoder)
    }
  }

  private func reply(to words: [String]) -> Reply {
    switch words.first {
    case "HELLO": return .bytes("%2\r\n+mode\r\n+\(isCluster ? "cluster" : "standalone")\r\n+id\r\n:1\r\n")
    case "CLIENT": return .bytes("+\r\n")
    default:
      commands.append(words)
      return answer(words)
    }
  }
}

/// A client without a thread.
final class DrivenClient {
  let client: RedisClient
  var servers: [ScriptedRedis]
  private(set) var results: [String: Result<RESPValue, RedisFailure>] = [:]

  init(
    _ servers: [ScriptedRedis], prelude: [RESPCommand] = [], _ change: (inout RedisSettings) -> Void = { _ in }
  ) throws {
    self.servers = servers
    var settings = RedisSettings(urls: servers.map(\.url))
    change(&settings)
    client = try RedisClient(settings, wakeUp: WakeUp(), prelude: prelude)
  }

  /// Sends `GET name`, whose result is kept under the name.
  func get(_ name: String, from link: RedisLink? = nil) {
    let command = RESPCommand("GET", name)
    let request = RedisRequest(command, at: link == nil ? KeyPlace(of: name.utf8) : nil) { [unowned self] result, _ in
      results[name] = result
    }
    if let link { client.send(request, to: link) } else { client.send(request) }
  }

  /// Turns until something is so. It does not suspend: among hundreds of tests that want a thread each turn might be later than the
  /// client's own deadlines.
  func until(_ what: String, _ condition: () throws -> Bool) throws {
    for _ in 0..<3_000 {
      client.turn()
      for server in servers { try server.turn() }
      if try condition() { return }
      client.wait(until: Clock.monotonic() + 5_000_000)
    }
    Issue.record("\(what): not within 3,000 turns")
    throw CancellationError()
  }

  func untilUp(_ count: Int? = nil) throws {
    let count = count ?? servers.count
    try until("servers up") { client.links.filter(\.isReady).count == count }
  }
}
