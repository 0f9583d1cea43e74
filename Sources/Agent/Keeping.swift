import Aggregation
import HTTPQuery
import Platform
import Storage

/// The journal of a running program: its folder, its thread, and what the query thread knows of it.
struct Keeping {
  private let directory: StateDirectory
  private let journal: Journal
  private let holdsAnswers: Bool
  private let tellRestored: @Sendable (RestoreTally) -> Void

  /// Opens and locks the folder that the options ask for. Nothing is read yet.
  /// - Parameter wake: called when the query thread should look at its keeper.
  /// - Returns: nil: counts last as long as the program.
  /// - Throws: where a folder that somebody asked for cannot be used; where it is only the usual one, that is a warning.
  static func open(
    _ configuration: Configuration, _ environment: [String: String], _ log: Log, wake: @escaping @Sendable () -> Void
  ) throws -> Keeping? {
    guard let place = StatePlace(configuration.stateDirectory, environment) else {
      if configuration.stateDirectory == .usual {
        log.warning("counts last as long as the program: no home for a state directory; set --state-dir, or to none")
      }
      return nil
    }
    do throws(StateDirectory.Fault) {
      let directory = try StateDirectory(place.path)
      return Keeping(directory, try journal(directory, configuration, log, wake), configuration, log)
    } catch {
      guard case .unusable = error, place.isUsual else { throw error }
      log.warning(
        "counts last as long as the program; set --state-dir, or to none", ["fault": .text(error.description)])
      return nil
    }
  }

  private init(_ directory: StateDirectory, _ journal: Journal, _ configuration: Configuration, _ log: Log) {
    self.directory = directory
    self.journal = journal
    holdsAnswers = configuration.journalSync == .always
    tellRestored = { Self.told($0, log) }
  }

  private static func journal(
    _ directory: StateDirectory, _ configuration: Configuration, _ log: Log, _ wake: @escaping @Sendable () -> Void
  ) throws(StateDirectory.Fault) -> Journal {
    do throws(SystemError) {
      return try Journal(
        directory, safety: configuration.journalSync == .none ? .written : .synchronized, wake: wake,
        report: { report($0, directory, log) })
    } catch {
      throw .unusable(error)
    }
  }

  /// Starts the store thread, which restores what was kept and then writes what is submitted.
  func start() throws(SystemError) -> Thread {
    let journal = journal
    return try Thread("store") { journal.run() }
  }

  /// Lets the store thread write what it has, and waits until it has ended.
  func end(_ thread: Thread, _ log: Log) {
    journal.close()
    thread.join()
    directory.unlock()
    if let trouble = journal.condition.trouble {
      log.error("what was counted last is not in the journal", ["fault": .text(trouble)])
    }
  }

  /// The store thread, as the watchdog sees it.
  var watched: Watchdog.Subject {
    let journal = journal
    return .init(name: "store", pulse: journal.pulse) { journal.nudge() }
  }

  /// The name that this program bears among others.
  var agent: AgentID { directory.agent }

  /// The folder.
  var path: String { directory.path }

  /// What the query thread asks.
  var keeper: Keeper {
    let (journal, path) = (journal, directory.path)
    return Keeper(
      holdsAnswers: holdsAnswers,
      submit: { payload, endsBatch, part in
        journal.submit(payload, kind: part.kind, flags: endsBatch ? part.flags.union(.endsBatch) : part.flags)
      },
      settled: { journal.settled },
      restored: {
        switch journal.nextRestored() {
        case .payload(let payload): .payload(payload)
        case .notYet: .notYet
        case .end: .end
        }
      },
      wantsSnapshot: { journal.wantsSnapshot },
      condition: { KeeperCondition(journal.condition, path) },
      tellRestored: tellRestored)
  }

  /// What became of the records, which the query thread knows.
  private static func told(_ tally: RestoreTally, _ log: Log) {
    log.info("counts restored", ["records": .integer(tally.records)])
    if tally.skipped > 0 {
      log.error(
        "records of the journal could not be applied",
        [
          "of_unknown_series": .integer(tally.unknown), "contradictory": .integer(tally.refused),
          "payloads_malformed": .integer(tally.malformed),
        ])
    }
    if tally.limited > 0 {
      log.warning(
        "series of the journal are beyond the limits of today and count under __other__; gauges among them are gone",
        ["series": .integer(tally.limited)])
    }
  }

  private static func report(_ event: JournalEvent, _ directory: StateDirectory, _ log: Log) {
    switch event {
    case .restored(let survey, let nanoseconds): restored(survey, nanoseconds, directory, log)
    case .notKeptAside(let error): log.warning("journal", ["fault": .text(error.description)])
    case .troubled(let error, let waiting):
      log.error(
        "the journal cannot be written; counts go on in memory",
        ["state_dir": .text(directory.path), "fault": .text(error.description), "frames_waiting": .integer(waiting)])
    case .mended: log.info("the journal is written again", ["state_dir": .text(directory.path)])
    }
  }

  private static func restored(_ survey: JournalSurvey, _ nanoseconds: Int64, _ directory: StateDirectory, _ log: Log) {
    log.info(
      "journal read",
      [
        "state_dir": .text(directory.path), "agent": .text(directory.agent),
        "segments": .integer(survey.segments.count),
        "frames": .integer(survey.frames), "milliseconds": .integer(Int(nanoseconds / 1_000_000)),
      ])
    if survey.cutBytes > 0 {
      log.warning(
        "the journal's end was not whole: kept aside as damaged-…", ["bytes_cut": .integer(survey.cutBytes)])
    }
    for segment in survey.segments.dropFirst(survey.base) where segment.isDamaged {
      log.error(
        "a segment of the journal is damaged: what can be read of it counts, and it is kept aside as damaged-…",
        ["segment": .text(segment.name), "fault": .text(segment.fault)])
    }
    if survey.lostFrames > 0 || !survey.isComplete {
      log.error(
        "parts of the journal are missing",
        ["frames_lost": .integer(survey.lostFrames), "beginning_lost": .flag(!survey.isComplete)])
    }
  }
}

/// Where the journal is.
struct StatePlace {
  let path: String
  /// Nobody asked for this one.
  let isUsual: Bool

  /// nil: nowhere.
  init?(_ choice: Configuration.StateDirectoryChoice, _ environment: [String: String]) {
    // systemd gives several with colons between (systemd.exec(5)); the XDG specification ignores what is not absolute.
    func path(_ name: String) -> Substring? {
      environment[name].flatMap { $0.split(separator: ":").first }.flatMap { $0.hasPrefix("/") ? $0 : nil }
    }
    switch choice {
    case .none: return nil
    case .path(let path): self.init(path, isUsual: false)
    case .usual:
      if let given = path("STATE_DIRECTORY") {
        self.init(String(given), isUsual: false)
      } else if let home = path("XDG_STATE_HOME") {
        self.init("\(home)/footfall", isUsual: true)
      } else if let home = path("HOME") {
        self.init("\(home)/.local/state/footfall", isUsual: true)
      } else {
        return nil
      }
    }
  }

  private init(_ path: String, isUsual: Bool) {
    self.path = path
    self.isUsual = isUsual
  }
}

extension JournalSurvey.Segment {
  /// What is wrong with it, in words.
  var fault: String {
    if let failure { return failure.description }
    if isForeign { return "another agent's" }
    return damagedPlaces == 0 ? "its header" : "\(damagedBytes) bytes in \(damagedPlaces) places"
  }
}

extension JournalPart {
  fileprivate var kind: FrameHead.Kind {
    switch self {
    case .changes: .changes
    case .snapshotBegins, .snapshot, .snapshotEnds: .snapshot
    }
  }

  fileprivate var flags: FrameHead.Flags {
    switch self {
    case .changes, .snapshot: []
    case .snapshotBegins: .beginsSnapshot
    case .snapshotEnds: .endsSnapshot
    }
  }
}

extension KeeperCondition {
  fileprivate init(_ condition: Journal.Condition, _ path: String) {
    self.init()
    if let trouble = condition.trouble { reasons = ["journal in \(path): \(trouble)"] }
    bytes = UInt64(condition.bytes)
    errors = condition.errors
    writes = condition.writes
    writeSeconds = Double(condition.writeNanoseconds) / 1e9
    skippedFrames = condition.lostFrames
    skippedBytes = UInt64(condition.unusedBytes)
  }
}
