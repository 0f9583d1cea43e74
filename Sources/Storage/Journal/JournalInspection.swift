import Platform

/// A look into a state directory from outside: nothing is locked, made or changed, and the agent may go on meanwhile.
package struct JournalInspection {
  package let survey: JournalSurvey
  /// Whose directory it is, if that can be told.
  package let agent: AgentID?
  private let files: any JournalFiles

  /// - Throws: `StateDirectory.Fault.newer` for what a later version has written, `unusable` for what cannot be read.
  package init(_ path: String) throws(StateDirectory.Fault) {
    let segments: [UInt64]
    do throws(SystemError) {
      files = KernelFiles(folder: try Folder(path))
      segments = try StateDirectory.segments(in: files)
    } catch {
      throw .unusable(error)
    }
    try StateDirectory.refuseNewer(segments, in: files, path)
    (survey, agent) = try Self.look(files)
  }

  private static func look(_ files: any JournalFiles) throws(StateDirectory.Fault) -> (JournalSurvey, AgentID?) {
    do throws(SystemError) {
      for _ in 0..<3 {
        let found = (try JournalSurvey(of: files, agent: nil), try AgentID.kept(in: files))
        // A segment that a snapshot has made needless may go between the list and the look.
        if !found.0.segments.contains(where: { $0.failure?.number == SystemError.noEntry }) { return found }
      }
      return (try JournalSurvey(of: files, agent: nil), try AgentID.kept(in: files))
    } catch {
      throw .unusable(error)
    }
  }

  /// Calls `body` with every frame that counts, in order.
  /// - Returns: what could not be read.
  package func forEachFrame(_ body: (FrameHead, ArraySlice<UInt8>) -> Void) -> [SystemError] {
    var recovery = JournalRecovery(survey, in: files)
    recovery.replay { head, payload in
      body(head, payload)
      return true
    }
    return recovery.failures
  }
}
