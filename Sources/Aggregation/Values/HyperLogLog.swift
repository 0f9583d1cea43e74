/// Distinct members of a set, estimated from 16,384 registers: standard error 0.81 %.
///
/// The bytes are Redis's own (`src/hyperloglog.c`, Redis 7), so that `SET` of them and `PFMERGE` work unchanged:
///
///     offset  bytes
///          0      4  "HYLL"
///          4      1  encoding: 0 dense, 1 sparse
///          5      3  zero
///          8      8  cached cardinality, little-endian; the top bit says that it is stale (always, here)
///         16      …  dense: 16,384 registers of 6 bits, the first in the lowest bits; sparse: runs (below)
///
///     00xxxxxx            ZERO   x + 1 registers at 0
///     01xxxxxx xxxxxxxx   XZERO  x + 1 registers at 0
///     1vvvvvxx            VAL    x + 1 registers at v + 1
///
/// Heule, Nunkesser, Hall, "HyperLogLog in practice" (EDBT 2013); the estimator is Ertl's, "New cardinality estimation algorithms for
/// HyperLogLog sketches" (arXiv:1702.01284), section 4, as Redis uses it.
package struct HyperLogLog: Sendable, Equatable {
  /// Registers, 2^14: the low bits of a hash choose one.
  package static let registers = 16_384
  static let headerBytes = 16
  static let denseBytes = headerBytes + registers * 6 / 8
  /// Redis's hll-sparse-max-bytes: beyond it the dense form is smaller than what a look-up through the runs would cost.
  static let sparseLimit = 3_000
  /// The greatest rank that a sparse run can hold.
  static let sparseRankLimit: UInt8 = 32

  /// Redis's representation.
  package internal(set) var bytes: [UInt8]

  /// No member: sparse, 18 bytes.
  package init() {
    bytes = Self.header(encoding: 1) + [0x7F, 0xFF]
  }

  var isDense: Bool { bytes[4] == 0 }

  /// Where a member goes: its register, and the rank that it raises it to.
  /// - Complexity: O(length of the member).
  static func place(of member: UnsafeRawBufferPointer) -> (register: Int, rank: UInt8) {
    // Safe: the caller lends the bytes for the call.
    let hash = unsafe MurmurHash64A.hash(member, seed: 0xADC8_3B19)  // Redis's seed
    // The sentinel bit bounds the rank at 51 (Redis: HLL_Q + 1).
    let rank = ((hash >> 14) | 1 << 50).trailingZeroBitCount + 1
    return (Int(hash & 0x3FFF), UInt8(truncatingIfNeeded: rank))
  }

  /// Adds a member.
  /// - Complexity: O(bytes); what adds many goes through a `SetBlock`.
  package mutating func add(_ member: [UInt8]) {
    // Safe: the array lends its own bytes.
    let place = unsafe member.withUnsafeBytes { unsafe Self.place(of: $0) }
    raise([Raise(register: place.register, rank: place.rank)])
  }

  /// A register and the rank that it has at least.
  struct Raise {
    var register: Int
    var rank: UInt8
  }

  /// Raises registers; `raises` is sorted by register, without repetition.
  /// - Complexity: O(bytes + raises).
  mutating func raise(_ raises: [Raise]) {
    if isDense {
      for raise in raises where denseRank(raise.register) < raise.rank { setDense(raise.register, raise.rank) }
    } else if !raises.isEmpty {
      raiseSparse(raises)
    }
  }

  /// Adds all that a worker gathered.
  mutating func merge(_ block: SetBlock, scratch: inout [Raise]) {
    block.take(into: &scratch)
    raise(scratch)
  }

  /// The estimated number of distinct members.
  package var cardinality: UInt64 {
    var ranks = Ranks()
    ranks.merge(self)
    return ranks.cardinality
  }

  /// Registers with a rank above 0.
  func forEachRank(_ body: (Int, UInt8) -> Void) {
    if !isDense { return forEachSparseRun { for register in $0 where $1 > 0 { body(register, $1) } } }
    for register in 0..<Self.registers {
      let rank = denseRank(register)
      if rank > 0 { body(register, rank) }
    }
  }

  static func header(encoding: UInt8) -> [UInt8] {
    [0x48, 0x59, 0x4C, 0x4C, encoding, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x80]
  }

  private func denseRank(_ register: Int) -> UInt8 {
    let bit = register * 6
    let byte = Self.headerBytes + bit / 8
    let low = UInt16(bytes[byte])
    let high = byte + 1 < bytes.count ? UInt16(bytes[byte + 1]) : 0
    return UInt8(truncatingIfNeeded: (low | high << 8) >> UInt16(bit % 8)) & 0x3F
  }

  mutating func setDense(_ register: Int, _ rank: UInt8) {
    let bit = register * 6
    let byte = Self.headerBytes + bit / 8
    let shift = UInt16(bit % 8)
    let mask = UInt16(0x3F) << shift
    let value = UInt16(rank) << shift
    bytes[byte] = bytes[byte] & ~UInt8(truncatingIfNeeded: mask) | UInt8(truncatingIfNeeded: value)
    if mask > 0xFF { bytes[byte + 1] = bytes[byte + 1] & ~UInt8(mask >> 8) | UInt8(value >> 8) }
  }
}

extension HyperLogLog {
  /// All registers, a byte each: the union of several, and the estimate.
  package struct Ranks: Sendable {
    private var ranks = [UInt8](repeating: 0, count: HyperLogLog.registers)

    /// All registers at 0: no member.
    package init() {}

    /// Raises one register, if it is lower.
    @inline(__always)
    mutating func raise(_ register: Int, to rank: UInt8) { if ranks[register] < rank { ranks[register] = rank } }

    /// Registers with a rank above 0, in ascending order.
    func forEach(_ body: (Int, UInt8) -> Void) {
      for register in ranks.indices where ranks[register] > 0 { body(register, ranks[register]) }
    }

    /// Takes the greater rank of each register.
    package mutating func merge(_ other: Ranks) {
      for register in ranks.indices where ranks[register] < other.ranks[register] {
        ranks[register] = other.ranks[register]
      }
    }

    /// The same with the members of a `HyperLogLog`.
    package mutating func merge(_ other: HyperLogLog) {
      other.forEachRank { if ranks[$0] < $1 { ranks[$0] = $1 } }
    }

    /// Ertl's improved estimator, rounded as Redis rounds (llroundl).
    package var cardinality: UInt64 {
      var histogram = [Int](repeating: 0, count: 64)
      for rank in ranks { histogram[Int(rank)] += 1 }
      let registers = Double(HyperLogLog.registers)
      var z = registers * Self.tau((registers - Double(histogram[51])) / registers)
      for rank in stride(from: 50, through: 1, by: -1) {
        z += Double(histogram[rank])
        z *= 0.5
      }
      z += registers * Self.sigma(Double(histogram[0]) / registers)
      // 0.5 / ln 2: the limit of the bias correction for many registers.
      let alpha = 0.721347520444481703680
      let estimate = alpha * registers * registers / z
      // Members can be made up so that z is 0 or nearly so.
      return estimate < 0x1p63 ? UInt64(estimate.rounded(.toNearestOrAwayFromZero)) : UInt64(Int64.max)
    }

    private static func sigma(_ start: Double) -> Double {
      if start == 1 { return .infinity }
      var (x, y, z) = (start, 1.0, start)
      while true {
        x *= x
        let previous = z
        z += x * y
        y += y
        if previous == z { return z }
      }
    }

    private static func tau(_ start: Double) -> Double {
      if start == 0 || start == 1 { return 0 }
      var (x, y, z) = (start, 1.0, 1 - start)
      while true {
        x = x.squareRoot()
        let previous = z
        y *= 0.5
        z -= (1 - x) * (1 - x) * y
        if previous == z { return z / 3 }
      }
    }
  }
}
