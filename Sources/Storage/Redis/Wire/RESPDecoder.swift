/// Reads replies out of a stream that may be cut anywhere. Pure: bytes in, values out.
///
///     reply     = { attribute } value
///     value     = leaf CR LF | string | aggregate
///     leaf      = "+" text | "-" text | ":" integer | "_" | "#" ("t" | "f") | "," double | "(" integer
///     string    = ("$" | "!" | "=") length CR LF bytes CR LF | "$-1" CR LF
///     aggregate = ("*" | "~" | ">") count CR LF { value } | "%" count CR LF { value value } | "*-1" CR LF
///     attribute = "|" count CR LF { value value }
///
/// Attributes, which may stand before any value, are read and dropped. Lengths of `?` (streamed strings and aggregates) are malformed: the
/// specification has them, no server sends them. No byte is looked at twice, whatever the cuts; memory is taken for what has come, never
/// for what was announced.
/// - Complexity: O(1) a byte, amortised.
package struct RESPDecoder {
  private enum Aggregate { case array, map, set, push, attribute }

  /// An aggregate some of whose values are still to come.
  private struct Frame {
    var kind: Aggregate
    var missing: Int
    var values: [RESPValue] = []

    /// nil: an attribute, which is no value.
    var whole: RESPValue? {
      switch kind {
      case .array: .array(values)
      case .map: .map(values)
      case .set: .set(values)
      case .push: .push(values)
      case .attribute: nil
      }
    }
  }

  /// What stands next in the stream.
  private enum Item {
    case value(RESPValue)
    case opening(Aggregate, count: Int)
  }

  private let limits: RESPLimits
  private var buffer: [UInt8] = []
  /// Where the unread bytes begin.
  private var start = 0
  /// No line ends before it.
  private var searched = 0
  /// The string whose length has been read: its type and its length.
  private var string: (type: UInt8, length: Int)?
  private var frames: [Frame] = []
  /// Of the reply under way.
  private var replyBytes = 0
  private var replyElements = 0
  private var fault: RESPFault?

  /// At the beginning of a stream.
  package init(_ limits: RESPLimits = .init()) { self.limits = limits }

  /// Bytes that are kept until more come: at most the longest string, and what was fed behind it.
  package var heldBytes: Int { buffer.count - start }

  /// Takes the next bytes of the stream. Call `next` until it has no more before feeding on.
  package mutating func feed(_ bytes: some Collection<UInt8>) {
    // What was read is given up when it is the larger part: each byte moves once on average.
    if start > buffer.count / 2 {
      buffer.removeSubrange(..<start)
      searched -= start
      start = 0
    }
    buffer.append(contentsOf: bytes)
  }

  /// The next whole reply; nil if its end has not come yet.
  /// - Throws: what makes the rest of the stream unreadable, now and ever after.
  package mutating func next() throws(RESPFault) -> RESPValue? {
    if let fault { throw fault }
    do throws(RESPFault) {
      while let item = try nextItem() {
        if let reply = try take(item) { return reply }
      }
      return nil
    } catch {
      fault = error
      throw error
    }
  }

  /// Puts an item where it belongs.
  /// - Returns: the reply, if that was its last.
  private mutating func take(_ item: Item) throws(RESPFault) -> RESPValue? {
    replyElements += 1
    if replyElements > limits.elements { throw .tooLong }
    var value: RESPValue
    switch item {
    case .value(let leaf): value = leaf
    case .opening(let kind, let count):
      let frame = Frame(kind: kind, missing: count)
      if count > 0 {
        if frames.count == limits.depth { throw .tooLong }
        frames.append(frame)
        return nil
      }
      guard let empty = frame.whole else { return nil }
      value = empty
    }
    while var frame = frames.popLast() {
      frame.values.append(value)
      frame.missing -= 1
      if frame.missing > 0 {
        frames.append(frame)
        return nil
      }
      guard let whole = frame.whole else { return nil }
      value = whole
    }
    replyBytes = 0
    replyElements = 0
    return value
  }

  private mutating func nextItem() throws(RESPFault) -> Item? {
    if let string { return try nextString(string.type, string.length) }
    guard let line = try nextLine() else { return nil }
    guard let type = line.first else { throw .malformed }
    let text = line.dropFirst()
    switch type {
    case UInt8(ascii: "+"): return .value(.simple(String(decoding: text, as: UTF8.self)))
    case UInt8(ascii: "-"): return .value(.error(String(decoding: text, as: UTF8.self)))
    case UInt8(ascii: ":"): return .value(.integer(try RESPNumber.integer(text)))
    case UInt8(ascii: "_"):
      if !text.isEmpty { throw .malformed }
      return .value(.null)
    case UInt8(ascii: "#"):
      switch text.elementsEqual("t".utf8) {
      case true: return .value(.boolean(true))
      case false where text.elementsEqual("f".utf8): return .value(.boolean(false))
      default: throw .malformed
      }
    case UInt8(ascii: ","): return .value(.double(try RESPNumber.double(text)))
    case UInt8(ascii: "("): return .value(.bigNumber(try RESPNumber.bigNumber(text)))
    case UInt8(ascii: "$"), UInt8(ascii: "!"), UInt8(ascii: "="):
      if type == UInt8(ascii: "$"), text.elementsEqual("-1".utf8) { return .value(.null) }
      let length = try RESPNumber.length(text)
      if length > limits.bulk { throw .tooLong }
      string = (type, length)
      return try nextString(type, length)
    case UInt8(ascii: "*"):
      if text.elementsEqual("-1".utf8) { return .value(.null) }
      return .opening(.array, count: try count(text))
    case UInt8(ascii: "~"): return .opening(.set, count: try count(text))
    case UInt8(ascii: ">"): return .opening(.push, count: try count(text))
    case UInt8(ascii: "%"): return .opening(.map, count: try count(text) * 2)
    case UInt8(ascii: "|"): return .opening(.attribute, count: try count(text) * 2)
    default: throw .unknownType(type)
    }
  }

  private func count(_ text: ArraySlice<UInt8>) throws(RESPFault) -> Int {
    let count = try RESPNumber.length(text)
    if count > limits.elements { throw .tooLong }
    return count
  }

  /// The bytes up to the next CR LF, and past it.
  private mutating func nextLine() throws(RESPFault) -> ArraySlice<UInt8>? {
    // A byte that begins no reply is told at once: what is no Redis server may never end a line.
    if start < buffer.count, !Self.types.contains(buffer[start]) { throw .unknownType(buffer[start]) }
    var place = max(searched, start)
    while place < buffer.count {
      if buffer[place] == 0x0A {
        // First, since a line cut here would have been too long before its end came.
        if place - start > limits.line + 2 { throw .tooLong }
        guard place > start, buffer[place - 1] == 0x0D else { throw .malformed }
        let line = buffer[start..<place - 1]
        try advance(to: place + 1)
        return line
      }
      place += 1
    }
    searched = place
    if buffer.count - start > limits.line + 2 { throw .tooLong }
    return nil
  }

  private mutating func nextString(_ type: UInt8, _ length: Int) throws(RESPFault) -> Item? {
    guard buffer.count - start >= length + 2 else { return nil }
    let bytes = buffer[start..<start + length]
    guard buffer[start + length] == 0x0D, buffer[start + length + 1] == 0x0A else { throw .malformed }
    try advance(to: start + length + 2)
    string = nil
    switch type {
    case UInt8(ascii: "$"): return .value(.bulk(Array(bytes)))
    case UInt8(ascii: "!"): return .value(.error(String(decoding: bytes, as: UTF8.self)))
    default:
      guard length >= 4, bytes[bytes.startIndex + 3] == UInt8(ascii: ":") else { throw .malformed }
      return .value(.verbatim(format: String(decoding: bytes.prefix(3), as: UTF8.self), Array(bytes.dropFirst(4))))
    }
  }

  private mutating func advance(to place: Int) throws(RESPFault) {
    replyBytes += place - start
    start = place
    searched = place
    if replyBytes > limits.reply { throw .tooLong }
  }

  private static let types = Array("+-:_#,($!=*~>%|".utf8)
}

/// The numbers of a reply.
private enum RESPNumber {
  /// As in Swift's `Int64`, a sign allowed.
  static func integer(_ text: ArraySlice<UInt8>) throws(RESPFault) -> Int64 {
    guard let number = Int64(String(decoding: text, as: UTF8.self)) else { throw .malformed }
    return number
  }

  /// Digits alone.
  static func length(_ text: ArraySlice<UInt8>) throws(RESPFault) -> Int {
    guard text.allSatisfy({ 0x30...0x39 ~= $0 }), let number = Int(String(decoding: text, as: UTF8.self)) else {
      throw .malformed
    }
    return number
  }

  /// Digits with a sign, as many as the line holds.
  static func bigNumber(_ text: ArraySlice<UInt8>) throws(RESPFault) -> String {
    let digits = text.first == UInt8(ascii: "-") || text.first == UInt8(ascii: "+") ? text.dropFirst() : text
    guard !digits.isEmpty, digits.allSatisfy({ 0x30...0x39 ~= $0 }) else { throw .malformed }
    return String(decoding: text, as: UTF8.self)
  }

  /// Decimal, `inf`, `-inf` or `nan`; nothing else that Swift would read (`0x1p3`, `infinity`).
  static func double(_ text: ArraySlice<UInt8>) throws(RESPFault) -> Double {
    let spelling = String(decoding: text, as: UTF8.self)
    switch spelling {
    case "inf": return .infinity
    case "-inf": return -.infinity
    case "nan", "-nan": return .nan
    default: break
    }
    guard text.allSatisfy({ 0x30...0x39 ~= $0 || "+-.eE".utf8.contains($0) }), let number = Double(spelling) else {
      throw .malformed
    }
    return number
  }
}
