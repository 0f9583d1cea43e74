/// Where a listener is bound: `127.0.0.1:8125`, `[::1]:8125`, or `:8125` for all addresses of the machine, IPv6 and IPv4.
///
/// Hosts are numbers, never names: a name could stand for several addresses, and a start should not wait for a resolver.
extension Configuration {
  struct ListenAddress: Equatable, Sendable, CustomStringConvertible {
    enum Host: Equatable, Sendable {
      case all
      /// As inet_pton(3) reads it: four decimal numbers.
      case v4(String)
      /// As inet_pton(3) reads it, without brackets or zone.
      case v6(String)
    }

    var host: Host
    /// 0 lets the kernel pick a free one.
    var port: UInt16

    var description: String {
      switch host {
      case .all: ":\(port)"
      case .v4(let text): "\(text):\(port)"
      case .v6(let text): "[\(text)]:\(port)"
      }
    }
  }
}

extension Configuration.ListenAddress {
  /// Reads one of the three forms; nil if `text` is none of them.
  init?(_ text: Substring) {
    guard let colon = text.lastIndex(of: ":"), let port = Self.number(text[text.index(after: colon)...], upTo: 65_535)
    else {
      return nil
    }
    self.port = UInt16(port)
    let host = text[..<colon]
    if host.isEmpty {
      self.host = .all
    } else if host.first == "[" && host.last == "]" {
      let inner = host.dropFirst().dropLast()
      guard Self.isIPv6(inner) else { return nil }
      self.host = .v6(String(inner))
    } else {
      guard Self.isIPv4(host) else { return nil }
      self.host = .v4(String(host))
    }
  }

  /// Decimal digits only, so that `+80` and the octal look of `010` are no numbers.
  private static func number(_ text: Substring, upTo highest: Int) -> Int? {
    guard text.utf8.allSatisfy({ (0x30...0x39).contains($0) }), text.count == 1 || text.first != "0" else { return nil }
    return Int(text).flatMap { $0 <= highest ? $0 : nil }
  }

  private static func isIPv4(_ text: Substring) -> Bool {
    let parts = text.split(separator: ".", omittingEmptySubsequences: false)
    return parts.count == 4 && parts.allSatisfy { number($0, upTo: 255) != nil }
  }

  /// RFC 4291, section 2.2: eight groups of up to four hex digits, one run of zero groups as `::`, the last two groups perhaps as IPv4.
  private static func isIPv6(_ text: Substring) -> Bool {
    guard let gap = text.utf8.indices.first(where: { text[$0...].hasPrefix("::") }) else {
      return groups(in: text) == 8
    }
    let behind = text[text.index(gap, offsetBy: 2)...]
    // `1::2.3.4.5` may end in IPv4, `1.2.3.4::` may not.
    guard !text[..<gap].contains("."), let before = groups(in: text[..<gap]), let after = groups(in: behind) else {
      return false
    }
    return before + after <= 7
  }

  /// 16-bit groups that `text` spells out; nil if it spells something else.
  private static func groups(in text: Substring) -> Int? {
    if text.isEmpty { return 0 }
    var parts = text.split(separator: ":", omittingEmptySubsequences: false)
    var count = 0
    if let last = parts.last, last.contains(".") {
      guard isIPv4(last) else { return nil }
      parts.removeLast()
      count = 2
    }
    guard parts.allSatisfy({ (1...4).contains($0.utf8.count) && $0.utf8.allSatisfy(isHexDigit) }) else { return nil }
    return count + parts.count
  }

  private static func isHexDigit(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "f"),
      UInt8(ascii: "A")...UInt8(ascii: "F"):
      true
    default: false
    }
  }
}
