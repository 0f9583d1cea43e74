import CLinux
import Glibc

/// What the kernel says of this process, for the `process_*` metrics (proc(5)).
package struct ProcessFacts {
  /// Resident set (proc(5), statm).
  package var residentBytes: Int64
  /// Address space, reservations included.
  package var virtualBytes: Int64
  /// Descriptors in use.
  package var openDescriptors: Int64
  /// RLIMIT_NOFILE.
  package var descriptorLimit: Int64
  /// Threads of the process.
  package var threads: Int64

  /// Reads /proc/self. Costs some ten microseconds; nil where /proc is not mounted.
  package static func read() -> ProcessFacts? {
    guard let memory = try? File.read("/proc/self/statm", limit: 4_096),
      let status = try? File.read("/proc/self/stat", limit: 4_096)
    else { return nil }
    let pages = String(decoding: memory, as: UTF8.self).split(separator: " ").compactMap { Int64($0) }
    // The command's name may hold spaces and parentheses; the fields begin behind the last one.
    let fields =
      String(decoding: status, as: UTF8.self).split(separator: ")").last.map { $0.split(separator: " ") } ?? []
    guard pages.count >= 2, fields.count > 17 else { return nil }
    var limit = rlimit()
    // Safe: the kernel writes one rlimit.
    unsafe _ = getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    let pageSize = Int64(sysconf(Int32(_SC_PAGESIZE)))
    return ProcessFacts(
      residentBytes: pages[1] * pageSize, virtualBytes: pages[0] * pageSize, openDescriptors: countDescriptors(),
      descriptorLimit: Int64(clamping: limit.rlim_cur), threads: Int64(fields[17]) ?? 0)
  }

  private static func countDescriptors() -> Int64 {
    // Safe: the folder is closed once, after the last look.
    guard let folder = unsafe opendir("/proc/self/fd") else { return 0 }
    defer { unsafe _ = closedir(folder) }
    var count: Int64 = 0
    while unsafe readdir(folder) != nil { count += 1 }
    // Less `.`, `..` and the descriptor of the listing itself.
    return count - 3
  }

  /// The process's number (getpid(2)).
  package static var id: Int32 { getpid() }

  /// Processors that this process may run on (sched_getaffinity(2)).
  package static var processors: Int {
    // Room for 8,192 processors.
    var mask = [UInt64](repeating: 0, count: 128)
    // Safe: the length passed is the array's.
    guard unsafe footfall_affinity(0, mask.count * 8, &mask) > 0 || mask.contains(where: { $0 != 0 }) else { return 1 }
    return max(1, mask.reduce(0) { $0 + $1.nonzeroBitCount })
  }
}
