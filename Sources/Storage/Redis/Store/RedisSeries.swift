/// A counter's name in Redis: what stands between the braces of its key.
///
///     series = metric "|" [ label "=" value { "," label "=" value } ]
///
/// Labels come by the bytes of their names. `\` stands before `\`, `,`, `=` and `|` inside a name or a value, so that no two series meet.
/// Bytes, not `String`: two spellings of one accented letter are two series.
package struct RedisSeries: Hashable, Sendable, CustomStringConvertible {
  package let bytes: [UInt8]

  /// - Parameter labels: by name, as a series has them.
  /// - Complexity: O(n)
  package init(metric: some Sequence<UInt8>, labels: [(name: [UInt8], value: [UInt8])]) {
    var bytes: [UInt8] = []
    Self.append(metric, to: &bytes)
    bytes.append(UInt8(ascii: "|"))
    for (index, label) in labels.enumerated() {
      if index > 0 { bytes.append(UInt8(ascii: ",")) }
      Self.append(label.name, to: &bytes)
      bytes.append(UInt8(ascii: "="))
      Self.append(label.value, to: &bytes)
    }
    self.bytes = bytes
  }

  package init(_ metric: String, _ labels: KeyValuePairs<String, String> = [:]) {
    self.init(metric: metric.utf8, labels: labels.map { (Array($0.key.utf8), Array($0.value.utf8)) })
  }

  private static func append(_ part: some Sequence<UInt8>, to bytes: inout [UInt8]) {
    for byte in part {
      if "\\,=|".utf8.contains(byte) { bytes.append(UInt8(ascii: "\\")) }
      bytes.append(byte)
    }
  }

  /// The whole key.
  func key(_ prefix: String) -> [UInt8] { Array(prefix.utf8) + [UInt8(ascii: "{")] + bytes + [UInt8(ascii: "}")] }

  package var description: String { String(decoding: bytes, as: UTF8.self) }
}
