import Glibc

/// Whole files, small ones.
package enum File {
  /// The bytes of a file.
  /// - Throws: `EFBIG` for one of more than `limit` bytes, or what open(2) and read(2) give.
  package static func read(_ path: String, limit: Int) throws(SystemError) -> [UInt8] {
    // Safe: the path is passed as a C string that lives through the call.
    let number = unsafe open(path, O_RDONLY | O_CLOEXEC)
    if number < 0 { throw SystemError("open", path) }
    let descriptor = Descriptor(owning: number)
    var bytes: [UInt8] = []
    var transfer = Descriptor.Transfer.end
    // Safe: read(2) fills no more than the room, and only what it filled is looked at.
    unsafe withUnsafeTemporaryAllocation(byteCount: 65_536, alignment: 16) { room in
      repeat {
        transfer = unsafe descriptor.read(into: room)
        if case .bytes(let count) = transfer { unsafe bytes.append(contentsOf: room[..<count]) }
      } while transfer != .end && bytes.count <= limit && !transfer.isFailure
    }
    if case .failed(let reason) = transfer { throw SystemError("read", path, number: reason) }
    if bytes.count > limit { throw SystemError("read", path, number: EFBIG) }
    return bytes
  }

  /// Whether others than its owner and group may read a file; false for one that is not there.
  package static func isReadableByAll(_ path: String) -> Bool {
    var status = stat()
    // Safe: the kernel fills the struct that is lent for the call.
    return unsafe stat(path, &status) == 0 && status.st_mode & S_IROTH != 0
  }

  /// Removes a file; one that is not there is no error.
  package static func remove(_ path: String) { unsafe _ = unlink(path) }
}

extension Descriptor.Transfer {
  fileprivate var isFailure: Bool {
    switch self {
    case .failed, .wouldBlock: true
    case .bytes, .end: false
    }
  }
}
