import CLinux
import Glibc

/// A directory that stays open, and its files by name: what is done in it goes to the same directory even if its path is renamed.
package final class Folder: Sendable {
  /// As it was opened, for messages.
  package let path: String
  private let descriptor: Descriptor

  /// Opens a directory (open(2), O_DIRECTORY).
  package init(_ path: String) throws(SystemError) {
    // Safe: the path is passed as a C string that lives through the call.
    let number = unsafe Glibc.open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    if number < 0 { throw SystemError("open", path) }
    descriptor = Descriptor(owning: number)
    self.path = path
  }

  /// Makes a directory and those above it that are missing (mkdir(2)), for this user alone.
  package static func make(_ path: String) throws(SystemError) {
    var end = path.startIndex
    while end < path.endIndex {
      end = path[path.index(after: end)...].firstIndex(of: "/") ?? path.endIndex
      let part = String(path[..<end])
      // Safe: as above.
      if unsafe mkdir(part, 0o700) < 0 && errno != EEXIST && !isFolder(part) { throw SystemError("mkdir", part) }
    }
  }

  /// Removes a directory that is empty (rmdir(2)); any other stays.
  package static func removeEmpty(_ path: String) { unsafe _ = rmdir(path) }

  private static func isFolder(_ path: String) -> Bool { (try? Folder(path)) != nil }

  /// Makes a file that is not there yet, to be read and written by this user alone.
  /// - Throws: `EEXIST` if it is there, or what else openat(2) gives.
  package func create(_ name: String) throws(SystemError) -> Descriptor {
    try open(name, O_RDWR | O_CREAT | O_EXCL)
  }

  /// Opens a file to be read, or to be read and written.
  package func open(_ name: String, writable: Bool) throws(SystemError) -> Descriptor {
    try open(name, writable ? O_RDWR : O_RDONLY)
  }

  /// The same; an empty file is made if there is none.
  package func openOrCreate(_ name: String) throws(SystemError) -> Descriptor { try open(name, O_RDWR | O_CREAT) }

  private func open(_ name: String, _ flags: Int32) throws(SystemError) -> Descriptor {
    // Safe: the name is passed as a C string that lives through the call. O_NOFOLLOW: no file of ours is a link.
    let number = retryingInterrupts {
      unsafe openat(descriptor.number, name, flags | O_CLOEXEC | O_NOFOLLOW, 0o600)
    }
    if number < 0 { throw SystemError("open", "\(path)/\(name)") }
    return Descriptor(owning: number)
  }

  /// Removes a file (unlinkat(2)).
  package func remove(_ name: String) throws(SystemError) {
    // Safe: as above; so for the names below.
    if unsafe unlinkat(descriptor.number, name, 0) < 0 { throw SystemError("unlink", "\(path)/\(name)") }
  }

  /// Gives a file another name, in the place of what has that name (renameat(2)).
  package func rename(_ name: String, to other: String) throws(SystemError) {
    if unsafe renameat(descriptor.number, name, descriptor.number, other) < 0 {
      throw SystemError("rename", "\(path)/\(name)")
    }
  }

  /// Makes the names in it last through a power cut (fsync(2)).
  package func synchronize() throws(SystemError) {
    if retryingInterrupts({ fsync(descriptor.number) }) < 0 { throw SystemError("fsync", path) }
  }

  /// The names in it, without `.` and `..`, in no order.
  package func names() throws(SystemError) -> [String] {
    // Another descriptor: closedir(3) closes what fdopendir(3) was given, and both would share one position.
    let number = retryingInterrupts { unsafe openat(descriptor.number, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC) }
    if number < 0 { throw SystemError("open", path) }
    guard let stream = unsafe fdopendir(number) else {
      let failure = SystemError("fdopendir", path)
      close(number)
      throw failure
    }
    defer { unsafe _ = closedir(stream) }
    var names: [String] = []
    while true {
      errno = 0
      guard let entry = unsafe readdir(stream) else {
        if errno != 0 { throw SystemError("readdir", path) }
        return names
      }
      // Safe: d_name ends in NUL within the entry, which lives until the next readdir(3).
      let name = unsafe withUnsafeBytes(of: &entry.pointee.d_name) { room in
        unsafe String(decoding: room.prefix { $0 != 0 }, as: UTF8.self)
      }
      if name != "." && name != ".." { names.append(name) }
    }
  }
}

/// What is done with a file at a place of its own choice: nothing here moves a position.
extension Descriptor {
  /// Writes some of `bytes` at `offset` (pwrite(2)).
  /// - Returns: how many; fewer than there are where the disk is full or a limit is reached.
  package func write(_ bytes: Span<UInt8>, at offset: Int) throws(SystemError) -> Int {
    // Safe: the kernel reads the bytes before the call returns.
    let count = unsafe bytes.withUnsafeBytes { room in
      retryingInterrupts { unsafe pwrite(number, room.baseAddress, room.count, offset) }
    }
    if count < 0 { throw SystemError("pwrite") }
    return count
  }

  /// Appends up to `count` bytes from `offset` on to `bytes` (pread(2)).
  /// - Returns: how many; 0 at the end.
  package func read(_ count: Int, at offset: Int, into bytes: inout [UInt8]) throws(SystemError) -> Int {
    let begin = bytes.count
    bytes.append(contentsOf: repeatElement(0, count: count))
    // Safe: the kernel writes no more than the room behind `begin` holds.
    let done = unsafe bytes.withUnsafeMutableBytes { room in
      retryingInterrupts { unsafe pread(number, room.baseAddress! + begin, count, offset) }
    }
    let failure = done < 0 ? SystemError("pread") : nil
    bytes.removeLast(count - max(0, done))
    if let failure { throw failure }
    return done
  }

  /// Makes what was written last through a power cut (fdatasync(2)).
  package func synchronize() throws(SystemError) {
    if retryingInterrupts({ fdatasync(number) }) < 0 { throw SystemError("fdatasync") }
  }

  /// Cuts the file (ftruncate(2)).
  package func truncate(to size: Int) throws(SystemError) {
    if retryingInterrupts({ ftruncate(number, size) }) < 0 { throw SystemError("ftruncate") }
  }

  /// Bytes of the file (fstat(2)).
  package func size() throws(SystemError) -> Int {
    var status = stat()
    // Safe: the kernel fills the struct that is lent for the call.
    if unsafe fstat(number, &status) < 0 { throw SystemError("fstat") }
    return Int(status.st_size)
  }

  /// Takes the lock of the file for this open file alone, until its last descriptor is closed (flock(2)).
  /// - Returns: false if another open file has it.
  package func lock() throws(SystemError) -> Bool {
    if retryingInterrupts({ footfall_flock(number, LOCK_EX | LOCK_NB) }) == 0 { return true }
    if errno == EWOULDBLOCK { return false }
    throw SystemError("flock")
  }

  /// Gives the lock back before the descriptor is closed.
  package func unlock() { _ = footfall_flock(number, LOCK_UN) }
}
