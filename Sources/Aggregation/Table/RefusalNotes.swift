import Platform
import Protocol

/// A refused line, for the operator to look at.
package struct RefusedLine: Sendable {
  /// Seconds since 1970, of the batch.
  package var second: Int64
  /// Why it was refused.
  package var reason: Refusal
  /// Offset of the fault in the line.
  package var offset: Int
  /// nil: not told apart from others (`SenderTally`).
  package var sender: SenderAddress?
  /// The line's first bytes, at most `RefusalNotes.longestText`; any bytes at all.
  package var text: [UInt8]
  /// Bytes of the whole line.
  package var length: Int
}

/// The refused lines of one half that are kept to be shown: the first few. The rest is in the ledger's numbers alone, so that somebody who
/// sends nothing but bad lines costs no more than one who sends good ones.
///
///     offset  bytes
///          0      8  notes
///          8  304 *  second, offset, length of the line (8 each), sender's place, bytes kept, reason (2, 2, 1), text
@safe
struct RefusalNotes {
  /// Notes a half, and those that the reader takes over from one table within a second, however often it gathers.
  static let limit = 16
  /// Bytes that are kept of a line.
  package static let longestText = 256
  private static let noteBytes = 304
  static let byteCount = 8 + limit * noteBytes

  private let base: UnsafeMutableRawPointer

  init(unsafeBase base: UnsafeMutableRawPointer) { unsafe self.base = base }

  // Safe: all of the below, a note's number is below the limit and its text is cut to the room.

  private var count: Int {
    get { unsafe base.load(as: Int.self) }
    nonmutating set { unsafe base.storeBytes(of: newValue, as: Int.self) }
  }

  /// Whether there is room for one more.
  @inline(__always)
  var hasRoom: Bool { count < Self.limit }

  /// Notes a line; the caller has asked `hasRoom`.
  func add(_ fault: LineFault, line: UnsafeRawBufferPointer, sender: Int, second: Int64) {
    let note = unsafe base + 8 + count * Self.noteBytes
    let kept = min(line.count, Self.longestText)
    unsafe note.storeBytes(of: second, as: Int64.self)
    unsafe note.storeBytes(of: fault.offset, toByteOffset: 8, as: Int.self)
    unsafe note.storeBytes(of: line.count, toByteOffset: 16, as: Int.self)
    unsafe note.storeBytes(of: UInt16(sender), toByteOffset: 24, as: UInt16.self)
    unsafe note.storeBytes(of: UInt16(kept), toByteOffset: 26, as: UInt16.self)
    unsafe note.storeBytes(of: fault.reason.rawValue, toByteOffset: 28, as: UInt8.self)
    if kept > 0, let from = line.baseAddress { unsafe (note + 32).copyMemory(from: from, byteCount: kept) }
    count += 1
  }

  /// Hands out the first `most` notes and forgets all.
  /// - Returns: how many it handed out.
  func take(_ most: Int, senders: SenderTally, _ body: (RefusedLine) -> Void) -> Int {
    let taken = min(most, count)
    for number in 0..<taken {
      let note = unsafe base + 8 + number * Self.noteBytes
      let kept = Int(unsafe note.load(fromByteOffset: 26, as: UInt16.self))
      body(
        RefusedLine(
          second: unsafe note.load(as: Int64.self),
          reason: unsafe Refusal(rawValue: note.load(fromByteOffset: 28, as: UInt8.self)) ?? .malformed,
          offset: unsafe note.load(fromByteOffset: 8, as: Int.self),
          sender: unsafe senders.address(Int(note.load(fromByteOffset: 24, as: UInt16.self))),
          text: unsafe [UInt8](UnsafeRawBufferPointer(start: note + 32, count: kept)),
          length: unsafe note.load(fromByteOffset: 16, as: Int.self)))
    }
    count = 0
    return taken
  }
}
