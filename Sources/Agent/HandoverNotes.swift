import Bytes

/// What must be known beside the sockets when another process goes on with them, as text in a file in memory.
///
///     footfall-notes 1
///     drops 4097 12                         the socket of this cookie: of its drops the first 12 are in the last process's books
///     stream 4102 lines 7463… 7669…         the connection of this cookie: framing, listener, the bytes of a line without an end
///
/// Listener and bytes are in hexadecimal, `-` for none. What a reader does not know it passes over.
struct HandoverNotes: Equatable, Sendable {
  /// A stream in the midst of a line, or between two.
  struct Stream: Equatable, Sendable {
    /// `StreamFramer.mark`.
    var mark: String
    /// The name of its listener's books: `tcp:127.0.0.1:8125`.
    var listener: String
    var rest: [UInt8]
  }

  /// Datagrams that the kernel had dropped at a socket when its last owner closed the books, by cookie.
  var drops: [UInt64: UInt32] = [:]
  /// By cookie.
  var streams: [UInt64: Stream] = [:]

  private static let head = "footfall-notes 1"

  init() {}

  /// nil: these are no notes of this version.
  init?(_ bytes: [UInt8]) {
    let lines = bytes.split(separator: UInt8(ascii: "\n")).map { String(decoding: $0, as: UTF8.self) }
    guard lines.first == Self.head else { return nil }
    for line in lines.dropFirst() {
      let words = line.split(separator: " ")
      guard words.count >= 3, let cookie = UInt64(words[1]) else { continue }
      switch words[0] {
      case "drops": drops[cookie] = UInt32(words[2])
      case "stream":
        guard words.count >= 5, let listener = Self.bytes(words[3]), let rest = Self.bytes(words[4]) else { continue }
        streams[cookie] = Stream(
          mark: String(words[2]), listener: String(decoding: listener, as: UTF8.self), rest: rest)
      default: continue
      }
    }
  }

  /// As they are written.
  var bytes: [UInt8] {
    var out = ByteWriter()
    out.append(Self.head + "\n")
    for (cookie, count) in drops.sorted(by: { $0.key < $1.key }) { out.append("drops \(cookie) \(count)\n") }
    for (cookie, stream) in streams.sorted(by: { $0.key < $1.key }) {
      out.append("stream \(cookie) \(stream.mark) ")
      Self.append(Array(stream.listener.utf8), to: &out)
      out.append(" ")
      Self.append(stream.rest, to: &out)
      out.append("\n")
    }
    return out.bytes
  }

  private static func append(_ bytes: [UInt8], to out: inout ByteWriter) {
    if bytes.isEmpty { return out.append("-") }
    let digits = Array("0123456789abcdef".utf8)
    for byte in bytes {
      out.append(digits[Int(byte >> 4)])
      out.append(digits[Int(byte & 15)])
    }
  }

  private static func bytes(_ text: Substring) -> [UInt8]? {
    if text == "-" { return [] }
    var bytes: [UInt8] = []
    var high: UInt8?
    for digit in text.utf8 {
      guard let value = Self.value(ofDigit: digit) else { return nil }
      if let first = high {
        bytes.append(first << 4 | value)
        high = nil
      } else {
        high = value
      }
    }
    return high == nil ? bytes : nil
  }

  private static func value(ofDigit digit: UInt8) -> UInt8? {
    switch digit {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): digit - UInt8(ascii: "a") + 10
    default: nil
    }
  }
}
