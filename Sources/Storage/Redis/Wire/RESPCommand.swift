/// A command as it goes over the wire: an array of strings, in either version of the protocol.
package struct RESPCommand: Equatable, Sendable {
  /// All its bytes.
  package let bytes: [UInt8]

  /// - Complexity: O(n) in all words' bytes.
  package init(_ words: [[UInt8]]) {
    var bytes = Array("*\(words.count)\r\n".utf8)
    bytes.reserveCapacity(words.reduce(16) { $0 + $1.count + 16 })
    for word in words {
      bytes.append(contentsOf: "$\(word.count)\r\n".utf8)
      bytes.append(contentsOf: word)
      bytes.append(contentsOf: "\r\n".utf8)
    }
    self.bytes = bytes
  }

  /// A command all of whose words are text.
  package init(_ words: String...) { self.init(words.map { Array($0.utf8) }) }
}
