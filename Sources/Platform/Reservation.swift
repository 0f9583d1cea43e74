import Glibc

/// A stretch of address space whose pages appear when they are first touched, zeroed.
///
/// What lies in it never moves, so another thread may keep reading while it fills up; what was never touched costs nothing.
/// The owner frees it; whoever holds a pointer into it must not outlive the owner. `@unchecked Sendable`: the bytes are shared by the
/// rules of whoever lays them out.
@safe
package struct Reservation: ~Copyable, @unchecked Sendable {
  /// First byte, aligned to a page.
  @unsafe package let base: UnsafeMutableRawPointer
  /// Bytes reserved.
  package let byteCount: Int

  /// Reserves `byteCount` bytes, rounded up to whole pages.
  /// - Parameter usesHugePages: asks for 2 MiB pages behind the first 2 MiB, which spares TLB misses in a large table and keeps a
  ///   small one small.
  /// - Throws: `SystemError` when the address space is exhausted (mmap(2), ENOMEM).
  package init(byteCount: Int, usesHugePages: Bool = false) throws(SystemError) {
    let huge = 2 << 20
    let rounded = (max(byteCount, 1) + 4_095) & ~4_095
    // MAP_NORESERVE (0x4000): the reservation is far larger than what will be used, so it must not count as committed.
    let address = unsafe mmap(nil, rounded, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | 0x4000, -1, 0)
    guard let address = unsafe address, unsafe address != MAP_FAILED else { throw SystemError("mmap") }
    unsafe base = address
    self.byteCount = rounded
    if usesHugePages && rounded > 2 * huge {
      // Safe: the advised range lies within the mapping. A kernel without huge pages refuses, and nothing is lost.
      unsafe _ = madvise(address + huge, rounded - huge, MADV_HUGEPAGE)
    } else {
      unsafe _ = madvise(address, rounded, MADV_NOHUGEPAGE)
    }
  }

  /// Gives the whole pages from `offset` to `end` back; they read as zero afterwards.
  package func discard(from offset: Int, to end: Int) {
    precondition(offset >= 0 && end <= byteCount)
    let first = (offset + 4_095) & ~4_095
    let last = (end + 4_095) & ~4_095
    // Safe: within the mapping, whose length is whole pages.
    if first < last { unsafe _ = madvise(base + first, last - first, MADV_DONTNEED) }
  }

  deinit {
    // Safe: the mapping made in init, unmapped once.
    unsafe _ = munmap(base, byteCount)
  }
}
