import Foundation
import Platform
import Testing

@testable import Storage

/// Real Redis servers on free ports of this machine, in a folder of their own, ended with the object.
final class RedisServers {
  let ports: [UInt16]
  let folder: URL
  private var processes: [UInt16: Process] = [:]
  private let isCluster: Bool
  private let options: [String]

  /// - Parameter options: of each server, after ours.
  init(_ count: Int, isCluster: Bool = false, _ options: [String] = []) async throws {
    self.isCluster = isCluster
    self.options = options
    folder = FileManager.default.temporaryDirectory.appending(path: "footfall-redis-\(UUID())")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    // All are held at once, so that no two are the same; a Cluster's nodes have a second one 10,000 higher. Below the ports that the
    // kernel gives to connections (ip_local_port_range), or one might take a port between this and the start of a server.
    var sockets: [Descriptor] = []
    var found: [UInt16] = []
    while found.count < count {
      let port = UInt16.random(in: 11_000..<22_000)
      let pair = [port, port + 10_000].compactMap { SocketAddress(v4: "127.0.0.1", port: $0) }
        .compactMap { try? Socket.listening($0, reusesPort: false) }
      if pair.count < 2 { continue }
      sockets += pair
      found.append(port)
    }
    ports = found
    sockets = []
    for port in ports { try await start(port) }
    if isCluster { try await makeCluster() }
  }

  deinit {
    for process in processes.values {
      kill(process.processIdentifier, SIGKILL)
      process.waitUntilExit()
    }
    try? FileManager.default.removeItem(at: folder)
  }

  var urls: [RedisURL] { ports.map { try! RedisURL("redis://127.0.0.1:\($0)") } }

  /// Starts a server, or starts it again with what it has saved.
  func start(_ port: UInt16) async throws {
    let own = folder.appending(path: "\(port)")
    try FileManager.default.createDirectory(at: own, withIntermediateDirectories: true)
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/redis-server")
    process.arguments = [
      "--port", "\(port)", "--bind", "127.0.0.1", "--dir", own.path, "--save", "", "--unixsocket", own.path + "/s",
    ]
    if isCluster {
      process.arguments! += [
        "--cluster-enabled", "yes", "--cluster-node-timeout", "1000", "--repl-diskless-sync-delay", "0",
      ]
    }
    process.arguments! += options
    process.standardOutput = FileHandle.nullDevice
    process.standardError = FileHandle.nullDevice
    try process.run()
    processes[port] = process
    try await wait("server \(port)") {
      #expect(process.isRunning)
      guard let answer = try? self.cli(port, "PING") else { return false }
      return answer == "PONG" || answer.hasPrefix("NOAUTH")
    }
  }

  func socketPath(_ port: UInt16) -> String { folder.appending(path: "\(port)/s").path }

  func signal(_ port: UInt16, _ number: Int32) throws {
    let process = try #require(processes[port])
    kill(process.processIdentifier, number)
    if number == SIGKILL { process.waitUntilExit() }
  }

  /// What `redis-cli` prints.
  @discardableResult
  func cli(_ port: UInt16, _ words: String...) throws -> String { try cli(port, words) }

  @discardableResult
  func cli(_ port: UInt16, _ words: [String]) throws -> String { try run(["-p", "\(port)"] + words) }

  private func run(_ words: [String]) throws -> String {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/redis-cli")
    process.arguments = words
    let pipe = Pipe()
    process.standardOutput = pipe
    process.standardError = pipe
    try process.run()
    let text = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    return text.trimmingCharacters(in: .whitespacesAndNewlines)
  }

  /// Moves slots of one master to another.
  func reshard(_ slots: Int, from: String, to: String) throws {
    let text = try run([
      "--cluster", "reshard", "127.0.0.1:\(ports[0])", "--cluster-from", from, "--cluster-to", to, "--cluster-slots",
      "\(slots)", "--cluster-yes",
    ])
    #expect(!text.contains("[ERR]"), "\(text)")
  }

  /// Half of them masters, each with one replica that has taken over all it holds.
  private func makeCluster() async throws {
    let nodes = ports.map { "127.0.0.1:\($0)" }
    let said = try run(["--cluster", "create"] + nodes + ["--cluster-replicas", "1", "--cluster-yes"])
    #expect(said.contains("[OK] All 16384 slots covered."), "\(said)")
    try await wait("the Cluster") {
      let linked = ports.filter { (try? cli($0, "INFO", "replication"))?.contains("master_link_status:up") == true }
      return linked.count == ports.count / 2
        && ports.allSatisfy { (try? cli($0, "CLUSTER", "INFO"))?.contains("cluster_state:ok") == true }
    }
  }
}

/// Waits until something is so; that it is not 3,000 times, 10 ms apart or more, is a failure. Tries are what counts, and not time:
/// where hundreds of tests want a thread, a sleep may last a minute.
func wait(_ what: String, until condition: () throws -> Bool) async throws {
  for _ in 0..<3_000 {
    if try condition() { return }
    try await Task.sleep(for: .milliseconds(10))
  }
  Issue.record("\(what): not within 3,000 tries")
  throw CancellationError()
}
