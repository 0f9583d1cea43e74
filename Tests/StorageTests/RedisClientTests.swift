import Testing

@testable import Storage

@Suite struct `a client` {
  private let loading = ScriptedRedis.Reply.bytes("-LOADING Redis is loading the dataset in memory\r\n")

  /// All slots are one server's.
  private func cluster(_ count: Int) throws -> [ScriptedRedis] {
    let servers = try (0..<count).map { _ in try ScriptedRedis(isCluster: true) }
    for server in servers {
      server.answer = { [unowned first = servers[0]] words in
        words.first == "CLUSTER" ? .bytes(ScriptedRedis.map(first)) : .bytes("+OK\r\n")
      }
    }
    return servers
  }

  @Test func `waits for the servers of a Cluster that is away, with an old map`() throws {
    let servers = try cluster(1)
    let driven = try DrivenClient(servers)
    let client = driven.client
    try driven.untilUp()
    driven.get("a")
    try driven.until("an answer") { driven.results["a"] != nil }
    servers[0].leave()
    try driven.until("the loss") { client.links[0].trouble != nil }
    client.mapAskedAt = .min / 2
    client.turn()
    #expect(client.mapIsOld && !client.mapIsAsked)
    #expect(client.nextTime == client.links[0].deadline)
  }

  @Test(arguments: ["-WRONGTYPE no\r\n", "-LOADING wait\r\n", "-MOVED 1 127.0.0.1:1\r\n"])
  func `does not say of what was lost once that it was not done`(_ second: String) throws {
    let server = try ScriptedRedis()
    let driven = try DrivenClient([server]) { $0.retries = 8 }
    server.answer = { [unowned server] _ in server.commands.count == 1 ? .close : .bytes(second) }
    try driven.untilUp()
    driven.get("a")
    try driven.until("an end") { driven.results["a"] != nil }
    guard case .failure(let failure)? = driven.results["a"] else {
      Issue.record("an answer")
      return
    }
    #expect(failure.mayBeDone && server.count("a") > 1, "\(failure)")
  }

  @Test func `learns from a redirection that came too late for its command`() throws {
    let servers = try cluster(2)
    let driven = try DrivenClient(servers) { $0.retries = 0 }
    let client = driven.client
    try driven.until("a map") { client.link(for: KeyPlace(of: "a".utf8)) != nil }
    try driven.untilUp()
    let slot = KeyPlace(of: "a".utf8).slot
    servers[0].answer = { [unowned to = servers[1]] words in
      words.first == "GET" ? .bytes("-MOVED \(slot) \(to.place)\r\n") : .bytes(ScriptedRedis.map(to))
    }
    driven.get("a")
    try driven.until("an end") { driven.results["a"] != nil }
    #expect(driven.results["a"] == .failure(.patience("MOVED \(slot) \(servers[1].place)")))
    #expect(client.link(for: KeyPlace(of: "a".utf8))?.url.place == servers[1].place)
    driven.get("a2")
    try driven.until("another map") { servers.reduce(0) { $0 + $1.count("SHARDS") } > 1 }
  }

  @Test func `gives up what has a reply that is too large, and nothing else`() throws {
    let server = try ScriptedRedis()
    server.answer = { $0.last == "large" ? .bytes("*\(1 << 30)\r\n") : .bytes("+OK\r\n") }
    let driven = try DrivenClient([server]) { $0.retries = 20 }
    try driven.untilUp()
    for name in ["before", "large", "after"] { driven.get(name) }
    try driven.until("all answers") { driven.results.count == 3 }
    #expect(server.count("large") == 1)
    #expect(driven.results["before"] == .success(.simple("OK")) && driven.results["after"] == .success(.simple("OK")))
    guard case .failure(let failure)? = driven.results["large"] else {
      Issue.record("an answer")
      return
    }
    #expect(failure.description.contains("larger than any that was asked for") && failure.mayBeDone)
    #expect(driven.client.errors == 0, "no server has refused anything")
  }

  @Test func `does not try again what is for one server alone`() throws {
    let server = try ScriptedRedis()
    server.answer = { [loading] _ in loading }
    let driven = try DrivenClient([server])
    try driven.untilUp()
    driven.get("a", from: driven.client.links[0])
    try driven.until("an end") { driven.results["a"] != nil }
    #expect(driven.results["a"] == .failure(.patience("LOADING Redis is loading the dataset in memory")))
    #expect(server.count("a") == 1 && driven.client.retries == 0)
  }

  @Test func `tells of a server of another kind as long as it is one`() throws {
    let shards = try [false, true].map { try ScriptedRedis(isCluster: $0) }
    let driven = try DrivenClient([shards[0]]) { [url = shards[1].url] in $0.urls.append(url) }
    let client = driven.client
    try driven.untilUp(1)
    #expect(client.conflict == nil)
    driven.servers = shards
    try driven.untilUp(2)
    #expect(client.conflict == "\(shards[1].url): a node of a Cluster among shards")
    shards[1].hangUp()
    try driven.until("the loss") { client.links[1].trouble != nil }
    #expect(client.conflict == nil)
    shards[1].isCluster = false
    try driven.untilUp(2)
    #expect(client.conflict == nil)
  }

  @Test func `uses no server that is none of a Cluster's where a Cluster is wanted`() throws {
    let other = try ScriptedRedis()
    let node = try cluster(1)[0]
    let driven = try DrivenClient([other], prelude: [RESPCommand("SCRIPT")]) { [url = node.url] in
      $0.urls.append(url)
      $0.isCluster = true
    }
    let client = driven.client
    func text(_ server: ScriptedRedis) -> String { "\(server.url): no node of a Cluster" }
    try driven.untilUp(1)
    #expect(client.conflict == text(other))
    driven.get("a")
    #expect(driven.results["a"] == .failure(.unavailable(text(other))))
    driven.servers.append(node)
    try driven.until("a map") { client.link(for: KeyPlace(of: "b".utf8)) != nil }
    driven.get("b")
    try driven.until("an answer") { driven.results["b"] != nil }
    #expect(driven.results["b"] == .success(.simple("OK")) && client.conflict == text(other))
    #expect(other.commands.isEmpty && node.count("SCRIPT") == 1)
    // One that was a node, and is none any more.
    node.hangUp()
    node.isCluster = false
    try driven.until("the loss") { client.links[1].trouble != nil }
    try driven.untilUp(2)
    driven.get("c")
    try driven.until("an end") { driven.results["c"] != nil }
    #expect(driven.results["c"] == .failure(.unavailable(text(node))) && node.count("c") == 0)
  }
}
