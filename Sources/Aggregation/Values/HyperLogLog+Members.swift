/// A set's members as history keeps them: the registers that were raised, as bytes.
///
///     offset  bytes
///          0      1  0: a list, 1: all registers
///          1      …  list: for each raised register in ascending order the registers since the one before (LEB128), and its rank (1 byte)
///          1  12288  all: 16,384 registers of 6 bits, the first in the lowest bits
///
/// A member takes 3 bytes at first, which is why this is not the form of Redis: a set of few members is kept for many minutes.
extension HyperLogLog {
  enum Members {
    private static let allBytes = 1 + HyperLogLog.registers * 6 / 8

    /// Raises registers; `raises` is sorted by register, without repetition.
    static func raise(_ bytes: inout [UInt8], _ raises: [Raise]) {
      if raises.isEmpty { return }
      if bytes.first == 1 {
        for raise in raises where rank(raise.register, bytes) < raise.rank { set(raise.register, raise.rank, &bytes) }
        return
      }
      var joined: [UInt8] = [0]
      joined.reserveCapacity(bytes.count + 3 * raises.count)
      var before = -1
      func append(_ register: Int, _ rank: UInt8) {
        joined.appendNumber(UInt64(register - before - 1))
        joined.append(rank)
        before = register
      }
      var next = 0
      forEach(bytes) { register, rank in
        while next < raises.count && raises[next].register < register {
          append(raises[next].register, raises[next].rank)
          next += 1
        }
        if next < raises.count && raises[next].register == register {
          append(register, max(rank, raises[next].rank))
          next += 1
        } else {
          append(register, rank)
        }
      }
      for raise in raises[next...] { append(raise.register, raise.rank) }
      bytes = joined.count < allBytes ? joined : dense(joined)
    }

    /// Registers with a rank above 0, in ascending order.
    static func forEach(_ bytes: [UInt8], _ body: (Int, UInt8) -> Void) {
      if bytes.isEmpty { return }
      if bytes[0] == 1 {
        if bytes.count < allBytes { return }
        for register in 0..<HyperLogLog.registers {
          let rank = rank(register, bytes)
          if rank > 0 { body(register, rank) }
        }
        return
      }
      var register = -1
      var at = 1
      while at < bytes.count {
        var gap = Int(bytes[at] & 0x7F)
        while bytes[at] >= 0x80 && at + 1 < bytes.count {
          at += 1
          gap |= Int(bytes[at] & 0x7F) << 7
        }
        register += gap + 1
        if at + 1 >= bytes.count || register >= HyperLogLog.registers { return }
        body(register, bytes[at + 1])
        at += 2
      }
    }

    /// Whether bytes from outside are members. No rank is above 51, the most that a hash gives.
    static func areSound(_ bytes: [UInt8]) -> Bool {
      guard let form = bytes.first else { return true }
      var isSound = true
      if form == 1 {
        if bytes.count != allBytes { return false }
        for register in 0..<HyperLogLog.registers where rank(register, bytes) > 51 { isSound = false }
        return isSound
      }
      var reader = HistoryByteReader(bytes, from: 1)
      var register = -1
      while form == 0, !reader.isAtEnd {
        guard let gap = reader.number(), gap < HyperLogLog.registers, let rank = reader.byte() else { return false }
        register += Int(gap) + 1
        if register >= HyperLogLog.registers || rank == 0 || rank > 51 { return false }
      }
      return form == 0
    }

    /// Adds one set's members to another's.
    static func join(_ bytes: inout [UInt8], _ other: [UInt8]) {
      raise(&bytes, raises(other))
    }

    /// The registers that were raised, in ascending order.
    static func raises(_ bytes: [UInt8]) -> [Raise] {
      var raises: [Raise] = []
      forEach(bytes) { raises.append(Raise(register: $0, rank: $1)) }
      return raises
    }

    private static func dense(_ list: [UInt8]) -> [UInt8] {
      var bytes = [UInt8](repeating: 0, count: allBytes)
      bytes[0] = 1
      forEach(list) { set($0, $1, &bytes) }
      return bytes
    }

    /// Four registers stand in three bytes.
    @inline(__always)
    private static func rank(_ register: Int, _ bytes: [UInt8]) -> UInt8 {
      let at = 1 + register / 4 * 3
      let group = UInt32(bytes[at]) | UInt32(bytes[at + 1]) << 8 | UInt32(bytes[at + 2]) << 16
      return UInt8(truncatingIfNeeded: group >> UInt32(register % 4 * 6)) & 0x3F
    }

    private static func set(_ register: Int, _ rank: UInt8, _ bytes: inout [UInt8]) {
      let at = 1 + register / 4 * 3
      let shift = UInt32(register % 4 * 6)
      var group = UInt32(bytes[at]) | UInt32(bytes[at + 1]) << 8 | UInt32(bytes[at + 2]) << 16
      group = group & ~(0x3F << shift) | UInt32(rank & 0x3F) << shift
      for byte in 0..<3 { bytes[at + byte] = UInt8(truncatingIfNeeded: group >> UInt32(8 * byte)) }
    }
  }
}
