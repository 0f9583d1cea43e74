import Platform

/// The file of a password that `--redis-password-file` names: read at the start.
enum PasswordFile {
  /// The first line of the file, else what the environment or a file of options gave; nil: there is no password.
  /// - Throws: the file cannot be read, or its first line is no password.
  static func read(_ configuration: Configuration) throws(SecretFault) -> String? {
    guard let path = configuration.redisPasswordFile else { return configuration.redisPassword }
    let text: [UInt8]
    do throws(SystemError) { text = try File.read(path, limit: 1 << 16) } catch {
      throw SecretFault(description: "redis-password-file: \(Log.escaped(error.description))")
    }
    var line = text.prefix { $0 != UInt8(ascii: "\n") }
    if line.last == UInt8(ascii: "\r") { line.removeLast() }
    guard !line.isEmpty, let password = String(validating: line, as: UTF8.self) else {
      throw SecretFault(
        description: "redis-password-file \(Log.escaped(path)): its first line is no password; want UTF-8, not empty")
    }
    return password
  }
}
