import CLinux
import Glibc

/// A file without a path that lives as long as somebody holds its descriptor: memfd_create(2). It goes to another process as a socket does.
package enum MemoryFile {
  /// An empty one.
  /// - Parameter name: shown in /proc; nothing else depends on it.
  package static func make(_ name: String) throws(SystemError) -> Descriptor {
    // Safe: the name is passed as a C string that lives through the call.
    let number = unsafe footfall_memfd_create(name, UInt32(FOOTFALL_MFD_CLOEXEC))
    if number < 0 { throw SystemError("memfd_create", name) }
    return Descriptor(owning: number)
  }

  /// Puts `bytes` in the place of what the file held.
  package static func write(_ bytes: [UInt8], to file: Descriptor) throws(SystemError) {
    if ftruncate(file.number, 0) < 0 { throw SystemError("ftruncate", "memory") }
    var written = 0
    while written < bytes.count {
      // Safe: the kernel reads the bytes that are lent for the call.
      let count = unsafe bytes.withUnsafeBytes { room in
        retryingInterrupts {
          unsafe pwrite(file.number, room.baseAddress! + written, room.count - written, off_t(written))
        }
      }
      if count <= 0 { throw SystemError("pwrite", "memory") }
      written += count
    }
  }

  /// All that the file holds.
  /// - Throws: `EFBIG` for more than `limit` bytes.
  package static func read(_ file: Descriptor, limit: Int = 1 << 30) throws(SystemError) -> [UInt8] {
    let size = Int(lseek(file.number, 0, SEEK_END))
    if size < 0 { throw SystemError("lseek", "memory") }
    if size > limit { throw SystemError("read", "memory", number: EFBIG) }
    var bytes = [UInt8](repeating: 0, count: size)
    var taken = 0
    while taken < size {
      // Safe: the kernel writes no more than the rest of the array.
      let count = unsafe bytes.withUnsafeMutableBytes { room in
        retryingInterrupts { unsafe pread(file.number, room.baseAddress! + taken, room.count - taken, off_t(taken)) }
      }
      if count <= 0 { throw SystemError("pread", "memory") }
      taken += count
    }
    return bytes
  }
}
