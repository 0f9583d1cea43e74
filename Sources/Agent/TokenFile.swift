import HTTPQuery
import Platform

/// The file of bearer tokens that `--token-file` names: read at the start and with each reload.
enum TokenFile {
  /// Why it cannot be used: `token-file /etc/footfall.tokens: it holds no token: …`.
  struct Fault: Error, Equatable, CustomStringConvertible {
    let description: String
  }

  /// What the file holds; nil if there is none to read.
  /// - Throws: the file cannot be read, is longer than a file of tokens is, or holds something else or nothing.
  static func read(_ configuration: Configuration) throws(Fault) -> BearerTokens? {
    guard let path = configuration.tokenFile else { return nil }
    let text: [UInt8]
    do throws(SystemError) { text = try File.read(path, limit: 1 << 20) } catch {
      throw Fault(description: "token-file: \(Log.escaped(error.description))")
    }
    do throws(BearerTokens.Fault) { return try BearerTokens(text) } catch {
      throw Fault(description: "token-file \(Log.escaped(path)): \(error)")
    }
  }

  /// Says so if others than the file's owner and group may read it.
  static func warnIfOpen(_ configuration: Configuration, _ log: Log) {
    guard let path = configuration.tokenFile, File.isReadableByAll(path) else { return }
    log.warning("the token file can be read by everybody on this machine: chmod o-r", ["path": .text(path)])
  }
}
