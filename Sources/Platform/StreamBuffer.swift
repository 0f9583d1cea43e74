import Bytes

/// Where a worker reads its streams, one at a time: what was left of the stream's last read, and behind it the next bytes.
///
///     | room for a rest … rest | 512 KiB of new bytes | LF | slack |
///
/// One a worker, of which only what a read has reached takes memory; a connection keeps only its rest, and only between reads.
@safe
package struct StreamBuffer: ~Copyable {
  /// Bytes read at once. The kernel hands over a busy stream in longer pieces than 64 KiB, which saves a tenth of a line's cost; half of a
  /// core's second cache, so that what was read is still there to be parsed.
  package static let readSize = 512 << 10

  private let memory: Reservation
  private let roomForRest: Int
  private var first: Int
  private var end: Int

  /// - Parameter roomForRest: the longest rest that a connection keeps.
  package init(roomForRest: Int) throws(SystemError) {
    self.roomForRest = roomForRest
    memory = try Reservation(byteCount: roomForRest + Self.readSize + 1 + PaddedBytes.slack)
    first = roomForRest
    end = roomForRest
  }

  /// Lends the bytes in hand: the rest and what was read.
  package func withBytes<Result>(_ body: (Span<UInt8>) -> Result) -> Result {
    // Safe: first and end lie within the reservation.
    unsafe UnsafeRawBufferPointer(start: memory.base + first, count: end - first).withMemoryRebound(to: UInt8.self) {
      unsafe body($0.span)
    }
  }

  /// Puts `rest` where the next read continues it, and reads.
  /// - Parameter limit: the most that is read, in bytes; 1 to `readSize`.
  package mutating func fill(
    _ rest: [UInt8], from descriptor: Descriptor, atMost limit: Int = readSize
  ) -> Descriptor.Transfer {
    precondition(rest.count <= roomForRest && (1...Self.readSize).contains(limit))
    first = roomForRest - rest.count
    // Safe: the rest ends where the room for reads begins, which is as long as `readSize`.
    unsafe UnsafeMutableRawBufferPointer(start: memory.base + first, count: rest.count).copyBytes(from: rest)
    let room = unsafe UnsafeMutableRawBufferPointer(start: memory.base + roomForRest, count: limit)
    let transfer = unsafe descriptor.read(into: room)
    end = roomForRest
    if case .bytes(let count) = transfer { end += count }
    return transfer
  }

  /// Lends the bytes of `range` as lines, with an LF behind them; the byte that stood there is put back afterwards.
  package mutating func withLines(_ range: Range<Int>, _ body: (PaddedBytes) -> Void) {
    precondition(range.lowerBound >= 0 && first + range.upperBound <= end)
    // Safe: by the precondition; behind the last byte read there is room for the sentinel and the slack.
    let behind = unsafe memory.base + first + range.upperBound
    let kept = unsafe behind.load(as: UInt8.self)
    unsafe behind.storeBytes(of: 0x0A, as: UInt8.self)
    unsafe body(PaddedBytes(unsafeBase: memory.base + first + range.lowerBound, count: range.count))
    unsafe behind.storeBytes(of: kept, as: UInt8.self)
  }
}
