import Glibc
import Platform

/// A redis-server of the run's own, which keeps everything in memory.
final class RedisProcess {
  private let child: Child
  private let folder: TemporaryFolder
  let url: String

  /// Starts it and waits until it answers.
  /// - Throws: where there is no redis-server.
  init() throws(SystemError) {
    folder = try TemporaryFolder()
    // The name is one of those that the folder removes.
    let path = folder.path + "/stream"
    url = "unix://" + path
    // Elsewhere than what is measured, and in nobody's way, as it would be on another machine.
    let command = [
      "/usr/bin/nice", "-n", "19", "/usr/bin/redis-server", "--port", "0", "--unixsocket", path, "--save", "", "--dir",
      folder.path,
    ]
    child = try Pinning.on(Pinning.senders) { () throws(SystemError) in try Child(command, reading: .output) }
    _ = try child.readLines { $0.contains("accept connections") }
  }

  deinit { child.end() }
}
