/// Tells whether bytes are UTF-8 (RFC 3629, section 4), one byte at a time.
///
///     state      waits for
///     pending    that many continuation bytes, the next one within `lowest...highest`
package struct UTF8Validator {
  private var pending = 0
  private var lowest: UInt8 = 0x80
  private var highest: UInt8 = 0xBF

  /// Nothing was read yet.
  package init() {}

  /// Whether the bytes so far end between two characters.
  package var isComplete: Bool { pending == 0 }

  /// Takes one byte; false if it cannot stand there. After a false the validator waits for a first byte again.
  package mutating func accept(_ byte: UInt8) -> Bool {
    if pending > 0 {
      guard byte >= lowest && byte <= highest else {
        pending = 0
        return false
      }
      pending -= 1
      (lowest, highest) = (0x80, 0xBF)
      return true
    }
    (lowest, highest) = (0x80, 0xBF)
    switch byte {
    case 0x00...0x7F: return true
    case 0xC2...0xDF: pending = 1
    case 0xE0: (pending, lowest) = (2, 0xA0)
    case 0xED: (pending, highest) = (2, 0x9F)
    case 0xE1...0xEF: pending = 2
    case 0xF0: (pending, lowest) = (3, 0x90)
    case 0xF1...0xF3: pending = 3
    case 0xF4: (pending, highest) = (3, 0x8F)
    default: return false
    }
    return true
  }

  /// Hands on valid characters whole and U+FFFD for each byte that belongs to none.
  mutating func repair(_ text: some Sequence<UInt8>, _ put: (UInt8) -> Void) {
    var held: [UInt8] = []
    func drop() {
      for _ in held { for byte: UInt8 in [0xEF, 0xBF, 0xBD] { put(byte) } }
      held.removeAll(keepingCapacity: true)
    }
    for byte in text {
      if byte < 0x80 && isComplete {
        put(byte)
        continue
      }
      if !accept(byte) {
        drop()
        if !accept(byte) {
          held.append(byte)
          drop()
          continue
        }
      }
      held.append(byte)
      if isComplete {
        for good in held { put(good) }
        held.removeAll(keepingCapacity: true)
      }
    }
    drop()
  }
}
