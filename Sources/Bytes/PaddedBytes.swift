/// Bytes that a reader may overrun a little: an LF stands behind the last one, and `slack` readable bytes behind that.
///
///     | the lines themselves … | LF | 64 bytes that may be read and mean nothing |
///     0                        count
///
/// The sentinel spares the parser an end check a byte, the slack lets it load whole words. The view borrows: whoever makes it
/// keeps the memory alive and unchanged while the view is in use (the receive arena and the stream buffer do so for one batch).
@safe @frozen @usableFromInline
package struct PaddedBytes {
  /// Readable bytes behind the sentinel: a 16-byte scan that starts on the sentinel, and four words of a masked compare.
  @usableFromInline package static let slack = 64

  @usableFromInline let base: UnsafeRawPointer
  /// Bytes before the sentinel.
  @usableFromInline package let count: Int

  /// - Precondition: `base[count]` is LF, and `slack` further bytes are readable.
  @inlinable @inline(__always)
  package init(unsafeBase base: UnsafeRawPointer, count: Int) {
    unsafe self.base = base
    self.count = count
    // Safe: the caller promised the sentinel.
    assert(unsafe base.load(fromByteOffset: count, as: UInt8.self) == 0x0A, "the sentinel is missing")
  }

  /// The byte at `offset`, from 0 up to the slack's end.
  @inlinable @inline(__always)
  package subscript(offset: Int) -> UInt8 {
    assert(offset >= 0 && offset <= count + Self.slack)
    // Safe: the assertion's bound; the parser never passes the sentinel but by the slack.
    return unsafe base.load(fromByteOffset: offset, as: UInt8.self)
  }

  /// The eight bytes at `offset`, the first in the lowest place.
  @inlinable @inline(__always)
  package func word(at offset: Int) -> UInt64 {
    assert(offset >= 0 && offset + 8 <= count + Self.slack + 1)
    // Safe: as above, the last byte read lies in the slack.
    return unsafe UInt64(littleEndian: base.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
  }

  /// Where the byte at `offset` lives, for the few callers that hand it to C or keep it within the same batch.
  @unsafe @inlinable @inline(__always)
  package func address(of offset: Int) -> UnsafeRawPointer {
    unsafe base + offset
  }

  /// The bytes of `range` as a new array.
  package func copy(_ range: Range<Int>) -> [UInt8] {
    // Safe: both ends lie within the view.
    precondition(range.lowerBound >= 0 && range.upperBound <= count)
    return unsafe [UInt8](UnsafeRawBufferPointer(start: base + range.lowerBound, count: range.count))
  }
}

/// A text with its sentinel and slack, for those that are not on the way of a datagram: `explain`, tests, corpora.
package struct PaddedText {
  private let storage: [UInt8]
  private let count: Int

  /// Copies `bytes`.
  package init(_ bytes: some Collection<UInt8>) {
    count = bytes.count
    storage = Array(bytes) + [UInt8](repeating: 0x0A, count: 1 + PaddedBytes.slack)
  }

  /// Lends the bytes for the length of `body`.
  package func read<Result>(_ body: (PaddedBytes) throws -> Result) rethrows -> Result {
    // Safe: storage holds the sentinel and the slack, and outlives the call.
    try unsafe storage.withUnsafeBytes { try unsafe body(PaddedBytes(unsafeBase: $0.baseAddress!, count: count)) }
  }
}
