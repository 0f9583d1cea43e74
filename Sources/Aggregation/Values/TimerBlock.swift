/// What one worker gathered of one timer in one half: count, sum, extremes, and the samples' buckets as they came, in one allocation.
///
///     offset  bytes
///          0      8  count: the sum of the weights
///          8      8  sum of value * weight
///         16     16  least and greatest value
///         32      4  unit: the weight of a sample that is a lone code
///         36      2  words in use
///         38      2  words that usual samples may use: all of them, or with bounds none
///         40      4  bytes of the run in use
///         44      2  bytes of the run, in 16s
///         46      2  words, from 4 to 492
///         48  2 * w  words: a code (`SketchBucket.code`) a sample; `noCode`, a bucket's number (2 words) and its weight (4 words)
///                    for one without a code or of another weight
///          …  8 * b  weights by `--buckets` bound, not cumulated (b bounds and one more for what is above all)
///          …      r  run (`BucketRun`): what was sorted when the words were full
///
/// A sample costs two bytes at the end of a list, which is near in the cache, and no search; a list that is full at its largest is
/// sorted into the run, which costs a few nanoseconds a sample.
@safe
struct TimerBlock {
  private static let wordsOffset = 48
  private static let firstCapacity = 4
  /// The list grows no more: by then a sort and a merge cost less a sample than a larger list would in cache misses.
  static let largestCapacity = 492
  /// Words of a sample without a code.
  static let oddWords = 7

  private let base: UnsafeMutableRawPointer
  private let bounds: TimerBounds

  /// Takes a block up again; `bounds` are those that it was made with.
  @inline(__always)
  init(unsafeBase base: UnsafeMutableRawPointer, bounds: TimerBounds) {
    unsafe self.base = base
    self.bounds = bounds
  }

  /// Where the block lies.
  @unsafe var address: UnsafeMutableRawPointer { unsafe base }

  /// Allocates an empty block. Whoever holds its address frees it with `deallocate()`.
  static func make(bounds: TimerBounds) -> TimerBlock { make(words: firstCapacity, runBytes: 0, bounds: bounds) }

  private static func make(words: Int, runBytes: Int, bounds: TimerBounds) -> TimerBlock {
    let bytes = wordsOffset + 2 * words + 8 * bounds.places + runBytes
    let block = unsafe TimerBlock(unsafeBase: .allocate(byteCount: bytes, alignment: 16), bounds: bounds)
    unsafe block.base.storeBytes(of: Float(1), toByteOffset: 32, as: Float.self)
    unsafe block.base.storeBytes(of: UInt16(bounds.places > 0 ? 0 : words), toByteOffset: 38, as: UInt16.self)
    unsafe block.base.storeBytes(of: UInt16(runBytes / 16), toByteOffset: 44, as: UInt16.self)
    unsafe block.base.storeBytes(of: UInt16(words), toByteOffset: 46, as: UInt16.self)
    block.clear()
    return block
  }

  // Safe: all of the below, the offsets are those of the table above; words and bytes in use stay below what there is.

  var count: Double { unsafe base.load(as: Double.self) }
  var sum: Double { unsafe base.load(fromByteOffset: 8, as: Double.self) }
  var least: Double { unsafe base.load(fromByteOffset: 16, as: Double.self) }
  var greatest: Double { unsafe base.load(fromByteOffset: 24, as: Double.self) }
  /// The weight that each lone code stands for.
  var unit: Double { Double(unsafe base.load(fromByteOffset: 32, as: Float.self)) }
  @inline(__always) private var used: Int {
    get { Int(unsafe base.load(fromByteOffset: 36, as: UInt16.self)) }
    nonmutating set {
      unsafe base.storeBytes(of: UInt16(truncatingIfNeeded: newValue), toByteOffset: 36, as: UInt16.self)
    }
  }
  @inline(__always) private var usualCapacity: Int { Int(unsafe base.load(fromByteOffset: 38, as: UInt16.self)) }
  private var capacity: Int { Int(unsafe base.load(fromByteOffset: 46, as: UInt16.self)) }
  private var runCount: Int {
    get { Int(unsafe base.load(fromByteOffset: 40, as: UInt32.self)) }
    nonmutating set { unsafe base.storeBytes(of: UInt32(newValue), toByteOffset: 40, as: UInt32.self) }
  }
  private var runCapacity: Int { Int(unsafe base.load(fromByteOffset: 44, as: UInt16.self)) * 16 }

  /// Bytes allocated.
  var byteCount: Int { Self.wordsOffset + 2 * capacity + 8 * bounds.places + runCapacity }
  /// Whether the block is far larger than what came since it was cleared.
  var isOversized: Bool { byteCount > 512 && runCount == 0 && used * 8 < capacity }

  /// Counts `value` with `weight`, both finite, if that is the usual matter of a code at the end of the list.
  /// - Returns: false if it is not; then nothing has changed.
  @inline(__always)
  func addUsual(_ value: Double, weight: Double) -> Bool {
    let code = SketchBucket.code(of: value)
    let place = used
    if code >= SketchBucket.codeLimit || place >= usualCapacity || weight != unit { return false }
    // Below 2^512 times a float's weight, which rounds away before a sum could become infinite.
    unsafe base.storeBytes(of: count + weight, as: Double.self)
    unsafe base.storeBytes(of: sum + value * weight, toByteOffset: 8, as: Double.self)
    takeExtremes(value)
    unsafe words[place] = UInt16(truncatingIfNeeded: code)
    used = place &+ 1
    return true
  }

  /// Counts `value` with `weight` (1 / rate), both finite.
  /// - Returns: the block to use from now on: itself, or a larger copy, in which case this one has been freed.
  /// - Complexity: O(1), over many samples, without allocation unless it grows.
  func add(_ value: Double, weight: Double, _ scratch: inout SketchScratch) -> TimerBlock {
    addToTotals(value, weight)
    if _slowPath(bounds.places > 0) { unsafe boundWeights[bounds.place(of: value)] += weight }
    return append(value, weight, &scratch)
  }

  @inline(__always)
  private func addToTotals(_ value: Double, _ weight: Double) {
    unsafe base.storeBytes(of: (count + weight).finite, as: Double.self)
    unsafe base.storeBytes(of: (sum + value * weight).finite, toByteOffset: 8, as: Double.self)
    takeExtremes(value)
  }

  @inline(__always)
  private func takeExtremes(_ value: Double) {
    if value < least { unsafe base.storeBytes(of: value, toByteOffset: 16, as: Double.self) }
    if value > greatest { unsafe base.storeBytes(of: value, toByteOffset: 24, as: Double.self) }
  }

  /// Forgets all samples and keeps the memory.
  func clear() {
    unsafe base.storeBytes(of: 0, as: Double.self)
    unsafe base.storeBytes(of: 0, toByteOffset: 8, as: Double.self)
    unsafe base.storeBytes(of: .infinity, toByteOffset: 16, as: Double.self)
    unsafe base.storeBytes(of: -.infinity, toByteOffset: 24, as: Double.self)
    used = 0
    runCount = 0
    for bound in 0..<bounds.places { unsafe boundWeights[bound] = 0 }
  }

  /// The weights between the bounds, in their order; empty without bounds.
  func forEachBound(_ body: (Int, Double) -> Void) {
    for bound in 0..<bounds.places { unsafe body(bound, boundWeights[bound]) }
  }

  /// Samples that are not in `run`.
  @unsafe var list: UnsafeBufferPointer<UInt16> { unsafe UnsafeBufferPointer(start: words, count: used) }
  /// Samples that were sorted already.
  @unsafe var run: UnsafeRawBufferPointer { unsafe UnsafeRawBufferPointer(start: runStart, count: runCount) }

  /// The sample without a code whose mark stands at `word`.
  @unsafe static func odd(_ word: UnsafePointer<UInt16>) -> BucketRun.Bucket {
    let from = unsafe UnsafeRawPointer(word + 1)
    return unsafe BucketRun.Bucket(
      number: from.loadUnaligned(as: Int32.self), weight: from.loadUnaligned(fromByteOffset: 4, as: Double.self))
  }

  @inline(never)
  private func append(_ value: Double, _ weight: Double, _ scratch: inout SketchScratch) -> TimerBlock {
    // A list that is empty may stand for any weight that 32 bits can hold.
    if used == 0, Double(Float(weight)) == weight {
      unsafe base.storeBytes(of: Float(weight), toByteOffset: 32, as: Float.self)
    }
    let code = SketchBucket.code(of: value)
    let isOdd = weight != unit || (code >= SketchBucket.codeLimit && value != 0)
    let place = used
    if place + (isOdd ? Self.oddWords : 1) > capacity {
      let before = byteCount
      let roomy = capacity < Self.largestCapacity ? grown() : sorted(&scratch)
      scratch.grownBytes += roomy.byteCount - before
      return roomy.append(value, weight, &scratch)
    }
    if isOdd {
      unsafe words[place] = SketchBucket.noCode
      let to = unsafe UnsafeMutableRawPointer(words + place + 1)
      unsafe to.storeBytes(of: SketchBucket.number(of: value), as: Int32.self)
      unsafe to.storeBytes(of: weight, toByteOffset: 4, as: Double.self)
      used = place + Self.oddWords
    } else {
      unsafe words[place] = value == 0 ? SketchBucket.zeroCode : UInt16(truncatingIfNeeded: code)
      used = place + 1
    }
    return self
  }

  /// A copy with a list two thirds longer: such that the allocator's own 8 bytes make it whole 16s.
  private func grown() -> TimerBlock {
    let larger = Self.make(words: (capacity * 5 / 3 + 3) / 8 * 8 + 4, runBytes: 0, bounds: bounds)
    // No block has a run before its list has grown to the end.
    unsafe larger.base.copyMemory(from: base, byteCount: 38)
    unsafe larger.words.update(from: words, count: used)
    for bound in 0..<bounds.places { unsafe larger.boundWeights[bound] = boundWeights[bound] }
    unsafe base.deallocate()
    return larger
  }

  /// Moves the list into the run.
  private func sorted(_ scratch: inout SketchScratch) -> TimerBlock {
    var sorted = unsafe scratch.sort(list, unit: unit)
    if runCount > 0 { unsafe sorted = scratch.merge(run, sorted) }
    var target = self
    if sorted.count > runCapacity {
      target = Self.make(words: capacity, runBytes: (sorted.count * 5 / 4 + 15) & ~15, bounds: bounds)
      unsafe target.base.copyMemory(from: base, byteCount: 38)
      for bound in 0..<bounds.places { unsafe target.boundWeights[bound] = boundWeights[bound] }
      unsafe base.deallocate()
    }
    unsafe target.runStart.copyMemory(from: sorted.baseAddress!, byteCount: sorted.count)
    target.runCount = sorted.count
    target.used = 0
    return target
  }

  @unsafe @inline(__always) private var words: UnsafeMutablePointer<UInt16> {
    unsafe (base + Self.wordsOffset).assumingMemoryBound(to: UInt16.self)
  }
  @unsafe private var boundWeights: UnsafeMutablePointer<Double> {
    unsafe (base + Self.wordsOffset + 2 * capacity).assumingMemoryBound(to: Double.self)
  }
  @unsafe private var runStart: UnsafeMutableRawPointer {
    unsafe base + Self.wordsOffset + 2 * capacity + 8 * bounds.places
  }
}
