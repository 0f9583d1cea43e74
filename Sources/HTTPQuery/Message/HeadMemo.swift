/// Heads of requests that came before, with what they mean: whoever asks the same over and over, as a probe, a scraper, a page or a load
/// generator does, is read once.
///
/// The same bytes are the same head, so a head is held against those kept byte by byte, and nothing else is assumed. Kept is one that a
/// connection has sent twice in a row, so that clients who never repeat themselves cost a hash a request.
///
/// - Invariant: every head here was read to its end without a fault, stood at the beginning of a request, and frames its body by length.
/// - Complexity: looking up one is a comparison with each kept, which as a rule differ in their first bytes.
final class HeadMemo {
  struct Entry {
    let head: [UInt8]
    let request: Request
    let bodyLength: Int
  }

  /// A longer head is not kept, in bytes.
  static let longest = 2_048
  private static let places = 8

  private var entries: [Entry] = []
  private var oldest = 0

  /// The entry whose head stands at the beginning of `input` from `start`.
  func entry(at start: Int, of input: [UInt8]) -> Entry? {
    for entry in entries where Self.begins(input, start, with: entry.head) { return entry }
    return nil
  }

  /// Keeps a head in place of the one kept longest.
  func keep(_ entry: Entry) {
    if entries.count < Self.places {
      entries.append(entry)
    } else {
      entries[oldest] = entry
      oldest = (oldest + 1) % Self.places
    }
  }

  private static func begins(_ input: [UInt8], _ start: Int, with head: [UInt8]) -> Bool {
    if input.count - start < head.count { return false }
    // Safe: both are looked at as bytes, which they are.
    return unsafe input.span.extracting(start..<start + head.count).bytes.isSame(as: head.span.bytes)
  }
}

extension RawSpan {
  /// Compares by words.
  fileprivate func isSame(as other: RawSpan) -> Bool {
    let count = byteCount
    if count != other.byteCount { return false }
    var place = 0
    while place + 8 <= count {
      // Safe: both have 8 bytes from here on, and any bytes are a number.
      if unsafe unsafeLoadUnaligned(fromByteOffset: place, as: UInt64.self)
        != other.unsafeLoadUnaligned(fromByteOffset: place, as: UInt64.self)
      {
        return false
      }
      place += 8
    }
    while place < count {
      // Safe: as above, one byte.
      if unsafe unsafeLoad(fromByteOffset: place, as: UInt8.self)
        != other.unsafeLoad(fromByteOffset: place, as: UInt8.self)
      {
        return false
      }
      place += 1
    }
    return true
  }
}
