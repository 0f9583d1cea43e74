import Platform
import Storage

extension Options {
  /// Gathers settings from flags, environment and file, in this order, and every fault on the way.
  struct Reader {
    private(set) var command = Command.serve
    /// Set where the command is `journal` and there is no fault.
    private(set) var journalAction: Invocation.JournalAction?
    private(set) var wantsHelp = false
    private(set) var wantsVersion = false
    private(set) var faults: [Fault] = []
    private var flags: [String: Setting] = [:]
    private var environment: [String: Setting] = [:]
    private var file: [String: Setting] = [:]

    /// Reads `--name value`, `--name=value`, and at most one command among them.
    mutating func readFlags(_ arguments: [String]) {
      var hasCommand = false
      var rest = arguments[...]
      while let argument = rest.popFirst() {
        switch argument {
        case "--help", "-h": wantsHelp = true
        case "--version": wantsVersion = true
        case _ where argument.hasPrefix("-"): readFlag(argument, &rest)
        case _ where hasCommand && command == .journal && journalAction == nil: readJournalAction(argument)
        case _ where hasCommand:
          report(Log.quoted(argument), .commandLine, "one command is enough, and options begin with --")
        default:
          hasCommand = true
          readCommand(argument)
        }
      }
      if command == .journal && journalAction == nil && faults.isEmpty {
        report("journal", .commandLine, "what with it? want dump or verify")
      }
    }

    private mutating func readJournalAction(_ word: String) {
      let actions = Invocation.JournalAction.allCases.map(\.rawValue)
      journalAction = .init(rawValue: word)
      if journalAction == nil {
        report(
          "journal \(Log.quoted(word))", .commandLine,
          "want \(actions.joined(separator: " or ")); \(hint(for: word, among: actions))")
      }
    }

    private mutating func readCommand(_ word: String) {
      if let known = Command(rawValue: word) {
        command = known
        return
      }
      let commands = Command.allCases.map(\.rawValue)
      report(
        Log.quoted(word), .commandLine,
        "no such command, want \(commands.joined(separator: ", ")); \(hint(for: word, among: commands))")
    }

    private mutating func readFlag(_ argument: String, _ rest: inout ArraySlice<String>) {
      let equals = argument.firstIndex(of: "=")
      let flag = String(argument[..<(equals ?? argument.endIndex)])
      guard let entry = Options.table.first(where: { $0.flag == flag }) else {
        let name = String(flag.drop { $0 == "-" })
        let hint = hint(for: name, among: ["help", "version"] + Options.table.map(\.name), prefix: "--")
        return report(Log.quoted(flag), .commandLine, "no such option; \(hint)")
      }
      let text: String
      if let equals {
        text = String(argument[argument.index(after: equals)...])
      } else if entry.isSwitch {
        text = "on"
      } else if let next = rest.first, !next.hasPrefix("--") {
        text = rest.removeFirst()
      } else {
        return report(entry.name, .flag(flag), "no value, want \(entry.allowed)")
      }
      let before = entry.isList ? flags[entry.name]?.texts ?? [] : []
      flags[entry.name] = Setting(entry: entry, texts: before + [text], origin: .flag(flag))
    }

    /// Reads the variables that begin with the program's prefix, and those that bear a name of `visitCounter`; the others are not its
    /// business.
    mutating func readEnvironment(_ variables: [String: String]) {
      for entry in Options.visitCounter {
        guard let text = variables[entry.name] else { continue }
        environment[entry.name] = Setting(entry: entry, texts: [text], origin: .environment(entry.name))
      }
      for (variable, text) in variables.sorted(by: { $0.key < $1.key }) where variable.hasPrefix(Options.variablePrefix)
      {
        if let entry = Options.table.first(where: { $0.variable == variable }) {
          environment[entry.name] = Setting(entry: entry, texts: [text], origin: .environment(variable))
        } else {
          let prefix = Options.variablePrefix
          let known = Options.table.map { String($0.variable.dropFirst(prefix.count)) }
          let hint = hint(for: String(variable.dropFirst(prefix.count)), among: known, prefix: prefix)
          report(Log.quoted(variable), .environment(variable), "no such option; \(hint)")
        }
      }
    }

    /// Reads the file that a flag, else the environment names.
    mutating func readFile(_ read: (String) throws -> [UInt8]) {
      guard let setting = flags[Options.configName] ?? environment[Options.configName] else { return }
      var named = Configuration()
      // A bad name is reported with the other values.
      guard (try? setting.entry.set(setting.texts, in: &named)) != nil, let path = named.file else { return }
      do {
        let lines = try read(path).split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        for (index, line) in lines.enumerated() { readLine(line, .file(path, line: index + 1)) }
      } catch {
        report("\(Options.configName) = \(Log.quoted(path))", setting.origin, "cannot be read: \(error)")
      }
    }

    /// Reads `name = value`, `name = value # comment`, `export name="value"`, `# comment`, or an empty line.
    ///
    /// A `#` begins a comment only at the start of the line or behind a blank, so that a value may hold one; between quotes it never does.
    private mutating func readLine(_ bytes: ArraySlice<UInt8>, _ origin: Origin) {
      guard let line = String(validating: bytes, as: UTF8.self) else {
        return report(Log.quoted(bytes), origin, "not UTF-8")
      }
      // A CR before the LF goes, as in the lines that the program counts.
      let whole = line.hasSuffix("\r") ? line.dropLast() : line[...]
      let text = Self.withoutComment(whole).trimmed
      if text.isEmpty { return }
      guard let equals = text.firstIndex(of: "=") else {
        return report(Log.quoted(String(text)), origin, "want NAME = VALUE, or # before a comment")
      }
      let words = text[..<equals].trimmed
      let name = words.hasPrefix("export ") ? words.dropFirst("export ".count).trimmed : words
      let known = Options.entry(named: name) ?? Options.visitCounter.first { $0.name == name }
      guard let entry = known, entry.isFileKey else {
        let keys = (Options.table.filter(\.isFileKey) + Options.visitCounter).map(\.name)
        return report(
          Log.quoted(String(name)), origin,
          "no such option in a file; \(hint(for: String(name), among: keys))")
      }
      if let first = file[entry.name] {
        return report(
          entry.name, origin,
          "given before at \(first.origin)\(entry.isList ? "; write several values with commas" : "")")
      }
      let behind = text.index(after: equals)
      let value = Self.unquoted(whole[behind...].trimmed) ?? text[behind...].trimmed
      file[entry.name] = Setting(entry: entry, texts: [String(value)], origin: origin)
    }

    /// What stands between two quotes of a kind; nil if that is not all but for a comment.
    private static func unquoted(_ text: Substring) -> Substring? {
      guard let quote = text.first, quote == "\"" || quote == "'" else { return nil }
      let inside = text.dropFirst()
      guard let end = inside.firstIndex(of: quote), withoutComment(inside[end...].dropFirst()).trimmed.isEmpty else {
        return nil
      }
      return inside[..<end]
    }

    private static func withoutComment(_ line: Substring) -> Substring {
      var isBehindBlank = true
      for index in line.indices {
        if isBehindBlank && line[index] == "#" { return line[..<index] }
        isBehindBlank = line[index] == " " || line[index] == "\t"
      }
      return line
    }

    /// The defaults, and over them file, environment and flags. A value that is overruled must be right all the same.
    mutating func configuration() -> Configuration {
      var configuration = Configuration()
      for source in [file, environment, flags] {
        // Last the program's own, which win.
        for entry in Options.visitCounter + Options.table {
          guard let setting = source[entry.name] else { continue }
          do {
            try entry.set(setting.texts, in: &configuration)
          } catch {
            let subject = error.text.map { "\(entry.name) = \(Log.quoted($0))" } ?? entry.name
            report(subject, setting.origin, error.reason ?? "want \(entry.allowed)")
          }
        }
      }
      return configuration
    }

    /// Reports a Cluster beside servers that are none, a server that is named twice, and servers none of which would have a key or that
    /// would make too large a ring.
    mutating func checkRedis(_ configuration: Configuration) {
      let (shards, nodes) = (configuration.shards, configuration.redisCluster)
      if !shards.isEmpty && !nodes.isEmpty {
        let other = setting("redis")?.entry.name ?? "redis"
        return reportRedis("redis-cluster", "beside \(other): want one of the two, the other none")
      }
      for (name, urls) in [("redis", shards), ("redis-cluster", nodes)] {
        var seen: Set<String> = []
        for url in urls where !seen.insert("\(url)").inserted {
          return reportRedis(name, "names a server twice: \(Log.escaped("\(url)"))")
        }
      }
      if !shards.isEmpty && shards.allSatisfy({ $0.weight == 0 }) {
        reportRedis("redis", "every weight is 0: want a server that has keys")
      }
      let points = ShardList(shards, virtualNodes: configuration.virtualNodes).points
      if points > ShardList.mostPoints {
        reportRedis(
          "redis",
          "all weights times --virtual-nodes make \(points) points on the ring: want at most \(ShardList.mostPoints)")
      }
    }

    private mutating func reportRedis(_ name: String, _ reason: String) {
      guard let setting = setting(name) else { return }
      report(setting.entry.name, setting.origin, reason)
    }

    /// What an option was given, in the place that wins and under the name that wins there.
    private func setting(_ name: String) -> Setting? {
      // One of a visit counter's names says as its summary which option it stands for.
      let names = [name] + Options.visitCounter.filter { $0.summary == name }.map(\.name)
      for source in [flags, environment, file] {
        for name in names { if let setting = source[name] { return setting } }
      }
      return nil
    }

    /// Reports a limit of memory that the program without any series would pass.
    /// - Returns: whether it is so.
    mutating func checkMemory(_ configuration: Configuration) -> Bool {
      let name = "memory-limit"
      let least = MemoryNeeds.least(configuration, workers: configuration.workers ?? ProcessFacts.processors)
      guard let limit = configuration.memoryLimit, limit < least, let setting = setting(name)
      else { return false }
      report(
        "\(name) = \(Log.quoted(setting.texts.last ?? ""))", setting.origin,
        "the program without any series may come to more: the least is \(least >> 20)MiB, \(MemoryNeeds.worker >> 20)MiB less for each worker less"
      )
      return true
    }

    private mutating func report(_ subject: String, _ origin: Origin, _ message: String) {
      faults.append(Fault(subject: subject, origin: origin, message: message))
    }
  }
}
