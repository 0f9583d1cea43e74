/// Sketch buckets with their weights in ascending order, in one to two bytes each: how a sketch is kept and merged.
///
///     bucket   varint(gap << 2 | form) [weight]
///     gap      numbers left out since the bucket before (from `lowestNumber` on)
///     form     0: the weight is 1 · 1: a whole number below 2^53 follows as a varint · 2: a double follows, 8 bytes, little-endian
///     varint   seven bits a byte, the lowest first; the top bit says that more follow
///
/// Whole weights are added up as integers, so a merge gives the same run in whatever order and over however many tables samples came.
/// - Invariant: a merge takes no more bytes than its two runs: gaps only shrink, and two weights of one bucket share one head.
enum BucketRun {
  /// Below every bucket's number.
  static let lowestNumber: Int32 = -131_073
  /// A gap has 21 bits with its form, a weight 53 or 64.
  static let longestBucket = 11

  /// Walks a run.
  @safe
  struct Reader {
    private var at: UnsafeRawPointer
    private let end: UnsafeRawPointer
    /// The bucket in hand.
    private(set) var number = BucketRun.lowestNumber
    private(set) var weight = 0.0

    /// The run's memory must outlive the reader.
    init(unsafeRun run: UnsafeRawBufferPointer) {
      unsafe at = run.baseAddress ?? UnsafeRawPointer(bitPattern: 8)!
      unsafe end = unsafe at + run.count
    }

    /// What has not been read.
    @unsafe var rest: UnsafeRawBufferPointer { unsafe UnsafeRawBufferPointer(start: at, count: end - at) }

    /// Moves to the next bucket; false behind the last one.
    @inline(__always)
    mutating func next() -> Bool {
      // Safe: whoever wrote a run ended it with a whole bucket.
      if unsafe at == end { return false }
      let head = varint()
      number &+= Int32(truncatingIfNeeded: head &>> 2) &+ 1
      let form = head & 3
      if _fastPath(form == 0) {
        weight = 1
      } else if form == 1 {
        weight = Double(varint())
      } else {
        weight = unsafe Double(bitPattern: UInt64(littleEndian: at.loadUnaligned(as: UInt64.self)))
        unsafe at += 8
      }
      return true
    }

    @inline(__always)
    private mutating func varint() -> UInt64 {
      var byte = unsafe UInt64(at.load(as: UInt8.self))
      unsafe at += 1
      if _fastPath(byte < 0x80) { return byte }
      var value = byte & 0x7F
      var shift: UInt64 = 7
      repeat {
        byte = unsafe UInt64(at.load(as: UInt8.self))
        unsafe at += 1
        value |= (byte & 0x7F) &<< shift
        shift &+= 7
      } while byte >= 0x80
      return value
    }
  }

  /// Writes a run.
  @safe
  struct Writer {
    private let start: UnsafeMutableRawPointer
    private var at: UnsafeMutableRawPointer
    private var previous = BucketRun.lowestNumber

    /// There must be room for what is written: `longestBucket` bytes a bucket do.
    init(unsafeStart start: UnsafeMutableRawPointer) {
      unsafe self.start = start
      unsafe at = start
    }

    var byteCount: Int { unsafe at - start }

    /// Adds a bucket behind all others.
    @inline(__always)
    mutating func append(_ number: Int32, _ weight: Double) {
      assert(number > previous && weight > 0)
      let gap = UInt64(truncatingIfNeeded: number &- previous &- 1) &<< 2
      previous = number
      if _fastPath(weight == 1) { return varint(gap) }
      if weight < 0x1p53, case let whole = UInt64(weight), Double(whole) == weight {
        varint(gap | 1)
        varint(whole)
      } else {
        varint(gap | 2)
        // Safe: the owner's promise of room.
        unsafe at.storeBytes(of: weight.bitPattern.littleEndian, as: UInt64.self)
        unsafe at += 8
      }
    }

    /// Adds the bucket that the reader has in hand and all that follow it.
    mutating func append(from reader: Reader) {
      append(reader.number, reader.weight)
      // What follows it is a gap behind the same number, so its bytes are good as they stand.
      let rest = unsafe reader.rest
      guard let from = rest.baseAddress else { return }
      unsafe at.copyMemory(from: from, byteCount: rest.count)
      unsafe at += rest.count
    }

    @inline(__always)
    private mutating func varint(_ value: UInt64) {
      var left = value
      while _slowPath(left >= 0x80) {
        unsafe at.storeBytes(of: UInt8(truncatingIfNeeded: left) | 0x80, as: UInt8.self)
        unsafe at += 1
        left &>>= 7
      }
      unsafe at.storeBytes(of: UInt8(truncatingIfNeeded: left), as: UInt8.self)
      unsafe at += 1
    }
  }

  /// Writes all buckets of both runs; those that both have with the sum of their weights.
  ///
  /// A run that holds `SketchBucket.fineLimit` buckets takes further ones of `right` by power of two alone.
  /// - Parameter target: room for as many bytes as the runs have together.
  /// - Returns: the bytes written.
  /// - Complexity: O(bytes), without allocation up to the limit.
  static func merge(
    _ left: UnsafeRawBufferPointer, _ right: UnsafeRawBufferPointer, into target: UnsafeMutableRawPointer
  )
    -> Int
  {
    // Safe: the caller lends both runs and the room.
    let all = unsafe mergeAll(left, right, into: target)
    if _fastPath(all.bucketsAtMost <= SketchBucket.fineLimit) { return all.bytes }
    guard let fitting = unsafe fitting(right, beside: left) else { return all.bytes }
    return unsafe fitting.withUnsafeBytes { unsafe mergeAll(left, $0, into: target).bytes }
  }

  private static func mergeAll(
    _ left: UnsafeRawBufferPointer, _ right: UnsafeRawBufferPointer, into target: UnsafeMutableRawPointer
  ) -> (bytes: Int, bucketsAtMost: Int) {
    var buckets = 0
    var writer = unsafe Writer(unsafeStart: target)
    var mine = unsafe Reader(unsafeRun: left)
    var other = unsafe Reader(unsafeRun: right)
    var hasMine = mine.next()
    var hasOther = other.next()
    while hasMine && hasOther {
      buckets &+= 1
      if mine.number < other.number {
        writer.append(mine.number, mine.weight)
        hasMine = mine.next()
      } else if mine.number == other.number {
        writer.append(mine.number, (mine.weight + other.weight).finite)
        hasMine = mine.next()
        hasOther = other.next()
      } else {
        writer.append(other.number, other.weight)
        hasOther = other.next()
      }
    }
    // A bucket has a byte at least.
    buckets &+= unsafe (hasMine ? 1 : 0) &+ mine.rest.count &+ (hasOther ? 1 : 0) &+ other.rest.count
    if hasMine { writer.append(from: mine) }
    if hasOther { writer.append(from: other) }
    return (writer.byteCount, buckets)
  }

  /// `right` with the buckets coarse that would be too many beside those of `left`; nil if none is.
  private static func fitting(_ right: UnsafeRawBufferPointer, beside left: UnsafeRawBufferPointer) -> [UInt8]? {
    // Safe: the caller lends both runs for the call.
    let (mine, others) = unsafe (buckets(of: left), buckets(of: right))
    var room = max(0, SketchBucket.fineLimit - mine.count)
    var isCoarse = false
    var place = 0
    var fitting: [Bucket] = []
    for var bucket in others {
      while place < mine.count && mine[place].number < bucket.number { place += 1 }
      if place == mine.count || mine[place].number != bucket.number {
        if room > 0 {
          room -= 1
        } else {
          isCoarse = true
          bucket.number = SketchBucket.coarse(bucket.number)
        }
      }
      fitting.append(bucket)
    }
    if !isCoarse { return nil }
    sort(&fitting)
    return run(of: fitting)
  }

  /// Sorts buckets and joins those of one number.
  static func sort(_ buckets: inout [Bucket]) {
    // In the order of their weights too, so that sums of fractions do not depend on the order in which they came.
    buckets.sort { ($0.number, $0.weight) < ($1.number, $1.weight) }
    var last = 0
    for index in buckets.indices.dropFirst() {
      if buckets[index].number == buckets[last].number {
        buckets[last].weight = (buckets[last].weight + buckets[index].weight).finite
      } else {
        last += 1
        buckets[last] = buckets[index]
      }
    }
    if !buckets.isEmpty { buckets.removeSubrange((last + 1)...) }
  }

  /// The sum of all weights.
  static func weight(of run: UnsafeRawBufferPointer) -> Double {
    // Safe: the caller lends the run for the call.
    var reader = unsafe Reader(unsafeRun: run)
    var sum = 0.0
    while reader.next() { sum += reader.weight }
    return sum.finite
  }

  struct Bucket: Equatable {
    var number: Int32
    var weight: Double
  }

  /// A run's buckets one by one.
  static func buckets(of run: UnsafeRawBufferPointer) -> [Bucket] {
    var buckets: [Bucket] = []
    // Safe: the caller lends the run for the call.
    var reader = unsafe Reader(unsafeRun: run)
    while reader.next() { buckets.append(Bucket(number: reader.number, weight: reader.weight)) }
    return buckets
  }

  /// The run of `buckets`, which rise and are not repeated.
  static func run(of buckets: [Bucket]) -> [UInt8] {
    // Safe: just allocated for so many.
    unsafe [UInt8](unsafeUninitializedCapacity: buckets.count * longestBucket) { bytes, count in
      guard let start = bytes.baseAddress else { return }
      var writer = unsafe Writer(unsafeStart: start)
      for bucket in buckets { writer.append(bucket.number, bucket.weight) }
      count = writer.byteCount
    }
  }
}
