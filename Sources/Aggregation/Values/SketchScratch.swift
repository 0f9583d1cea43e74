import Platform

/// What one thread needs to sort and merge samples into runs, so that no merge allocates.
///
/// Codes (`SketchBucket.code`) are sorted by counting them: a 16-bit count for each, and a bit for each count that is not zero. Only the
/// pages of codes that occur are ever touched.
/// - Invariant: between calls all counts and bits are zero.
@safe
struct SketchScratch: ~Copyable {
  private static let codes = 65_536

  private let memory: Reservation
  private let counts: UnsafeMutablePointer<UInt16>
  private let marks: UnsafeMutablePointer<UInt64>
  private var odd: [BucketRun.Bucket] = []
  /// What `sort` gave.
  private var sorted = RunRoom()
  /// What `merge` gave last, and the time before.
  private var merged = RunRoom()
  private var mergedBefore = RunRoom()
  /// Bytes that the timers' blocks of whoever has the scratch have grown by: only a block that grows knows, and the scratch is at hand there.
  var grownBytes = 0

  init() throws(SystemError) {
    let memory = try Reservation(byteCount: Self.codes * 2 + Self.codes / 8)
    unsafe counts = memory.base.assumingMemoryBound(to: UInt16.self)
    unsafe marks = (memory.base + Self.codes * 2).assumingMemoryBound(to: UInt64.self)
    self.memory = memory
  }

  /// The words of a block (`TimerBlock`) as a run.
  /// - Parameters:
  ///   - words: at most 65,535.
  ///   - unit: the weight that each code stands for.
  /// - Returns: the run, valid until the next sort; all that was given before is not any more.
  /// - Complexity: O(words + distance of the extremes / 4,096), without allocation once it has grown to its use.
  mutating func sort(_ words: UnsafeBufferPointer<UInt16>, unit: Double) -> UnsafeRawBufferPointer {
    odd.removeAll(keepingCapacity: true)
    // Safe: a code is an index of `counts`, and a 64th of it one of `marks`; a mark for no code has its six words behind it.
    var (low, high) = (Self.codes / 64, 0)
    var buckets = 0
    var place = 0
    while place < words.count {
      let word = unsafe words[place]
      if _slowPath(word >= SketchBucket.zeroCode) {
        if word == SketchBucket.zeroCode {
          unsafe counts[Int(word)] &+= 1
          place &+= 1
        } else {
          unsafe odd.append(TimerBlock.odd(words.baseAddress! + place))
          place &+= TimerBlock.oddWords
        }
        continue
      }
      let code = Int(word)
      let count = unsafe counts[code]
      unsafe counts[code] = count &+ 1
      place &+= 1
      if count > 0 { continue }
      buckets &+= 1
      let mark = code &>> 6
      unsafe marks[mark] |= 1 &<< UInt64(truncatingIfNeeded: code & 63)
      low = min(low, mark)
      high = max(high, mark)
    }
    let run = unsafe write(low, high, unit, buckets: buckets + 1)
    return unsafe odd.isEmpty ? run : mergeOdd(run)
  }

  /// Both runs in one.
  /// - Parameter right: may be what `sort` gave.
  /// - Returns: the run, valid until the next merge but one and the next sort.
  mutating func merge(_ left: UnsafeRawBufferPointer, _ right: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
    swap(&merged, &mergedBefore)
    // Safe: the caller lends both runs, and the older room holds neither.
    let target = unsafe merged.reserve(left.count + right.count)
    return unsafe UnsafeRawBufferPointer(start: target, count: BucketRun.merge(left, right, into: target))
  }

  /// Keeps of each register's words (`SetBlock`) one with the highest rank, in their order.
  /// - Returns: how many are left, at the beginning of `list`.
  /// - Complexity: O(words), without allocation.
  mutating func keepHighest(of list: UnsafeMutableBufferPointer<UInt32>) -> Int {
    // Safe: a register is an index of `counts`, and the words kept are no more than those read.
    for place in 0..<list.count {
      let word = unsafe list[place]
      let (register, rank) = (Int(word &>> 8), UInt16(truncatingIfNeeded: word & 0xFF))
      unsafe counts[register] = max(counts[register], rank)
    }
    var kept = 0
    for place in 0..<list.count {
      let word = unsafe list[place]
      let register = Int(word &>> 8)
      if unsafe counts[register] != UInt16(truncatingIfNeeded: word & 0xFF) { continue }
      unsafe counts[register] = 0
      unsafe list[kept] = word
      kept &+= 1
    }
    return kept
  }

  /// Writes the counts from mark `low` to mark `high` into `sorted` and sets them to zero.
  private mutating func write(_ low: Int, _ high: Int, _ unit: Double, buckets: Int) -> UnsafeRawBufferPointer {
    // Safe: room for as many buckets as there are counts above zero.
    let start = unsafe sorted.reserve(buckets * BucketRun.longestBucket)
    var writer = unsafe BucketRun.Writer(unsafeStart: start)
    let zeros = unsafe counts[Int(SketchBucket.zeroCode)]
    if zeros > 0 {
      writer.append(0, Double(zeros) * unit)
      unsafe counts[Int(SketchBucket.zeroCode)] = 0
    }
    for mark in low..<max(low, high + 1) {
      var bits = unsafe marks[mark]
      if bits == 0 { continue }
      unsafe marks[mark] = 0
      repeat {
        let code = mark &* 64 &+ bits.trailingZeroBitCount
        unsafe writer.append(SketchBucket.number(ofCode: code), Double(counts[code]) * unit)
        unsafe counts[code] = 0
        bits &= bits &- 1
      } while bits != 0
    }
    return unsafe UnsafeRawBufferPointer(start: start, count: writer.byteCount)
  }

  /// Samples that have no code are few, or somebody means harm: they are sorted by comparing.
  private mutating func mergeOdd(_ run: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
    BucketRun.sort(&odd)
    // Safe: nothing given before is in use any more, and `merge` writes to the other room.
    let start = unsafe merged.reserve(odd.count * BucketRun.longestBucket)
    var writer = unsafe BucketRun.Writer(unsafeStart: start)
    for bucket in odd { writer.append(bucket.number, bucket.weight) }
    return unsafe merge(run, UnsafeRawBufferPointer(start: start, count: writer.byteCount))
  }
}

/// Memory for a run that grows to what was wanted most.
@safe
struct RunRoom: ~Copyable {
  private var bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: 4_096, alignment: 16)

  deinit { unsafe bytes.deallocate() }

  /// Room for `count` bytes; what was there may be lost.
  @unsafe
  mutating func reserve(_ count: Int) -> UnsafeMutableRawPointer {
    if unsafe count > bytes.count {
      unsafe bytes.deallocate()
      unsafe bytes = .allocate(byteCount: count * 2, alignment: 16)
    }
    // Safe: an allocation of more than no bytes has an address.
    return unsafe bytes.baseAddress!
  }
}
