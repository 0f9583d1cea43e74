import Glibc
import Testing

@testable import Platform

@Suite struct `standard error` {
  @Test func `is the stream that has its device and inode`() throws {
    var status = stat()
    try #require(fstat(STDERR_FILENO, &status) == 0)
    #expect(StandardError.isStream("\(status.st_dev):\(status.st_ino)"))
    #expect(!StandardError.isStream("\(status.st_dev):\(status.st_ino + 1)"))
    #expect(!StandardError.isStream("\(status.st_dev + 1):\(status.st_ino)"))
    #expect(!StandardError.isStream(""))
  }
}
