/// What the command line asks for, once everything is read and found right.
enum Invocation: Equatable, Sendable {
  case serve(Configuration)
  case explain(Configuration)
  case journal(JournalAction, Configuration)
  /// The configuration holds, else there would be faults; what it names may not.
  case checkConfig(Configuration)
  case help, version

  /// The words that follow `journal`.
  enum JournalAction: String, CaseIterable, Sendable {
    case dump, verify
  }
}

extension Options {
  /// The first words that the command line knows.
  enum Command: String, CaseIterable {
    case serve, explain, journal
    case checkConfig = "check-config"
  }

  /// A text that was given for an option. A flag may have been repeated; anything else has one.
  struct Setting {
    let entry: Entry
    var texts: [String]
    let origin: Origin
  }

  /// Reads the command line, the environment, and the file that one of them names.
  ///
  /// Pure but for `read`; nothing is kept, so a reload calls it again with the same arguments.
  /// - Parameters:
  ///   - arguments: without the program's own name.
  ///   - read: the bytes of a file; what it throws is shown to the operator as it describes itself.
  /// - Throws: everything that is wrong, not only the first.
  static func invocation(
    arguments: [String], environment: [String: String], read: (String) throws -> [UInt8]
  ) throws(Faults) -> Invocation {
    var reader = Reader()
    reader.readFlags(arguments)
    if reader.wantsHelp { return .help }
    if reader.wantsVersion { return .version }
    reader.readEnvironment(environment)
    reader.readFile(read)
    let configuration = reader.configuration()
    reader.checkRedis(configuration)
    // What is too little depends on the machine, so no text of a limit is wrong by itself: always a fault of the configuration.
    let isShort = reader.faults.isEmpty && reader.checkMemory(configuration)
    guard reader.faults.isEmpty else {
      throw Faults(list: reader.faults, isAnswer: isShort || reader.command == .checkConfig)
    }
    switch reader.command {
    case .serve: return .serve(configuration)
    case .explain: return .explain(configuration)
    case .checkConfig: return .checkConfig(configuration)
    case .journal: return .journal(reader.journalAction ?? .verify, configuration)
    }
  }
}
