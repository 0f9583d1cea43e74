/// The head of one history, that of a series or of a family: a slot of 64 bytes.
///
///     offset  bytes
///          0      4  neighbour that was counted longer ago
///          4      4  neighbour that was counted since
///          8      4  owner: number of the series or the family
///         12      4  seconds of the reader's clock at the last count; in the top bits what it is (below)
///         16      4  the open second, since 1970; 0: nothing was counted yet
///         20     12  last run of points of the tracks of seconds, minutes and hours (`HistoryRun`)
///         32      8  last blob of minutes and of hours (`HistoryBlob`)
///         40     24  what the open second has counted: whole, fraction, sum
///
/// What is counted goes to the open second; once another second begins it is written behind the last point. So one count takes
/// nothing but this slot. Points grow coarser as they age (History+Aging.swift): each count stands once, as finely as it is still asked for.
struct HistoryEntry {
  let number: UInt32
  private let slot: HistorySlot

  @inline(__always)
  init(_ number: UInt32, _ slot: HistorySlot) {
    self.number = number
    self.slot = slot
  }

  /// The resolutions in which points are kept.
  enum Track: Int, CaseIterable {
    case seconds, minutes, hours

    /// Seconds of a bucket.
    var step: UInt32 {
      switch self {
      case .seconds: 1
      case .minutes: 60
      case .hours: 3_600
      }
    }
  }

  private static let familyBit: UInt32 = 1 << 31
  private static let timerBit: UInt32 = 1 << 30
  /// 34 years of seconds.
  private static let touchedMask: UInt32 = 1 << 30 - 1

  @inline(__always) var older: UInt32 {
    get { slot[word: 0] }
    nonmutating set { slot[word: 0] = newValue }
  }
  @inline(__always) var newer: UInt32 {
    get { slot[word: 4] }
    nonmutating set { slot[word: 4] = newValue }
  }
  @inline(__always) var owner: UInt32 { slot[word: 8] }
  @inline(__always) var isFamily: Bool { slot[word: 12] & Self.familyBit != 0 }
  /// Points have sums, and blobs are sketches.
  @inline(__always) var isTimer: Bool { slot[word: 12] & Self.timerBit != 0 }

  /// Seconds of the reader's clock at the last count.
  @inline(__always) var touched: Int64 {
    get { Int64(slot[word: 12] & Self.touchedMask) }
    nonmutating set {
      let seconds = UInt32(truncatingIfNeeded: min(max(0, newValue), Int64(Self.touchedMask)))
      slot[word: 12] = slot[word: 12] & ~Self.touchedMask | seconds
    }
  }

  @inline(__always) var openSecond: UInt32 {
    get { slot[word: 16] }
    nonmutating set { slot[word: 16] = newValue }
  }

  @inline(__always) var open: HistoryAmount {
    get {
      HistoryAmount(
        whole: Int64(bitPattern: slot[long: 40]), fraction: Double(bitPattern: slot[long: 48]),
        sum: Double(bitPattern: slot[long: 56]))
    }
    nonmutating set {
      slot[long: 40] = UInt64(bitPattern: newValue.whole)
      slot[long: 48] = newValue.fraction.bitPattern
      slot[long: 56] = newValue.sum.bitPattern
    }
  }

  /// The last run of a track, whose link leads to the first; 0 if there is none.
  @inline(__always) subscript(track: Track) -> UInt32 {
    get { slot[word: 20 + 4 * track.rawValue] }
    nonmutating set { slot[word: 20 + 4 * track.rawValue] = newValue }
  }

  /// The last blob of the minutes or of the hours, whose link leads to the first; 0 if there is none.
  @inline(__always) subscript(blobs track: HistoryBlob.Track) -> UInt32 {
    get { slot[word: 32 + 4 * track.rawValue] }
    nonmutating set { slot[word: 32 + 4 * track.rawValue] = newValue }
  }

  /// Makes the cleared slot an entry.
  func begin(owner: UInt32, isFamily: Bool, isTimer: Bool) {
    slot[word: 8] = owner
    slot[word: 12] = (isFamily ? Self.familyBit : 0) | (isTimer ? Self.timerBit : 0)
  }
}
