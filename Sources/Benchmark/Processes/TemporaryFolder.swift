import Glibc
import Platform

/// A folder for sockets and a journal that goes with its holder.
final class TemporaryFolder {
  let path: String

  init() throws(SystemError) {
    var template = Array("/tmp/footfall-benchmark-XXXXXX".utf8CString)
    // Safe: mkdtemp(3) writes within the text.
    if unsafe template.withUnsafeMutableBufferPointer({ unsafe mkdtemp($0.baseAddress!) }) == nil {
      throw SystemError("mkdtemp")
    }
    path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  deinit {
    for name in ["datagram", "stream"] { File.remove(path + "/" + name) }
    let state = path + "/state"
    for name in (try? Folder(state).names()) ?? [] { File.remove(state + "/" + name) }
    Folder.removeEmpty(state)
    unsafe _ = rmdir(path)
  }
}

extension File {
  /// What a symbolic link names.
  static func link(_ path: String) throws(SystemError) -> String {
    var room = [UInt8](repeating: 0, count: 4_096)
    // Safe: the kernel writes no more than the room holds.
    let count = unsafe room.withUnsafeMutableBytes {
      unsafe readlink(path, $0.baseAddress!.assumingMemoryBound(to: CChar.self), $0.count)
    }
    if count < 0 { throw SystemError("readlink", path) }
    return String(decoding: room[..<count], as: UTF8.self)
  }

  /// Bytes of a file.
  static func size(_ path: String) throws(SystemError) -> Int {
    var status = stat()
    // Safe: the kernel fills the struct that is lent for the call.
    if unsafe stat(path, &status) < 0 { throw SystemError("stat", path) }
    return Int(status.st_size)
  }
}
