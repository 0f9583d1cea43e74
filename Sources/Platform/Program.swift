import Glibc

/// The process as a whole.
package enum Program {
  /// getpid(2).
  package static var process: Int { Int(getpid()) }

  /// Ends the process (exit(3)).
  package static func exit(status: Int32) -> Never { Glibc.exit(status) }

  /// Raises the soft limit of open descriptors to the hard one (setrlimit(2)). The low one is for programs that use select(2), which
  /// cannot name higher descriptors; this one uses epoll(7).
  package static func raiseDescriptorLimit() {
    var limit = rlimit()
    // Safe: both calls use the structure while they run.
    guard unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return }
    limit.rlim_cur = limit.rlim_max
    unsafe _ = setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
  }
}

/// The environment's variables.
package enum Environment {
  /// All of them; of one that stands twice the first counts, as getenv(3) has it.
  package static func all() -> [String: String] {
    var variables: [String: String] = [:]
    var entry = unsafe environ
    // Safe: the vector ends with a null pointer, and nothing changes it in this program.
    while let text = unsafe entry.pointee {
      let parts = unsafe String(cString: text).split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      if parts.count == 2 && variables[String(parts[0])] == nil { variables[String(parts[0])] = String(parts[1]) }
      unsafe entry += 1
    }
    return variables
  }
}

/// Standard output, for what the operator asked to see.
package enum StandardOutput {
  /// Writes all of it; a reader that has gone away is no error.
  package static func write(_ bytes: [UInt8]) {
    var written = 0
    while written < bytes.count {
      let count = unsafe bytes.withUnsafeBytes { room in
        retryingInterrupts { unsafe Glibc.write(1, room.baseAddress! + written, room.count - written) }
      }
      if count <= 0 { return }
      written += count
    }
  }
}

/// Standard input, to its end.
package enum StandardInput {
  /// Hands on what comes as it comes.
  package static func read(_ body: (Span<UInt8>) -> Void) {
    unsafe withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 65_536) { room in
      while true {
        let count = retryingInterrupts { unsafe Glibc.read(0, room.baseAddress, room.count) }
        if count <= 0 { return }
        // Safe: read(2) filled so many bytes.
        unsafe body(UnsafeBufferPointer(rebasing: room[..<count]).span)
      }
    }
  }
}
