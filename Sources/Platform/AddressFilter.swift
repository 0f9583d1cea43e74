/// Which senders are heard: all, or those whose address lies in one of some ranges.
///
/// Somebody on this machine over a unix socket has no address and is always heard.
package struct AddressFilter: Sendable {
  /// False: everybody is heard, and nothing needs to be asked.
  package let isOn: Bool
  private let ranges: [AddressRange]
  /// Datagrams of one sender come in a row: the last verdict, and whose it was.
  private var last = SenderAddress.local
  private var isLastHeard = true

  /// - Parameter ranges: empty: everybody.
  package init(_ ranges: [AddressRange] = []) {
    self.ranges = ranges
    isOn = !ranges.isEmpty
  }

  /// Whether `address` is heard.
  /// - Complexity: O(1) for the sender that was asked for last, O(ranges) for another.
  package mutating func hears(_ address: SenderAddress) -> Bool {
    if address == last { return isLastHeard }
    last = address
    isLastHeard = !isOn || address == .local || ranges.contains { $0.contains(address) }
    return isLastHeard
  }
}
