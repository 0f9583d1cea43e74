import Platform

/// Who an agent is, over all its starts on one state directory: 128 random bits.
package struct AgentID: Equatable, Sendable, CustomStringConvertible {
  /// 16 of them.
  package let bytes: [UInt8]

  init(bytes: [UInt8]) {
    precondition(bytes.count == 16)
    self.bytes = bytes
  }

  /// A new one, from the kernel's randomness.
  package static func random() -> AgentID { .init(bytes: (0..<16).map { _ in .random(in: .min ... .max) }) }

  /// Reads 32 hexadecimal digits; nil for anything else.
  init?(_ text: some StringProtocol) {
    let digits = text.utf8.map { Character(Unicode.Scalar($0)).hexDigitValue }
    guard digits.count == 32, !digits.contains(nil) else { return nil }
    let values = digits.compactMap(\.self)
    self.init(bytes: (0..<16).map { UInt8(values[2 * $0] << 4 | values[2 * $0 + 1]) })
  }

  /// 32 hexadecimal digits.
  package var description: String {
    bytes.map { $0 < 16 ? "0\(String($0, radix: 16))" : String($0, radix: 16) }.joined()
  }
}

/// The folder that an agent keeps its counts in.
///
///     lock                        locked by the agent that runs (flock(2)), and holds its process number
///     agent-id                    32 hexadecimal digits, made once
///     journal-<number, hex>       segments (SegmentFormat)
///     damaged-…                   what could not be read, or was cut off, for whoever wants to look
///
/// Nothing is read or written there by any other process while the lock is held, `footfall journal` apart, which only reads.
package final class StateDirectory: Sendable {
  package let path: String
  package let agent: AgentID
  let files: any JournalFiles
  /// Held until the last holder of this object lets go of it.
  private let lock: Descriptor

  /// Why a state directory cannot be used.
  package enum Fault: Error, CustomStringConvertible {
    /// A call failed on what has to be there before anything can be counted.
    case unusable(SystemError)
    /// Another process has it.
    case held(path: String, by: String)
    /// A later version of the program has written there.
    case newer(file: String, version: UInt32)

    package var description: String {
      switch self {
      case .unusable(let error): "state directory: \(error)"
      case .held(let path, let holder):
        "state directory \(path): in use by \(holder); end it, or give each agent a --state-dir of its own"
      case .newer(let file, let version):
        "state directory: \(file) has format \(version) and this program knows formats up to \(SegmentFormat.version): "
          + "start the newer program, or set another --state-dir; nothing was changed"
      }
    }
  }

  /// Opens the folder, made where it is missing, locks it, and makes an agent id if there is none.
  package init(_ path: String) throws(Fault) {
    let (files, lock, isLocked) = try Fault.unusable { () throws(SystemError) in
      try Folder.make(path)
      let folder = try Folder(path)
      let lock = try folder.openOrCreate("lock")
      return (KernelFiles(folder: folder), lock, try lock.lock())
    }
    if !isLocked { throw .held(path: path, by: Self.holder(lock)) }
    let segments = try Fault.unusable { () throws(SystemError) in try Self.segments(in: files) }
    try Self.refuseNewer(segments, in: files, path)
    agent = try Fault.unusable { () throws(SystemError) in
      // On a full disk the lock holds all the same, and only its holder's name is missing.
      _ = try? lock.truncate(to: 0)
      _ = try? lock.writeAll(Array("\(ProcessFacts.id)\n".utf8), at: 0)
      return try AgentID.keptOrMade(in: files, segments: segments)
    }
    self.path = path
    self.files = files
    self.lock = lock
  }

  /// The agent id that a folder holds which another process has; nil if there is none. It is made once and stays.
  package static func agent(in path: String) -> AgentID? {
    guard let folder = try? Folder(path) else { return nil }
    return try? AgentID.kept(in: KernelFiles(folder: folder))
  }

  /// Lets another process have the folder; nothing may be read or written there by this one any more.
  package func unlock() { lock.unlock() }

  private static func holder(_ lock: Descriptor) -> String {
    var text: [UInt8] = []
    _ = try? lock.read(20, at: 0, into: &text)
    let digits = text.prefix { $0 != 0x0A }
    // Between the lock and the number that is written into it there is a moment.
    guard !digits.isEmpty, digits.allSatisfy({ (0x30...0x39).contains($0) }) else { return "another process" }
    return "process \(String(decoding: digits, as: UTF8.self))"
  }

  /// The numbers of the segments in a folder, ascending.
  static func segments(in files: any JournalFiles) throws(SystemError) -> [UInt64] {
    try files.names().compactMap(SegmentFormat.number).sorted()
  }

  /// Throws if one of the segments has a header that a later version wrote. One that cannot be read is recovery's business.
  static func refuseNewer(_ segments: [UInt64], in files: any JournalFiles, _ path: String) throws(Fault) {
    for number in segments {
      if case .newer(let version) = SegmentHeader.of(number, in: files) {
        throw .newer(file: "\(path)/\(SegmentFormat.name(of: number))", version: version)
      }
    }
  }
}

extension StateDirectory.Fault {
  fileprivate static func unusable<Result>(_ body: () throws(SystemError) -> Result) throws(Self) -> Result {
    do throws(SystemError) { return try body() } catch { throw .unusable(error) }
  }
}

extension SegmentHeader {
  /// What the header of that segment says; nil if it cannot be read.
  static func of(_ number: UInt64, in files: any JournalFiles) -> Reading? {
    var bytes: [UInt8] = []
    do throws(SystemError) {
      let file = try files.open(SegmentFormat.name(of: number), writable: false)
      while bytes.count < SegmentFormat.headerBytes {
        if try file.read(SegmentFormat.headerBytes - bytes.count, at: bytes.count, into: &bytes) == 0 { break }
      }
    } catch {
      return nil
    }
    return read(bytes.span)
  }
}

extension AgentID {
  private static let file = "agent-id"

  /// The id that the folder holds; one that was lost is found again in the segments, and where there are none a new one is made.
  ///
  /// Made under another name and then renamed: there is a whole id or none.
  static func keptOrMade(in files: any JournalFiles, segments: [UInt64]) throws(SystemError) -> AgentID {
    if let kept = try kept(in: files) { return kept }
    let id =
      segments.lazy.reversed().compactMap { number in
        if case .sound(let header) = SegmentHeader.of(number, in: files) { header.agent } else { nil }
      }.first ?? random()
    let unfinished = "\(file).new"
    do throws(SystemError) { try files.remove(unfinished) } catch {
      if error.number != SystemError.noEntry { throw error }
    }
    let new = try files.create(unfinished)
    try new.writeAll(Array("\(id)\n".utf8), at: 0)
    try new.synchronize()
    try files.rename(unfinished, to: file)
    try files.synchronize()
    return id
  }

  /// nil: there is no such file, or it does not hold an id.
  static func kept(in files: any JournalFiles) throws(SystemError) -> AgentID? {
    var text: [UInt8] = []
    do throws(SystemError) {
      let open = try files.open(file, writable: false)
      while text.count < 64 { if try open.read(64, at: text.count, into: &text) == 0 { break } }
    } catch {
      if error.number == SystemError.noEntry { return nil }
      throw error
    }
    return AgentID(String(decoding: text.prefix { $0 != 0x0A }, as: UTF8.self))
  }
}
