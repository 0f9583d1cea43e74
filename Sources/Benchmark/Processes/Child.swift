import Glibc
import Platform

/// A process that a scenario has started; it ends with its last holder.
final class Child {
  let pid: pid_t
  /// What it writes to the one stream that is looked at.
  let output: Descriptor
  /// Its standard input, if it has one.
  private let input: Descriptor?
  private var hasEnded = false

  enum Stream: Int32 { case output = 1, error = 2 }

  /// - Parameters:
  ///   - stream: what `output` reads; the other goes nowhere.
  ///   - processor: where it may run; nil: everywhere.
  init(_ words: [String], reading stream: Stream, hasInput: Bool = false, processor: Int? = nil) throws(SystemError) {
    let outward = try Self.pipe()
    let inward = hasInput ? try Self.pipe() : nil
    // Safe: to the end of the initializer, what is passed lives through the calls, and the actions are destroyed once.
    var actions = unsafe posix_spawn_file_actions_t()
    unsafe posix_spawn_file_actions_init(&actions)
    defer { unsafe _ = posix_spawn_file_actions_destroy(&actions) }
    let other = stream == .output ? Stream.error : .output
    unsafe posix_spawn_file_actions_addopen(&actions, other.rawValue, "/dev/null", O_WRONLY, 0)
    unsafe posix_spawn_file_actions_adddup2(&actions, outward.write.number, stream.rawValue)
    if let inward {
      unsafe posix_spawn_file_actions_adddup2(&actions, inward.read.number, 0)
    } else {
      unsafe posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
    }
    var arguments = unsafe words.map { unsafe strdup($0) } + [nil]
    defer { unsafe arguments.forEach { unsafe free($0) } }
    var pid: pid_t = 0
    let status = Pinning.on(processor) { unsafe posix_spawn(&pid, words[0], &actions, nil, &arguments, environ) }
    if status != 0 { throw SystemError("posix_spawn", words[0], number: status) }
    self.pid = pid
    output = outward.read
    input = inward?.write
  }

  deinit { if !hasEnded { end(SIGKILL) } }

  /// Sends the signal and waits for the end.
  func end(_ signal: Int32 = SIGTERM) {
    if hasEnded { return }
    hasEnded = true
    _ = kill(pid, signal)
    var status: Int32 = 0
    // Safe: the kernel writes one number.
    while unsafe waitpid(pid, &status, 0) < 0 && errno == EINTR {}
  }

  /// Text up to the first line that `isLast` accepts; what comes after it in the same read is dropped.
  func readLines(until isLast: (Substring) -> Bool) throws(SystemError) -> String {
    var text = ""
    var room = [UInt8](repeating: 0, count: 4_096)
    while true {
      let transfer = unsafe room.withUnsafeMutableBytes { unsafe output.read(into: $0) }
      guard case .bytes(let count) = transfer else { throw SystemError("read", "output of a child", number: EPIPE) }
      text += String(decoding: room[..<count], as: UTF8.self)
      if text.split(separator: "\n").contains(where: isLast) { return text }
    }
  }

  /// Writes to its standard input.
  func write(_ text: String) {
    guard let input else { return }
    var text = text
    // Safe: the text lives through the call.
    _ = text.withUTF8 { unsafe Glibc.write(input.number, $0.baseAddress, $0.count) }
  }

  private static func pipe() throws(SystemError) -> (read: Descriptor, write: Descriptor) {
    var ends: [Int32] = [0, 0]
    // Safe: the kernel writes two numbers.
    if unsafe Glibc.pipe(&ends) < 0 { throw SystemError("pipe") }
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    return (Descriptor(owning: ends[0]), Descriptor(owning: ends[1]))
  }
}
