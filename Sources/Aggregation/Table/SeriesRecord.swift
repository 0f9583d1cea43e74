import Bytes
import CLinux
import Protocol
import Synchronization

/// One series as one worker has counted it: 64 bytes, a cache line, at a fixed address for the record's life.
///
///     offset  bytes  counter        gauge             timer, set         alias
///          0      8  whole (Int64)  absolute (Double) block, half 0      number of the record meant
///          8      8  fraction       delta since       block, half 1
///         16      8                 stamp
///         24      4  mark: the epoch of the last touch
///         28      2  length of the spelling in bytes
///         30      1  kind (`SampleKind`, or `RecordKind.limited`)
///         31      1  role: free, series, alias, overflow; in its upper two bits what plain counts the spelling may be part of
///                    (`PlainUse`), for counters
///         32     28  the spelling and zeros, or for one longer than 28 bytes the address of its copy
///         60      4  link: first alias of a series, next alias of an alias, next free record; number + 1, 0 is none
///
/// The owner writes everything; the words of counters and gauges with relaxed atomic stores, since the reader loads them in place.
/// What the reader needs besides (spelling, kind) is written before the record's number enters the owner's log, and published by the
/// epoch's end.
@safe
struct SeriesRecord {
  static let byteCount = 64
  /// Longest spelling kept in the record itself: one that a plain count can have.
  static let inlineSpelling = PlainCount.longestName

  @usableFromInline let base: UnsafeMutableRawPointer

  @inline(__always)
  init(unsafeBase base: UnsafeMutableRawPointer) { unsafe self.base = base }

  /// What a record is used for.
  enum Role: UInt8 {
    case free, series, alias
    /// A series that the budget did not pay for: `__other__`, and the counts of what went there.
    case overflow
  }

  // Safe: all of the below, the record's 64 bytes are within the owner's reservation, and the offsets are those of the table above.

  @inline(__always) var word0: Int64 {
    get { unsafe atomic(0).pointee.load(ordering: .relaxed) }
    nonmutating set { unsafe atomic(0).pointee.store(newValue, ordering: .relaxed) }
  }
  @inline(__always) var word1: Int64 {
    get { unsafe atomic(8).pointee.load(ordering: .relaxed) }
    nonmutating set { unsafe atomic(8).pointee.store(newValue, ordering: .relaxed) }
  }
  /// Acquire and release: a gauge's stamp guards its other two words.
  @inline(__always) var stamp: Int64 {
    get { unsafe atomic(16).pointee.load(ordering: .acquiring) }
    nonmutating set { unsafe atomic(16).pointee.store(newValue, ordering: .releasing) }
  }
  @inline(__always) var mark: UInt32 {
    get { unsafe base.load(fromByteOffset: 24, as: UInt32.self) }
    nonmutating set { unsafe base.storeBytes(of: newValue, toByteOffset: 24, as: UInt32.self) }
  }
  @inline(__always) var spellingLength: Int { Int(unsafe base.load(fromByteOffset: 28, as: UInt16.self)) }
  /// Length, kind and role in one load: what a look-up compares first.
  @inline(__always) var head: UInt32 { unsafe base.load(fromByteOffset: 28, as: UInt32.self) }
  /// The head that a look-up wants: that of a series' record whose spelling may stand where `use` says.
  @inline(__always) static func head(length: Int, kind: UInt8, _ use: PlainUse = []) -> UInt32 {
    UInt32(truncatingIfNeeded: length) | UInt32(kind) &<< 16 | UInt32(Role.series.rawValue) &<< 24
      | UInt32(use.rawValue) &<< 30
  }
  /// Whether a record with this head differs from the wanted one at most in its role and in what more it may be part of.
  @inline(__always) static func isAlike(_ head: UInt32, _ wanted: UInt32) -> Bool {
    ((head ^ wanted) & 0xFF_FFFF | (wanted & ~head) &>> 30) == 0
  }

  /// Whether a spelling kept in the record is this one; its length was compared before.
  @inline(__always) func holds(_ words: SpellingHash.Words) -> Bool {
    // The link stands behind the 28 bytes, so of the last word only half is the spelling's.
    let differ0 = unsafe base.load(fromByteOffset: 32, as: UInt64.self) ^ words.word0
    let differ1 = unsafe base.load(fromByteOffset: 40, as: UInt64.self) ^ words.word1
    let differ2 = unsafe base.load(fromByteOffset: 48, as: UInt64.self) ^ words.word2
    let differ3 = unsafe UInt64(base.load(fromByteOffset: 56, as: UInt32.self)) ^ words.word3
    return (differ0 | differ1 | differ2 | differ3) == 0
  }
  @inline(__always) var kind: UInt8 { unsafe base.load(fromByteOffset: 30, as: UInt8.self) }
  @inline(__always) var role: Role {
    get { Role(rawValue: unsafe base.load(fromByteOffset: 31, as: UInt8.self) & 3) ?? .free }
    nonmutating set { unsafe base.storeBytes(of: newValue.rawValue, toByteOffset: 31, as: UInt8.self) }
  }
  @inline(__always) var isAlias: Bool { role == .alias }
  @inline(__always) var link: UInt32 {
    get { unsafe base.load(fromByteOffset: 60, as: UInt32.self) }
    nonmutating set { unsafe base.storeBytes(of: newValue, toByteOffset: 60, as: UInt32.self) }
  }

  /// Asks for the record's cache line, to be written.
  @inline(__always) func prefetch() { unsafe footfall_prefetch_write(base) }

  /// Asks for what else an update of the record needs: a spelling that lies elsewhere, and the block in `half`.
  func prefetchOwned(_ half: Int) {
    if spellingLength > Self.inlineSpelling { unsafe footfall_prefetch(spelling) }
    if ownsBlocks, let block = unsafe block(half) {
      unsafe footfall_prefetch_write(block)
      unsafe footfall_prefetch_write(block + 64)
    }
  }

  /// Where the spelling lies.
  @unsafe @inline(__always) var spelling: UnsafeRawPointer {
    _fastPath(spellingLength <= Self.inlineSpelling)
      ? unsafe UnsafeRawPointer(base + 32) : unsafe base.load(fromByteOffset: 32, as: UnsafeRawPointer.self)
  }

  /// The block of a timer or a set in `half` (0 or 1), nil before its first use there.
  @unsafe @inline(__always) func block(_ half: Int) -> UnsafeMutableRawPointer? {
    unsafe UnsafeMutableRawPointer(bitPattern: base.load(fromByteOffset: half &* 8, as: Int.self))
  }
  @unsafe func setBlock(_ half: Int, _ block: UnsafeMutableRawPointer?) {
    unsafe base.storeBytes(of: Int(bitPattern: block), toByteOffset: half * 8, as: Int.self)
  }

  /// Makes the record one of `kind`, with its words at zero. Copies the spelling.
  func begin(spelling: UnsafeRawBufferPointer, kind: UInt8, role: Role, use: PlainUse) {
    word0 = 0
    word1 = 0
    stamp = 0
    mark = 0
    link = 0
    unsafe base.storeBytes(of: UInt16(spelling.count), toByteOffset: 28, as: UInt16.self)
    unsafe base.storeBytes(of: kind, toByteOffset: 30, as: UInt8.self)
    unsafe base.storeBytes(of: role.rawValue | use.rawValue &<< 6, toByteOffset: 31, as: UInt8.self)
    guard let from = spelling.baseAddress else { return }
    if spelling.count <= Self.inlineSpelling {
      unsafe (base + 32).initializeMemory(as: UInt8.self, repeating: 0, count: Self.inlineSpelling)
      unsafe (base + 32).copyMemory(from: from, byteCount: spelling.count)
    } else {
      // Readers of a spelling load whole words, so the copy is padded.
      let copy = UnsafeMutableRawPointer.allocate(byteCount: spelling.count + 32, alignment: 8)
      unsafe copy.copyMemory(from: from, byteCount: spelling.count)
      unsafe base.storeBytes(of: copy, toByteOffset: 32, as: UnsafeMutableRawPointer.self)
    }
  }

  /// What a spelling of this length takes outside the record, the allocator's part and rounding included.
  static func bytesElsewhere(spelling length: Int) -> Int {
    length <= inlineSpelling ? 0 : (length + 32 + 8 + 15) & ~15
  }

  /// Whether the first two words are addresses.
  @inline(__always) var ownsBlocks: Bool {
    switch SampleKind(rawValue: kind) {
    case .timer, .histogram, .distribution, .set: true
    default: false
    }
  }

  /// Gives back what the record owns and marks it free.
  func end() {
    if spellingLength > Self.inlineSpelling {
      unsafe base.load(fromByteOffset: 32, as: UnsafeMutableRawPointer.self).deallocate()
    }
    if ownsBlocks && !isAlias {
      unsafe block(0)?.deallocate()
      unsafe block(1)?.deallocate()
    }
    unsafe base.storeBytes(of: UInt16(0), toByteOffset: 28, as: UInt16.self)
    role = .free
  }

  @unsafe @inline(__always)
  private func atomic(_ offset: Int) -> UnsafeMutablePointer<Atomic<Int64>> {
    unsafe (base + offset).assumingMemoryBound(to: Atomic<Int64>.self)
  }
}

/// A record's kind beyond those of samples.
enum RecordKind {
  /// Counts the samples of a metric that the limit sent to `__other__`; its spelling is the metric's name.
  static let limited: UInt8 = 15
}
