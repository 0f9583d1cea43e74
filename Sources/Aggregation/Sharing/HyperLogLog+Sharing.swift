/// Sets as Redis keeps them, which other agents may have joined with theirs.
extension HyperLogLog {
  /// The members whose registers these are, as Redis would keep them.
  init(_ ranks: Ranks) {
    self.init()
    var raises: [Raise] = []
    ranks.forEach { raises.append(Raise(register: $0, rank: $1)) }
    raise(raises)
  }

  /// Takes what Redis keeps as a string; nil if it is no HyperLogLog.
  ///
  /// Whatever the bytes: of the sparse form all runs are walked, and they are as long as all registers.
  package init?(redis bytes: [UInt8]) {
    if bytes.count <= Self.headerBytes || !bytes.starts(with: "HYLL".utf8) { return nil }
    switch bytes[4] {
    case 0: if bytes.count != Self.denseBytes { return nil }
    case 1: if !Self.isSparse(bytes) { return nil }
    default: return nil
    }
    self.init()
    self.bytes.replaceSubrange(Self.headerBytes..., with: bytes[Self.headerBytes...])
    self.bytes[4] = bytes[4]
    if isDense {
      var isSound = true
      // No hash gives a higher rank (Redis: HLL_Q + 1).
      forEachRank { if $1 > 51 { isSound = false } }
      if !isSound { return nil }
    }
  }

  private static func isSparse(_ bytes: [UInt8]) -> Bool {
    var registers = 0
    var at = headerBytes
    while at < bytes.count {
      let code = bytes[at]
      if code & 0x80 != 0 {
        registers += Int(code & 3) + 1
      } else if code & 0x40 != 0 {
        at += 1
        if at == bytes.count { return false }
        registers += Int(code & 0x3F) << 8 + Int(bytes[at]) + 1
      } else {
        registers += Int(code & 0x3F) + 1
      }
      at += 1
    }
    return registers == Self.registers
  }
}

extension HyperLogLog.Ranks {
  /// Adds the members of what Redis keeps as a string; none if it is empty.
  /// - Returns: false if it is no HyperLogLog; then nothing has changed.
  package mutating func merge(redis bytes: [UInt8]) -> Bool {
    if bytes.isEmpty { return true }
    guard let other = HyperLogLog(redis: bytes) else { return false }
    merge(other)
    return true
  }
}
