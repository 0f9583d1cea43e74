/// What the table says to people: `--help` and the example file.
extension Options {
  /// Widest line of `--help`, in columns.
  static let helpWidth = 100

  /// The text of `--help`, each line ended.
  static var help: String {
    var lines = [
      "Footfall counts what happens: statsd lines in, Prometheus metrics and a query API out.",
      "",
      "Usage: footfall [serve] [options]        receive, aggregate, answer",
      "       footfall explain [options]        show how each line of standard input is read, as JSON",
      "       footfall check-config [options]   say what is wrong with the options, if anything is",
      "       footfall journal dump|verify      show what a state directory holds, say whether it is sound",
      "       footfall --help | --version",
      "",
      "Try:   footfall & sleep 1; echo \"visit:page1|c\" > /dev/udp/127.0.0.1/8125",
      "       curl -s 127.0.0.1:8080/metrics | grep visit_total",
      "",
      "An option is a flag (--log-level debug), an environment variable (FOOTFALL_LOG_LEVEL=debug) or a",
      "line of a file (log-level = debug), and the first of these wins. What is marked … and LIST take",
      "several values with commas; such a flag may be repeated instead.",
    ]
    let column = table.map { $0.spelling.count }.max().map { $0 + 4 } ?? 0
    for group in Group.allCases {
      lines += ["", "\(group.rawValue):"]
      for entry in table where entry.group == group {
        let text = wrap("\(entry.summary) [\(entry.standard)]\(entry.isReloadable ? " *" : "")", to: helpWidth - column)
        lines.append(pad("  \(entry.spelling)", to: column) + text[0])
        lines += text.dropFirst().map { pad("", to: column) + $0 }
      }
    }
    lines += [
      "", "Names of a visit counter's .env file, in the environment or with --config .env, for the options above:",
    ]
    lines += wrap(visitCounter.map { "\($0.name) (\($0.summary))" }.joined(separator: ", "), to: helpWidth - 2).map {
      "  \($0)"
    }
    lines += [
      "",
      "ADDR is 127.0.0.1:8125, [::1]:8125, :8125 (all addresses, IPv6 and IPv4) or none (no listener).",
      "TIME is 250ms, 10s, 5m, 2h; SIZE is 4096, 64KiB, 8MiB, 1GiB; LEVEL is error, warning, info, debug.",
      "In brackets: the default. *: a changed file takes effect on reload (SIGHUP); others with a start.",
      "Exit status: 0 done, 1 a journal is damaged, 64 a fault on the command line, 71 the system refused",
      "something, 78 a fault in the environment, a file or a folder that the options name.",
    ]
    return lines.map { $0 + "\n" }.joined()
  }

  /// The text of `examples/footfall.conf`: every key with its default, commented out, each line ended.
  static var exampleFile: String {
    var lines = [
      "# Configuration of Footfall: footfall --config /etc/footfall.conf",
      "#",
      "# A line is NAME = VALUE; a # at the start of a line or behind a blank begins a comment. Every key stands here",
      "# with its default: take away the # before the ones that you change. Flags (--log-level debug) and",
      "# environment variables (FOOTFALL_LOG_LEVEL=debug) win over this file. Try it: footfall check-config --config FILE",
    ]
    for group in Group.allCases {
      let entries = table.filter { $0.group == group && $0.isFileKey }
      lines += ["", "# --- \(group.rawValue) ---"]
      for entry in entries {
        lines.append("")
        lines += wrap("\(entry.summary)\(entry.isList ? " (several: with commas)" : "")", to: helpWidth - 2).map {
          "# \($0)"
        }
        let effect = entry.isReloadable ? "; takes effect on reload" : ""
        lines += wrap("\(entry.allowed)\(effect)", to: helpWidth - 4).map { "#   \($0)" }
        lines.append("#\(entry.name) = \(entry.standard)")
      }
    }
    return lines.map { $0 + "\n" }.joined()
  }

  private static func pad(_ text: String, to width: Int) -> String {
    text + String(repeating: " ", count: max(0, width - text.count))
  }

  /// Lines of at most `width` columns, broken at blanks; a longer word keeps a line to itself. At least one line.
  private static func wrap(_ text: String, to width: Int) -> [String] {
    var lines = [""]
    for word in text.split(separator: " ") {
      let line = lines[lines.count - 1]
      if line.isEmpty {
        lines[lines.count - 1] = String(word)
      } else if line.count + 1 + word.count <= width {
        lines[lines.count - 1] = "\(line) \(word)"
      } else {
        lines.append(String(word))
      }
    }
    return lines
  }
}

extension Options.Entry {
  /// The flag as `--help` shows it: `--udp ADDR…`.
  fileprivate var spelling: String {
    isSwitch ? flag : "\(flag) \(placeholder)\(isList && placeholder != "LIST" ? "…" : "")"
  }
}
