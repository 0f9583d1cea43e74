import Storage

/// One line of the table: everything that flags, environment, file, `--help` and the example file need to know of an option.
extension Options {
  struct Entry: Sendable {
    /// In a file `name`, as a flag `--name`, in the environment `FOOTFALL_NAME`.
    let name: String
    let group: Group
    let placeholder: String
    let allowed: String
    /// The default as an operator would write it.
    let standard: String
    let summary: String
    /// Several values: commas everywhere, and the flag may be repeated.
    let isList: Bool
    /// The flag needs no value.
    let isSwitch: Bool
    private let set: @Sendable ([Substring], inout Configuration) throws(BadValue) -> Void
    private let copy: @Sendable (Configuration, inout Configuration) -> Bool
    /// A reload changes it in the running program; else it takes effect with the next start.
    private(set) var isReloadable = false

    /// The same as one that a reload changes.
    var onReload: Self {
      var entry = self
      entry.isReloadable = true
      return entry
    }

    var flag: String { "--\(name)" }
    var variable: String { Options.variablePrefix + String(name.uppercased().map { $0 == "-" ? "_" : $0 }) }
    /// All but `config` itself may stand in a file.
    var isFileKey: Bool { name != Options.configName }

    /// Reads `texts` into the field that this option fills. A list takes all of them, anything else the last.
    func set(_ texts: [String], in configuration: inout Configuration) throws(BadValue) {
      try set(
        texts.flatMap { isList ? $0.split(separator: ",", omittingEmptySubsequences: false) : [$0[...]] },
        &configuration)
    }

    /// Takes over what `other` says of this option.
    /// - Returns: whether that was something else.
    func copy(from other: Configuration, to configuration: inout Configuration) -> Bool { copy(other, &configuration) }

    func setDefault(in configuration: inout Configuration) {
      do { try set([standard], in: &configuration) } catch {
        preconditionFailure("\(name): its default \(standard) is not allowed")
      }
    }
  }

  /// The text that is no value of its option.
  struct BadValue: Error {
    /// nil: it is not to be shown, since it may hold a password.
    let text: String?
    /// What is wrong with it, where what is allowed says too little.
    var reason: String?
  }

  /// Headings of `--help` and of the example file, in order.
  enum Group: String, CaseIterable, Sendable {
    case receiving = "Receiving"
    case answering = "Answering over HTTP"
    case lines = "Reading lines"
    case series = "Keeping series"
    case state = "Keeping counts over a restart"
    case redis = "Redis"
    case timers = "Timers"
    case program = "The program"
  }
}

extension Options.Entry {
  /// An option with one value.
  static func one<Result: Sendable & Equatable>(
    _ name: String, _ value: Options.Value<Result>, default standard: String, _ group: Options.Group, _ summary: String,
    _ field: any WritableKeyPath<Configuration, Result> & Sendable
  ) -> Self {
    .init(
      name: name, group: group, placeholder: value.placeholder, allowed: value.allowed, standard: standard,
      summary: summary,
      isList: false, isSwitch: value.placeholder.isEmpty
    ) { texts, configuration throws(Options.BadValue) in
      configuration[keyPath: field] = try value.required(texts.last ?? "")
    } copy: {
      copy(field, $0, &$1)
    }
  }

  /// An option with one value, or a word that stands for none.
  static func one<Result: Sendable & Equatable>(
    _ name: String, _ value: Options.Value<Result>, or word: String, default standard: String, _ group: Options.Group,
    _ summary: String, _ field: any WritableKeyPath<Configuration, Result?> & Sendable
  ) -> Self {
    one(name, value.or(word), default: standard, group, summary, field)
  }

  /// An option with any number of values; the word `empty` stands for none.
  /// - Parameter arranged: brings the values into the order that the field promises.
  static func list<Result: Sendable & Equatable>(
    _ name: String, _ value: Options.Value<Result>, default standard: String, _ group: Options.Group, _ summary: String,
    _ field: any WritableKeyPath<Configuration, [Result]> & Sendable, empty: String = "none",
    arranged: @escaping @Sendable ([Result]) -> [Result] = { $0 }
  ) -> Self {
    .init(
      name: name, group: group, placeholder: value.placeholder, allowed: "\(value.allowed), or \(empty) alone",
      standard: standard,
      summary: summary, isList: true, isSwitch: false
    ) { texts, configuration throws(Options.BadValue) in
      var values: [Result] = []
      if texts != [empty[...]] { for text in texts { values.append(try value.required(text.trimmed)) } }
      configuration[keyPath: field] = arranged(values)
    } copy: {
      copy(field, $0, &$1)
    }
  }

  /// Labels for keys. Each metric is a setting of its own: naming one leaves the others as they are, the built-in ones too.
  static func keyLabels(_ name: String, default standard: String, _ group: Options.Group, _ summary: String) -> Self {
    let value = Options.Value<Configuration.KeyLabel>.keyLabel
    return .init(
      name: name, group: group, placeholder: value.placeholder, allowed: value.allowed, standard: standard,
      summary: summary,
      isList: true, isSwitch: false
    ) { texts, configuration throws(Options.BadValue) in
      for text in texts {
        let pair = try value.required(text.trimmed)
        configuration.keyLabels.removeAll { $0.metric == pair.metric }
        configuration.keyLabels.append(pair)
      }
    } copy: {
      copy(\.keyLabels, $0, &$1)
    }
  }

  /// URLs of Redis. What follows a comma without a scheme still belongs to the URL before it: a password may hold one.
  static func urls(
    _ name: String, default standard: String, _ group: Options.Group, _ summary: String,
    _ field: any WritableKeyPath<Configuration, [RedisURL]> & Sendable
  ) -> Self {
    .init(
      name: name, group: group, placeholder: "URL",
      allowed: "redis://[[USER]:PASSWORD@]HOST[:PORT][/DB][?weight=N] or unix://PATH, or none alone",
      standard: standard,
      summary: summary, isList: true, isSwitch: false
    ) { texts, configuration throws(Options.BadValue) in
      var urls: [String] = []
      for text in texts {
        if text.contains("://") || urls.isEmpty {
          urls.append(String(text.trimmed))
        } else {
          urls[urls.count - 1] += ",\(text)"
        }
      }
      configuration[keyPath: field] = []
      if urls == ["none"] { return }
      for url in urls {
        do throws(RedisURL.Fault) { configuration[keyPath: field].append(try RedisURL(url)) } catch {
          throw Options.BadValue(text: nil, reason: Log.escaped(error.description))
        }
      }
    } copy: {
      copy(field, $0, &$1)
    }
  }

  /// A setting that is no field of its own.
  /// - Parameter take: what comes of a text; false if it is no value.
  static func other(
    _ name: String, _ allowed: String, _ summary: String,
    _ take: @escaping @Sendable (_ text: Substring, inout Configuration) -> Bool
  ) -> Self {
    .init(
      name: name, group: .redis, placeholder: "", allowed: allowed, standard: "", summary: summary, isList: false,
      isSwitch: false
    ) { texts, configuration throws(Options.BadValue) in
      let text = texts.last ?? ""
      if !take(text, &configuration) { throw Options.BadValue(text: String(text)) }
    } copy: { _, _ in
      false
    }
  }

  private static func copy<Result: Equatable>(
    _ field: WritableKeyPath<Configuration, Result>, _ other: Configuration, _ configuration: inout Configuration
  ) -> Bool {
    if configuration[keyPath: field] == other[keyPath: field] { return false }
    configuration[keyPath: field] = other[keyPath: field]
    return true
  }
}

extension Options.Value {
  fileprivate func required(_ text: Substring) throws(Options.BadValue) -> Result {
    guard let result = read(text) else { throw Options.BadValue(text: String(text)) }
    return result
  }
}

extension Substring {
  /// Without blanks at either end.
  var trimmed: Substring {
    var rest = drop { $0 == " " || $0 == "\t" }
    while let last = rest.last, last == " " || last == "\t" { rest.removeLast() }
    return rest
  }
}
