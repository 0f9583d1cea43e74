/// The sparse form: runs of equal registers (see the head of HyperLogLog.swift).
extension HyperLogLog {
  /// The runs in order: which registers, and their rank.
  func forEachSparseRun(_ body: (Range<Int>, UInt8) -> Void) {
    var register = 0
    var at = Self.headerBytes
    while at < bytes.count {
      let code = bytes[at]
      let length: Int
      var rank: UInt8 = 0
      if code & 0x80 != 0 {
        length = Int(code & 3) + 1
        rank = (code >> 2) & 0x1F + 1
      } else if code & 0x40 != 0 {
        length = Int(code & 0x3F) << 8 + Int(bytes[at + 1]) + 1
        at += 1
      } else {
        length = Int(code & 0x3F) + 1
      }
      at += 1
      body(register..<register + length, rank)
      register += length
    }
  }

  /// One pass over the runs and the raises side by side; changes to the dense form where the sparse one ends.
  mutating func raiseSparse(_ raises: [Raise]) {
    if raises.contains(where: { $0.rank > Self.sparseRankLimit }) { return becomeDense(raises) }
    if !rises(raises) { return }
    // A raise splits a run of zeros at most, into three of its kinds.
    var writer = RunWriter(capacity: bytes.count + 5 * raises.count)
    var next = 0
    forEachSparseRun { run, rank in
      var from = run.lowerBound
      while next < raises.count && raises[next].register < run.upperBound {
        let raise = raises[next]
        writer.append(raise.register - from, rank: rank)
        writer.append(1, rank: max(rank, raise.rank))
        from = raise.register + 1
        next += 1
      }
      writer.append(run.upperBound - from, rank: rank)
    }
    let runs = writer.finish()
    if Self.headerBytes + runs.count > Self.sparseLimit { return becomeDense(raises) }
    bytes.replaceSubrange(Self.headerBytes..., with: runs)
  }

  /// Whether a register is lower than its raise: members that were counted before are the usual ones.
  private func rises(_ raises: [Raise]) -> Bool {
    var next = 0
    var rises = false
    forEachSparseRun { run, rank in
      while next < raises.count && raises[next].register < run.upperBound {
        if raises[next].rank > rank { rises = true }
        next += 1
      }
    }
    return rises
  }

  private mutating func becomeDense(_ raises: [Raise]) {
    let sparse = self
    bytes = Self.header(encoding: 0) + [UInt8](repeating: 0, count: Self.denseBytes - Self.headerBytes)
    sparse.forEachSparseRun { for register in $0 where $1 > 0 { setDense(register, $1) } }
    raise(raises)
  }

  /// Writes runs, joining neighbours of one rank.
  private struct RunWriter {
    private var runs: [UInt8] = []
    private var rank: UInt8 = 0
    private var length = 0

    init(capacity: Int) { runs.reserveCapacity(capacity) }

    mutating func append(_ count: Int, rank: UInt8) {
      if count == 0 { return }
      if rank != self.rank {
        flush()
        self.rank = rank
      }
      length += count
    }

    mutating func finish() -> [UInt8] {
      flush()
      return runs
    }

    private mutating func flush() {
      while length > 0 {
        if rank > 0 {
          let part = min(length, 4)
          runs.append(0x80 | (rank - 1) << 2 | UInt8(part - 1))
          length -= part
        } else if length > 64 {
          let part = min(length, 16_384)
          runs.append(0x40 | UInt8((part - 1) >> 8))
          runs.append(UInt8((part - 1) & 0xFF))
          length -= part
        } else {
          runs.append(UInt8(length - 1))
          length = 0
        }
      }
    }
  }
}
