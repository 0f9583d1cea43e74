/// What is said to a server before anything else. Pure: replies in, commands out.
///
///     HELLO 3 [AUTH user password] SETNAME name
///       refused as unknown (before Redis 6) → [AUTH [user] password] → INFO cluster
///     [CLIENT LIST ID old → CLIENT KILL ID old]
///     [SELECT db]
///
/// A connection that was given up may still hold commands that the server has not read, while it was stopped, say: they must not come
/// after what a later connection writes. So the server is asked to close it first, if it is still ours by its name.
struct RedisGreeting {
  /// What comes next.
  enum Step: Equatable {
    case send(RESPCommand)
    case ready
    /// The server does not let us in, and why.
    case refused(String)
  }

  private enum Stage { case hello, authenticate, info, list, kill, select, done }

  private let url: RedisURL
  private let name: String
  private let formerID: Int64?
  private var stage = Stage.hello
  /// Whether the server belongs to a Cluster. Known once ready.
  private(set) var isCluster = false
  /// The number that the server gave this connection; nil before RESP3.
  private(set) var clientID: Int64?

  /// - Parameters:
  ///   - name: what the server shows for this connection, the same for all to one server, and nobody else's.
  ///   - formerID: the number of the connection that was given up.
  init(_ url: RedisURL, name: String, formerID: Int64?) {
    self.url = url
    self.name = name
    self.formerID = formerID
  }

  /// The first command.
  var first: RESPCommand {
    var words = ["HELLO", "3"]
    if let password = url.password { words += ["AUTH", url.user ?? "default", password] }
    words += ["SETNAME", name]
    return RESPCommand(words.map { Array($0.utf8) })
  }

  /// Takes the reply to the last command.
  mutating func take(_ reply: RESPValue) -> Step {
    switch (stage, reply) {
    case (.hello, .error(let text)) where Self.knowsNoHello(text):
      guard let password = url.password else { return ask(.info, RESPCommand("INFO", "cluster")) }
      if let user = url.user { return ask(.authenticate, RESPCommand("AUTH", user, password)) }
      return ask(.authenticate, RESPCommand("AUTH", password))
    case (.hello, .error(let text)), (.authenticate, .error(let text)), (.select, .error(let text)):
      return .refused(Self.hinted(text))
    case (.hello, _):
      guard let mode = reply.value(of: "mode")?.string else { return .refused("HELLO was answered by something else") }
      isCluster = mode == "cluster"
      clientID = reply.value(of: "id")?.integer
      if let formerID { return ask(.list, RESPCommand("CLIENT", "LIST", "ID", "\(formerID)")) }
      return select()
    case (.authenticate, _): return ask(.info, RESPCommand("INFO", "cluster"))
    case (.info, _):
      // Who may not ask is taken for one that is no Cluster; MOVED would tell.
      isCluster = reply.string?.contains("cluster_enabled:1") ?? false
      return select()
    case (.list, _):
      let isOurs = reply.string?.contains(" name=\(name) ") ?? false
      guard let formerID, isOurs else { return select() }
      return ask(.kill, RESPCommand("CLIENT", "KILL", "ID", "\(formerID)"))
    case (.kill, _): return select()
    case (.select, _), (.done, _):
      stage = .done
      return .ready
    }
  }

  private mutating func select() -> Step {
    if let database = url.database, database != 0 { return ask(.select, RESPCommand("SELECT", "\(database)")) }
    stage = .done
    return .ready
  }

  private mutating func ask(_ next: Stage, _ command: RESPCommand) -> Step {
    stage = next
    return .send(command)
  }

  private static func knowsNoHello(_ text: String) -> Bool {
    text.hasPrefix("ERR unknown command") || text.hasPrefix("NOPROTO")
  }

  /// Adds the setting that mends it.
  private static func hinted(_ text: String) -> String {
    if text.hasPrefix("NOAUTH") { return "\(text); give the password in --redis, redis://user:password@host" }
    if text.hasPrefix("WRONGPASS") { return "\(text); see user and password in --redis" }
    return text
  }
}
