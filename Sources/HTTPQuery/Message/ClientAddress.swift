import Platform

/// Who a request is from.
///
/// That is the connection's peer. Where the peer is a proxy that the operator trusts, it is whom the proxy names: the list that it and
/// those before it have added to is read from its end, past every proxy that is trusted too, to the first address that is not. So a client
/// that writes such a field itself gains nothing.
enum ClientAddress {
  static func of(_ headers: HeaderFields, peer: SenderAddress, trusted: [AddressRange]) -> SenderAddress {
    if trusted.isEmpty || !isTrusted(peer, trusted) { return peer }
    if let list = headers["x-forwarded-for"] {
      return last(list.split(separator: ",", omittingEmptySubsequences: false).map { node($0) }, peer, trusted)
    }
    if let list = headers["forwarded"] { return last(forwarded(list), peer, trusted) }
    if let one = headers["x-real-ip"] { return node(one[...]) ?? peer }
    return peer
  }

  private static func isTrusted(_ address: SenderAddress, _ trusted: [AddressRange]) -> Bool {
    trusted.contains { $0.contains(address) }
  }

  /// - Parameter nodes: nil is one that says no address (`unknown`, RFC 7239, section 6): nobody knows what stands before it.
  private static func last(
    _ nodes: [SenderAddress?], _ peer: SenderAddress, _ trusted: [AddressRange]
  ) -> SenderAddress {
    var known = peer
    for node in nodes.reversed() {
      guard let node else { return known }
      known = node
      if !isTrusted(node, trusted) { return node }
    }
    return known
  }

  /// The `for=` of each element (RFC 7239, section 4).
  private static func forwarded(_ list: String) -> [SenderAddress?] {
    list.split(separator: ",", omittingEmptySubsequences: false).map { element in
      for pair in element.split(separator: ";") {
        let parts = pair.split(separator: "=", maxSplits: 1)
        if parts.count == 2, trimmed(parts[0]).lowercased() == "for" { return node(parts[1]) }
      }
      return nil
    }
  }

  /// An address, perhaps in quotes or brackets, perhaps with a port.
  private static func node(_ text: Substring) -> SenderAddress? {
    var text = trimmed(text)
    if text.count >= 2, text.first == "\"", text.last == "\"" { text = text.dropFirst().dropLast() }
    if text.first == "[", let end = text.firstIndex(of: "]") {
      return SenderAddress(String(text[text.index(after: text.startIndex)..<end]))
    }
    if let address = SenderAddress(String(text)) { return address }
    // An IPv4 address with its port; an IPv6 one would have brackets.
    guard let colon = text.firstIndex(of: ":") else { return nil }
    return SenderAddress(String(text[..<colon]))
  }

  private static func trimmed(_ text: Substring) -> Substring {
    var rest = text.drop { $0 == " " || $0 == "\t" }
    while rest.last == " " || rest.last == "\t" { rest.removeLast() }
    return rest
  }
}
