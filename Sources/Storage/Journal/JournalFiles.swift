import Platform

/// The system calls that the journal makes on its directory. The kernel's own are `Folder`'s; the tests' fail where they are told to.
///
/// Names are single path components. Every call may fail with any error, `EINTR` included; nobody here repeats one.
package protocol JournalFiles: Sendable {
  /// All names in the directory, in no order.
  func names() throws(SystemError) -> [String]
  /// Makes a file that is not there yet.
  func create(_ name: String) throws(SystemError) -> any JournalFile
  /// Opens one that is there, to be read; or to be cut as well.
  func open(_ name: String, writable: Bool) throws(SystemError) -> any JournalFile
  /// Removes a file.
  func remove(_ name: String) throws(SystemError)
  /// Gives a file another name, in the place of what has that name.
  func rename(_ name: String, to other: String) throws(SystemError)
  /// Makes the names last through a power cut.
  func synchronize() throws(SystemError)
}

/// One open file of the journal, closed when its last holder lets go of it.
package protocol JournalFile: AnyObject, Sendable {
  /// Writes some of `bytes` at `offset`; returns how many.
  func write(_ bytes: Span<UInt8>, at offset: Int) throws(SystemError) -> Int
  /// Appends up to `count` bytes from `offset` on to `bytes`; returns how many, 0 at the end.
  func read(_ count: Int, at offset: Int, into bytes: inout [UInt8]) throws(SystemError) -> Int
  /// Makes what was written last through a power cut.
  func synchronize() throws(SystemError)
  /// Cuts the file.
  func truncate(to size: Int) throws(SystemError)
  /// Bytes in the file.
  func size() throws(SystemError) -> Int
}

extension Descriptor: JournalFile {}

/// A `Folder` as the journal wants it.
struct KernelFiles: JournalFiles {
  let folder: Folder
  func names() throws(SystemError) -> [String] { try folder.names() }
  func create(_ name: String) throws(SystemError) -> any JournalFile { try folder.create(name) }
  func open(_ name: String, writable: Bool) throws(SystemError) -> any JournalFile {
    try folder.open(name, writable: writable)
  }
  func remove(_ name: String) throws(SystemError) { try folder.remove(name) }
  func rename(_ name: String, to other: String) throws(SystemError) { try folder.rename(name, to: other) }
  func synchronize() throws(SystemError) { try folder.synchronize() }
}

extension JournalFile {
  /// Writes all of `bytes` at `offset`.
  /// - Throws: `ENOSPC` where the kernel takes nothing and gives no reason.
  func writeAll(_ bytes: [UInt8], at offset: Int) throws(SystemError) {
    var done = 0
    while done < bytes.count {
      let count = try write(bytes.span.extracting(done...), at: offset + done)
      if count == 0 { throw SystemError("pwrite", "", number: SystemError.noSpace) }
      done += count
    }
  }
}

/// Does it again where it fails, a few times: when a start reads, a disk in trouble may do what it refused a moment ago, and what could not
/// be read is lost.
func patiently<Result>(_ body: () throws(SystemError) -> Result) throws(SystemError) -> Result {
  for _ in 0..<3 {
    do throws(SystemError) { return try body() } catch { if error.number == SystemError.noEntry { throw error } }
  }
  return try body()
}
