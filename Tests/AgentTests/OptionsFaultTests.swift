import Testing

@testable import Agent

@Suite struct `a fault in the options` {
  /// An option, a value that it must not take, and the whole of what is said about it.
  static let badValues: [(name: String, text: String, want: String)] = [
    ("udp", "8125", "want IPV4:PORT, [IPV6]:PORT or :PORT (all addresses), in numbers, or none alone"),
    ("http", "none,none", "want IPV4:PORT, [IPV6]:PORT or :PORT (all addresses), in numbers, or none alone"),
    ("unix-stream", String(repeating: "x", count: 108), "want a path of at most 107 bytes, or none alone"),
    ("workers", "0", "want a whole number from 1 to 1024, or auto"),
    ("workers", "1025", "want a whole number from 1 to 1024, or auto"),
    ("workers", "+1", "want a whole number from 1 to 1024, or auto"),
    ("workers", "1 ", "want a whole number from 1 to 1024, or auto"),
    ("workers", "99999999999999999999", "want a whole number from 1 to 1024, or auto"),
    ("workers", "", "want a whole number from 1 to 1024, or auto"),
    ("receive-buffer", "8MB", "want a size from 4KiB to 1GiB, such as 64KiB or 8MiB"),
    ("receive-buffer", "4095", "want a size from 4KiB to 1GiB, such as 64KiB or 8MiB"),
    ("receive-buffer", "8589934592GiB", "want a size from 4KiB to 1GiB, such as 64KiB or 8MiB"),
    ("receive-buffer", "KiB", "want a size from 4KiB to 1GiB, such as 64KiB or 8MiB"),
    ("stream-idle", "10", "want a duration from 1ms to 8760h, such as 250ms, 10s, 5m or 2h, or never"),
    ("http-idle", "0s", "want a duration from 1ms to 8760h, such as 250ms, 10s, 5m or 2h, or never"),
    ("flush-interval", "never", "want a duration from 10ms to 1h, such as 250ms, 10s, 5m or 2h"),
    ("flush-interval", "9ms", "want a duration from 10ms to 1h, such as 250ms, 10s, 5m or 2h"),
    ("flush-interval", "1.5s", "want a duration from 10ms to 1h, such as 250ms, 10s, 5m or 2h"),
    ("flush-interval", "9223372036854775807h", "want a duration from 10ms to 1h, such as 250ms, 10s, 5m or 2h"),
    ("allow", "none", "want an address or a range such as 10.0.0.0/8 or 2001:db8::/32, in numbers, or all alone"),
    ("allow", "10.0.0.1/8", "want an address or a range such as 10.0.0.0/8 or 2001:db8::/32, in numbers, or all alone"),
    ("memory-limit", "15MiB", "want a size from 16MiB to 1024GiB, such as 64KiB or 8MiB, or none"),
    ("gauge-sign", "Delta", "want one of delta, absolute"),
    ("strict", "yes", "want on or off (also true, false, 1, 0)"),
    ("quantiles", "1.01", "want finite decimal numbers from 0 to 1, or none alone"),
    ("quantiles", "nan", "want finite decimal numbers from 0 to 1, or none alone"),
    ("buckets", "0x10", "want finite decimal numbers, or none alone"),
    ("buckets", "1e999", "want finite decimal numbers, or none alone"),
    ("key-label", "=page", "want METRIC or METRIC=LABEL, the label of letters, digits and _"),
    ("key-label", "visit=", "want METRIC or METRIC=LABEL, the label of letters, digits and _"),
    ("key-label", "visit=1st", "want METRIC or METRIC=LABEL, the label of letters, digits and _"),
    ("key-label", "visit=a-b", "want METRIC or METRIC=LABEL, the label of letters, digits and _"),
    ("log-level", "warn", "want one of error, warning, info, debug"),
    ("log-format", "xml", "want one of text, json"),
  ]

  @Test(arguments: badValues)
  func `names key, value, origin and what is allowed`(_ name: String, _ text: String, _ want: String) throws {
    let entry = try #require(Options.entry(named: name))
    let bad = text == "none,none" ? "none" : text
    let flag = faults(["--\(name)=\(text)"])
    #expect(flag.lines == ["footfall: \(name) = \"\(bad)\" (flag --\(name)): \(want)"])
    #expect(flag.exitStatus == 64)
    let environment = faults(environment: [entry.variable: text])
    #expect(environment.lines == ["footfall: \(name) = \"\(bad)\" (environment variable \(entry.variable)): \(want)"])
    #expect(environment.exitStatus == 78)
    let file = faults(["--config", "/etc/f"], files: ["/etc/f": "# first\n\(name) = \(text)\n"])
    // In a file blanks at the ends are no part of a value.
    if text.last != " " {
      #expect(file.lines == ["footfall: \(name) = \"\(bad)\" (/etc/f:2): \(want)"])
      #expect(file.exitStatus == 78)
    }
  }

  @Test func `is told for each value of a list`() {
    #expect(
      faults(["--udp", ":1", "--udp", ":x"]).lines == [
        "footfall: udp = \":x\" (flag --udp): want IPV4:PORT, [IPV6]:PORT or :PORT (all addresses), in numbers, or none alone"
      ])
    #expect(faults(["--udp", ":1,,:2"]).lines.count == 1)
    #expect(faults(["--udp", ":1,none"]).lines.count == 1)
  }

  static let misspelt: [(arguments: [String], line: String)] = [
    (
      ["--wrokers", "2"],
      #"footfall: "--wrokers" (command line): no such option; did you mean --workers?"#
    ),
    (
      ["--hlep"],
      #"footfall: "--hlep" (command line): no such option; did you mean --help?"#
    ),
    (["-x"], #"footfall: "-x" (command line): no such option; footfall --help lists them"#),
    (["--=1"], #"footfall: "--" (command line): no such option; footfall --help lists them"#),
    (
      ["srve"],
      #"footfall: "srve" (command line): no such command, want serve, explain, journal, check-config; did you mean serve?"#
    ),
    (["serve", "explain"], #"footfall: "explain" (command line): one command is enough, and options begin with --"#),
    (["journal"], #"footfall: journal (command line): what with it? want dump or verify"#),
    (
      ["journal", "dmup"],
      #"footfall: journal "dmup" (command line): want dump or verify; did you mean dump?"#
    ),
    (
      ["journal", "dump", "verify"],
      #"footfall: "verify" (command line): one command is enough, and options begin with --"#
    ),
    (["--workers"], #"footfall: workers (flag --workers): no value, want a whole number from 1 to 1024, or auto"#),
    (
      ["--workers", "--strict"],
      #"footfall: workers (flag --workers): no value, want a whole number from 1 to 1024, or auto"#
    ),
    (["--config", "/none"], #"footfall: config = "/none" (flag --config): cannot be read: no such file (ENOENT)"#),
    (["--config", ""], #"footfall: config = "" (flag --config): want a file, or none"#),
  ]

  @Test(arguments: misspelt)
  func `on the command line ends with status 64`(_ arguments: [String], _ line: String) {
    let found = faults(arguments)
    #expect(found.lines.first == line)
    #expect(found.exitStatus == 64)
  }

  @Test func `is not measured against every option when it is too long to be one`() {
    // A distance of a megabyte to each of them would be a minute's work.
    let name = String(repeating: "w", count: 1 << 20)
    #expect(Options.hint(for: name, among: ["workers"]) == "footfall --help lists them")
    #expect(Options.hint(for: "max-series-per-metrik", among: ["udp", "max-series-per-metric"]).contains("-metric?"))
  }

  @Test func `shows the beginning of a text that is far too long, and its length`() {
    let long = String(repeating: "w", count: 1 << 20)
    let shown = String(repeating: "w", count: Log.longestShown)
    #expect(
      faults([long, "--\(long)"]).lines == [
        "footfall: \"\(shown)\"… of 1048576 bytes (command line): no such command, want serve, explain, journal, check-config; "
          + "footfall --help lists them",
        "footfall: \"--\(shown.dropLast(2))\"… of 1048578 bytes (command line): no such option; footfall --help lists them",
      ])
    let variable = "FOOTFALL_\u{1B}" + long
    let line = faults(environment: [variable: "1"]).lines.first ?? ""
    #expect(line.utf8.count < 3 * Log.longestShown && line.contains(#"variable FOOTFALL_\x1bw"#))
  }

  @Test func `in the environment ends with status 78`() {
    let found = faults(environment: ["FOOTFALL_WROKERS": "2", "FOOTFALL_CONFIG": "/none", "WORKERS": "x"])
    #expect(
      found.lines == [
        #"footfall: "FOOTFALL_WROKERS" (environment variable FOOTFALL_WROKERS): no such option; "#
          + "did you mean FOOTFALL_WORKERS?",
        #"footfall: config = "/none" (environment variable FOOTFALL_CONFIG): cannot be read: no such file (ENOENT)"#,
      ])
    #expect(found.exitStatus == 78)
  }

  @Test func `in a file is found with its line, and all of them are told`() {
    let file = "workers\n\nwrokers = 2\nworkers = 0\nudp = :1\nudp = :2\n\nconfig = x\nworkers = 3\n= 4\n"
    let found = faults(environment: ["FOOTFALL_CONFIG": "f"], files: ["f": file])
    #expect(
      found.lines == [
        #"footfall: "workers" (f:1): want NAME = VALUE, or # before a comment"#,
        #"footfall: "wrokers" (f:3): no such option in a file; did you mean workers?"#,
        #"footfall: udp (f:6): given before at f:5; write several values with commas"#,
        #"footfall: "config" (f:8): no such option in a file; footfall --help lists them"#,
        #"footfall: workers (f:9): given before at f:4"#,
        #"footfall: "" (f:10): no such option in a file; footfall --help lists them"#,
        #"footfall: workers = "0" (f:4): want a whole number from 1 to 1024, or auto"#,
      ])
    #expect(found.exitStatus == 78)
  }

  @Test func `in a value that is overruled is told all the same`() {
    let found = faults(["--workers", "1"], environment: ["FOOTFALL_WORKERS": "x"])
    #expect(found.lines.count == 1)
    #expect(found.exitStatus == 78)
  }

  @Test func `has a share of the command line's status when both are wrong`() {
    let found = faults(["--workers", "x"], environment: ["FOOTFALL_STRICT": "x"])
    #expect(found.lines.count == 2)
    #expect(found.exitStatus == 64)
  }

  @Test func `shows no byte that could move the terminal`() throws {
    let bytes: [UInt8] = Array("a\u{1B}[2J = 1\n".utf8) + [0x75, 0xFF, 0x3D]
    #expect {
      try Options.invocation(arguments: ["--config", "f"], environment: [:]) { _ in bytes }
    } throws: { error in
      "\(error)" == """
        footfall: "a\\x1b[2J" (f:1): no such option in a file; footfall --help lists them
        footfall: "u\\xff=" (f:2): not UTF-8

        """
    }
  }
}
