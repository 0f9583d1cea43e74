import Bytes

/// Tags that stand in the name.
///
///     InfluxDB   name,k=v,k2=v2
///     Librato    name#k=v,k2=v2
///     SignalFX   na[k=v,k2=v2]me
///     Graphite   name;k=v;k2=v2
///
/// The first of `[ # , ;` in the name decides. A name that does not go on in the way of its style has none, and is a name as it stands.
enum InlineTags {
  /// Reads the tags of `name` into `tags`, which is empty.
  /// - Returns: the name around them; `nil`, and no tags, if it has no style.
  static func read(
    _ bytes: PaddedBytes, _ name: Range<Int>, into tags: inout [SeriesSpelling.Tag]
  ) -> (head: Range<Int>, tail: Range<Int>)? {
    guard let mark = name.first(where: { isMark(bytes[$0]) }) else { return nil }
    let head = name.lowerBound..<mark
    var text = mark + 1..<name.upperBound
    var tail = name.upperBound..<name.upperBound
    let isSignalFX = bytes[mark] == UInt8(ascii: "[")
    if isSignalFX {
      guard let close = text.first(where: { bytes[$0] == UInt8(ascii: "]") }) else { return nil }
      text = mark + 1..<close
      tail = close + 1..<name.upperBound
    }
    let separator = bytes[mark] == UInt8(ascii: ";") ? UInt8(ascii: ";") : UInt8(ascii: ",")
    var start = text.lowerBound
    while start <= text.upperBound {
      var end = start
      while end < text.upperBound, bytes[end] != separator { end += 1 }
      let equals = (start..<end).first { bytes[$0] == UInt8(ascii: "=") }
      if let equals, equals > start {
        tags.append(.init(key: start..<equals, value: equals + 1..<end))
      } else if !isSignalFX || equals != nil {
        tags.removeAll(keepingCapacity: true)
        return nil
      }
      start = end + 1
    }
    return (head, tail)
  }

  private static func isMark(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "["), UInt8(ascii: "#"), UInt8(ascii: ","), UInt8(ascii: ";"): true
    default: false
    }
  }
}
