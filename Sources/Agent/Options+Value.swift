import HTTPQuery
import Platform

/// How a value is spelt and read.
extension Options {
  struct Value<Result: Sendable>: Sendable {
    /// What stands for it in `--help`: `SIZE`.
    let placeholder: String
    /// Finishes the sentence "want …" in a fault.
    let allowed: String
    /// nil: not such a value.
    let read: @Sendable (Substring) -> Result?

    /// This value, or a word that means its absence.
    func or(_ word: String) -> Value<Result?> {
      let read = read
      return .init(placeholder: placeholder, allowed: "\(allowed), or \(word)") { text in
        text == word ? .some(nil) : read(text).map(Optional.some)
      }
    }
  }
}

extension Options.Value where Result == Int {
  /// A whole number in decimal.
  static func count(_ range: ClosedRange<Int>) -> Self {
    .init(placeholder: "N", allowed: "a whole number from \(range.lowerBound) to \(range.upperBound)") { text in
      digits(text).flatMap { range.contains($0) ? $0 : nil }
    }
  }

  /// Bytes: `4096`, `64KiB`, `8MiB`, `1GiB`.
  static func size(_ range: ClosedRange<Int>) -> Self {
    .init(
      placeholder: "SIZE",
      allowed: "a size from \(sizeText(range.lowerBound)) to \(sizeText(range.upperBound)), such as 64KiB or 8MiB"
    ) {
      text in
      let unit = sizeUnits.first { text.hasSuffix($0.suffix) }
      guard let count = digits(text.dropLast(unit?.suffix.count ?? 0)) else { return nil }
      let (bytes, overflow) = count.multipliedReportingOverflow(by: unit?.bytes ?? 1)
      return !overflow && range.contains(bytes) ? bytes : nil
    }
  }

  private static var sizeUnits: [(suffix: String, bytes: Int)] {
    [("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30)]
  }

  private static func sizeText(_ bytes: Int) -> String {
    guard let unit = sizeUnits.last(where: { bytes.isMultiple(of: $0.bytes) }) else { return "\(bytes)" }
    return "\(bytes / unit.bytes)\(unit.suffix)"
  }
}

extension Options.Value where Result == Duration {
  /// `250ms`, `10s`, `5m`, `2h`. The bounds are written the same way.
  static func duration(_ shortest: String, _ longest: String) -> Self {
    guard let low = milliseconds(shortest[...]), let high = milliseconds(longest[...]) else {
      preconditionFailure("\(shortest) and \(longest) must be durations themselves")
    }
    return .init(
      placeholder: "TIME", allowed: "a duration from \(shortest) to \(longest), such as 250ms, 10s, 5m or 2h"
    ) { text in
      milliseconds(text).flatMap { (low...high).contains($0) ? .milliseconds($0) : nil }
    }
  }

  /// `5`, `0.25`: seconds without their unit, from 0 on.
  static func seconds(_ shortest: Double, _ longest: Int) -> Self {
    .init(placeholder: "SECONDS", allowed: "seconds from \(shortest) to \(longest), such as 5 or 0.5") { text in
      let isPlain = text.utf8.allSatisfy { "0123456789.".utf8.contains($0) }
      guard isPlain, let seconds = Double(text), shortest <= seconds, seconds <= Double(longest) else { return nil }
      return .milliseconds(Int((seconds * 1_000).rounded()))
    }
  }

  private static func milliseconds(_ text: Substring) -> Int? {
    if text == "0" { return 0 }
    // `ms` before `s`, whose suffix it bears too.
    let units: [(suffix: String, milliseconds: Int)] = [("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000)]
    guard let unit = units.first(where: { text.hasSuffix($0.suffix) }),
      let count = digits(text.dropLast(unit.suffix.count))
    else {
      return nil
    }
    let (milliseconds, overflow) = count.multipliedReportingOverflow(by: unit.milliseconds)
    return overflow ? nil : milliseconds
  }
}

extension Options.Value where Result == Double {
  /// A finite decimal number.
  static func number(_ range: ClosedRange<Double>? = nil) -> Self {
    let bounds = range.map { " from \(Int($0.lowerBound)) to \(Int($0.upperBound))" } ?? ""
    return .init(placeholder: "LIST", allowed: "finite decimal numbers\(bounds)") { text in
      // `Double` would read `0x10` and `nan` as well.
      guard text.utf8.allSatisfy({ "0123456789.+-eE".utf8.contains($0) }), let number = Double(text), number.isFinite
      else { return nil }
      return range?.contains(number) ?? true ? number : nil
    }
  }
}

extension Options.Value where Result == Configuration.ListenAddress {
  static var address: Self {
    .init(placeholder: "ADDR", allowed: "IPV4:PORT, [IPV6]:PORT or :PORT (all addresses), in numbers") { .init($0) }
  }
}

extension Options.Value where Result == AddressRange {
  static var addressRange: Self {
    .init(placeholder: "CIDR", allowed: "an address or a range such as 10.0.0.0/8 or 2001:db8::/32, in numbers") {
      AddressRange($0)
    }
  }
}

extension Options.Value where Result == HostName {
  static var hostName: Self {
    .init(placeholder: "NAME", allowed: "a name without a port, such as footfall.example") { .init($0) }
  }
}

extension Options.Value where Result == WebOrigin {
  static var origin: Self {
    .init(placeholder: "ORIGIN", allowed: "a site such as https://shop.example or http://localhost:3000, or *") {
      .init($0)
    }
  }
}

extension Options.Value where Result == String {
  /// A path that a socket can be bound to: sun_path has 108 bytes, the last of them NUL (unix(7)).
  static var socketPath: Self {
    .init(placeholder: "PATH", allowed: "a path of at most 107 bytes") { text in
      (1...107).contains(text.utf8.count) && !text.utf8.contains(0) ? String(text) : nil
    }
  }

  static var file: Self {
    .init(placeholder: "FILE", allowed: "a file") { $0.isEmpty || $0.utf8.contains(0) ? nil : String($0) }
  }
}

extension Options.Value where Result == String {
  /// What the keys of a store begin with. Braces would tell a Redis Cluster what of a key to hash.
  static var keyPrefix: Self {
    .init(placeholder: "TEXT", allowed: "up to 128 printable ASCII characters without blanks, { and }") { text in
      let isSound = text.utf8.allSatisfy { 0x21...0x7E ~= $0 && !"{}".utf8.contains($0) }
      return isSound && text.utf8.count <= 128 ? String(text) : nil
    }
  }
}

extension Options.Value where Result == Configuration.StateDirectoryChoice {
  static var stateDirectory: Self {
    .init(placeholder: "PATH", allowed: "a folder, or auto, or none") { text in
      switch text {
      case "": nil
      case "auto": .usual
      case "none": Configuration.StateDirectoryChoice.none
      default: text.utf8.contains(0) ? nil : .path(String(text))
      }
    }
  }
}

extension Options.Value where Result == Configuration.KeyLabel {
  static var keyLabel: Self {
    .init(placeholder: "NAME[=LABEL]", allowed: "METRIC or METRIC=LABEL, the label of letters, digits and _") { text in
      let equals = text.lastIndex(of: "=")
      let metric = text[..<(equals ?? text.endIndex)]
      let label = equals.map { text[text.index(after: $0)...] } ?? "key"
      guard !metric.isEmpty, let first = label.utf8.first, !(0x30...0x39).contains(first) else { return nil }
      guard
        label.utf8.allSatisfy({
          $0 < 0x80 && ($0 == UInt8(ascii: "_") || Character(Unicode.Scalar($0)).isLetterOrDigit)
        })
      else {
        return nil
      }
      return .init(metric: String(metric), label: String(label))
    }
  }
}

extension Options.Value where Result: CaseIterable & RawRepresentable, Result.RawValue == String {
  /// One of a few words, which are their own placeholder if they are short.
  static func word(_ type: Result.Type, as placeholder: String? = nil) -> Self {
    let words = type.allCases.map(\.rawValue)
    return .init(
      placeholder: placeholder ?? words.joined(separator: "|"), allowed: "one of \(words.joined(separator: ", "))"
    ) { type.init(rawValue: String($0)) }
  }
}

extension Options.Value where Result == Bool {
  static var flag: Self {
    .init(placeholder: "", allowed: "on or off (also true, false, 1, 0)") { text in
      switch text {
      case "on", "true", "1": true
      case "off", "false", "0": false
      default: nil
      }
    }
  }
}

/// Decimal digits and nothing else: no sign, no `_`.
private func digits(_ text: Substring) -> Int? {
  text.utf8.allSatisfy { (0x30...0x39).contains($0) } ? Int(text) : nil
}

extension Character {
  fileprivate var isLetterOrDigit: Bool { isLetter || isNumber }
}
