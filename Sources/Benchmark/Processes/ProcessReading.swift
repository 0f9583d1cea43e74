import Glibc
import Platform

/// What the kernel says of another process (proc(5)).
struct ProcessReading {
  let pid: pid_t

  struct Task {
    var id: pid_t
    var name: String
  }

  /// Its threads, by number.
  var tasks: [Task] {
    // Safe: the folder is closed once, after the last look.
    guard let folder = unsafe opendir("/proc/\(pid)/task") else { return [] }
    defer { unsafe _ = closedir(folder) }
    var found: [Task] = []
    while let entry = unsafe readdir(folder) {
      let name = unsafe withUnsafeBytes(of: entry.pointee.d_name) {
        unsafe String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
      }
      guard let id = pid_t(name) else { continue }
      found.append(Task(id: id, name: text("task/\(id)/comm").filter { $0 != "\n" }))
    }
    return found.sorted { $0.id < $1.id }
  }

  /// CPU time in nanoseconds of the threads whose name begins so. Exact once they sleep; of a thread that runs, up to its last tick.
  func cpu(ofThreads prefix: String = "") -> Int64 { schedule(prefix, 0) }

  /// Nanoseconds that these threads were ready to run and had no processor: what others took from them.
  func waiting(ofThreads prefix: String = "") -> Int64 { schedule(prefix, 1) }

  private func schedule(_ prefix: String, _ place: Int) -> Int64 {
    tasks.filter { $0.name.hasPrefix(prefix) }.reduce(0) { sum, task in
      let words = text("task/\(task.id)/schedstat").split(separator: " ")
      return sum + (words.count > place ? Int64(words[place]) ?? 0 : 0)
    }
  }

  /// Times that its threads gave a processor back or lost it.
  var contextSwitches: Int64 {
    tasks.reduce(0) { sum, task in
      sum
        + text("task/\(task.id)/status").split(separator: "\n").filter { $0.contains("ctxt_switches") }
        .reduce(0) { $0 + (Int64($1.split(separator: "\t").last ?? "0") ?? 0) }
    }
  }

  /// Resident bytes.
  var residentBytes: Int64 {
    let pages = text("statm").split(separator: " ")
    return pages.count > 1 ? (Int64(pages[1]) ?? 0) * Int64(sysconf(Int32(_SC_PAGESIZE))) : 0
  }

  private func text(_ file: String) -> String {
    (try? File.read("/proc/\(pid)/\(file)", limit: 1 << 16)).map { String(decoding: $0, as: UTF8.self) } ?? ""
  }
}
