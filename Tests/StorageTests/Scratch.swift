import Platform

/// A folder of a test's own, which goes with it.
final class Scratch {
  let path: String
  let folder: Folder

  init() throws {
    let root = Environment.all()["TMPDIR"] ?? "/tmp"
    path = "\(root)/footfall-storage-\(ProcessFacts.id)-\(UInt64.random(in: .min ... .max))"
    try Folder.make(path)
    folder = try Folder(path)
  }

  deinit { Self.clear(path) }

  private static func clear(_ path: String) {
    if let folder = try? Folder(path) {
      for name in (try? folder.names()) ?? [] {
        do { try folder.remove(name) } catch { clear("\(path)/\(name)") }
      }
    }
    Folder.removeEmpty(path)
  }
}
