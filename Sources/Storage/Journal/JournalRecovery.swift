import Platform

/// Hands on what counts of a folder's segments, and sees to it that what does not count is out of the way but not lost.
struct JournalRecovery {
  let survey: JournalSurvey
  private let files: any JournalFiles
  /// Files that could not be put aside or cut.
  private(set) var failures: [SystemError] = []

  init(_ survey: JournalSurvey, in files: any JournalFiles) {
    self.survey = survey
    self.files = files
  }

  /// Files with what was damaged are kept up to this many: a disk that dies must not fill itself with them.
  static let mostKept = 100
  private static let prefix = "damaged-"

  /// Calls `body` with every frame that counts, in order, until it answers false.
  /// - Complexity: O(bytes); memory for two frames.
  mutating func replay(_ body: (FrameHead, ArraySlice<UInt8>) -> Bool) {
    var before: UInt64 = 0
    for (place, segment) in survey.segments.enumerated().dropFirst(survey.base) where !segment.isForeign {
      do throws(SystemError) {
        var reader = try SegmentReader(segment.name, in: files)
        reading: while true {
          switch try reader.next() {
          case .frame(let head, _):
            guard survey.counts(head, at: place, after: before) else { continue }
            before = head.sequence
            if !body(head, reader.payload) { return }
          case .damage, .torn: continue
          case .end: break reading
          }
        }
      } catch {
        failures.append(error)
      }
    }
  }

  /// Takes off what lies behind the last frame that counts, into files of its own.
  ///
  /// Where that fails nothing is wrong: the next segment supersedes what is left.
  mutating func cut() {
    for (place, segment) in survey.segments.enumerated() where segment.failure == nil {
      guard let from = survey.cut(of: place), from < segment.bytes else { continue }
      do throws(SystemError) {
        let file = try files.open(segment.name, writable: true)
        try keep(file, from: from, as: "\(Self.prefix)\(segment.name)-\(from)")
        try file.truncate(to: from)
        try file.synchronize()
      } catch {
        failures.append(error)
      }
    }
  }

  private func keep(_ file: any JournalFile, from begin: Int, as name: String) throws(SystemError) {
    guard try Self.hasRoom(in: files) else { return }
    do throws(SystemError) { try files.remove(name) } catch { if error.number != SystemError.noEntry { throw error } }
    let copy = try files.create(name)
    var offset = begin
    var bytes: [UInt8] = []
    while try file.read(1 << 18, at: offset, into: &bytes) > 0 {
      try copy.writeAll(bytes, at: offset - begin)
      offset += bytes.count
      bytes.removeAll(keepingCapacity: true)
    }
    try copy.synchronize()
    try files.synchronize()
  }

  /// Removes a segment that is not needed any more; a damaged one gets another name.
  static func retire(_ number: UInt64, isDamaged: Bool, in files: any JournalFiles) throws(SystemError) {
    let name = SegmentFormat.name(of: number)
    do throws(SystemError) {
      let isKept = if isDamaged { try hasRoom(in: files) } else { false }
      if isKept {
        try files.rename(name, to: prefix + name)
      } else {
        try files.remove(name)
      }
    } catch {
      if error.number != SystemError.noEntry { throw error }
    }
  }

  private static func hasRoom(in files: any JournalFiles) throws(SystemError) -> Bool {
    try files.names().count { $0.hasPrefix(prefix) } < mostKept
  }
}
