import Glibc

/// Standard error, as the place where log lines go.
package enum StandardError {
  /// Writes `bytes` with one write(2), or with more where the kernel cut the first short.
  ///
  /// What cannot be written is dropped: a log that nobody reads must not stop the program, and there is nobody else to tell.
  package static func write(_ bytes: [UInt8]) {
    var rest = bytes[...]
    while !rest.isEmpty {
      // Safe: the kernel reads the `count` bytes that are lent for the call.
      let written = retryingInterrupts {
        unsafe rest.withUnsafeBytes { unsafe Glibc.write(STDERR_FILENO, $0.baseAddress, $0.count) }
      }
      if written <= 0 { return }
      rest = rest.dropFirst(written)
    }
  }

  /// Whether standard error is the file that `deviceAndInode` names: systemd.exec(5) sets `JOURNAL_STREAM=8:9876` for a process
  /// whose output goes to the journal, and a child whose output was redirected since inherits it.
  package static func isStream(_ deviceAndInode: String) -> Bool {
    var status = stat()
    // Safe: the kernel fills the struct that is lent for the call.
    guard unsafe fstat(STDERR_FILENO, &status) == 0 else { return false }
    return deviceAndInode == "\(status.st_dev):\(status.st_ino)"
  }
}
