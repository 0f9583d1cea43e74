import Platform

/// Short texts kept for as long as somebody wants them, without an allocation each.
///
/// A text begins at a multiple of 8 bytes and is given by that place in units of 8, so that 32 bits reach 32 GiB. A text given back is
/// used again for one of the same size.
/// - Complexity: O(length).
@safe
struct TextArena: ~Copyable {
  private let memory: Reservation
  private var used = 0
  private var free: [Int: [UInt32]] = [:]

  /// - Parameter limit: bytes reserved, at most 32 GiB.
  init(limit: Int) throws(SystemError) { memory = try Reservation(byteCount: min(limit, 8 << 32)) }

  /// Bytes in use or free for use again.
  var byteCount: Int { used * 8 }

  /// Copies `text`; nil when the arena is full.
  mutating func add(_ text: UnsafeRawBufferPointer) -> UInt32? {
    let units = (text.count + 7) / 8
    let place: UInt32
    if let again = free[units]?.popLast() {
      place = again
    } else {
      if (used + units) * 8 > memory.byteCount { return nil }
      place = UInt32(used)
      used += units
    }
    // Safe: within the reservation by the check above.
    if let from = text.baseAddress {
      unsafe (memory.base + Int(place) * 8).copyMemory(from: from, byteCount: text.count)
    }
    return place
  }

  /// Gives a text of `length` bytes back.
  mutating func remove(_ place: UInt32, length: Int) { free[(length + 7) / 8, default: []].append(place) }

  /// The text of `length` bytes at `place`; valid until it is given back.
  @unsafe
  func text(_ place: UInt32, length: Int) -> UnsafeRawBufferPointer {
    unsafe UnsafeRawBufferPointer(start: memory.base + Int(place) * 8, count: length)
  }
}
