import HTTPQuery
import Platform

/// The file of bearer tokens that `--token-file` names: read at the start and with each reload.
enum TokenFile {
  /// What the file holds; nil if there is none to read.
  /// - Throws: the file cannot be read, is longer than a file of tokens is, or holds something else or nothing.
  static func read(_ configuration: Configuration) throws(SecretFault) -> BearerTokens? {
    guard let path = configuration.tokenFile else { return nil }
    let text: [UInt8]
    do throws(SystemError) { text = try File.read(path, limit: 1 << 20) } catch {
      throw SecretFault(description: "token-file: \(Log.escaped(error.description))")
    }
    do throws(BearerTokens.Fault) { return try BearerTokens(text) } catch {
      throw SecretFault(description: "token-file \(Log.escaped(path)): \(error)")
    }
  }

}

/// Why a file of secrets cannot be used: `token-file /etc/footfall.tokens: it holds no token: …`.
struct SecretFault: Error, Equatable, CustomStringConvertible {
  let description: String

  /// Says of the files of secrets so if others than their owner and group may read them.
  static func warnIfOpen(_ configuration: Configuration, _ log: Log) {
    for (what, path) in [("token", configuration.tokenFile), ("password", configuration.redisPasswordFile)] {
      guard let path, File.isReadableByAll(path) else { continue }
      log.warning("the \(what) file can be read by everybody on this machine: chmod o-r", ["path": .text(path)])
    }
  }
}
