/// Addresses that share their first bits: `10.0.0.0/8`, `2001:db8::/32`, or one address alone (RFC 4632; RFC 4291, section 2.3).
package struct AddressRange: Equatable, Sendable, CustomStringConvertible {
  private let first: SenderAddress
  /// Bits that count, of 128: an IPv4 address is the last 32 of one.
  private let length: Int
  /// As it was written.
  package let description: String

  /// Bits beyond the length must be 0, as `10.1.2.3/8` is more likely a mistake than a range.
  package init?(_ text: some StringProtocol) {
    let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
    guard let address = SenderAddress(String(parts[0])) else { return nil }
    var length = 128
    if parts.count == 2 {
      let bits = address.isV4 ? 32 : 128
      guard parts[1].utf8.allSatisfy({ 0x30...0x39 ~= $0 }), let wanted = Int(parts[1]), wanted <= bits else {
        return nil
      }
      length = 128 - bits + wanted
    }
    guard address.masked(to: length) == address else { return nil }
    first = address
    self.length = length
    description = String(text)
  }

  /// Whether an address lies within.
  package func contains(_ address: SenderAddress) -> Bool { address.masked(to: length) == first }
}
