/// One reply of a Redis server, of either version of its protocol (RESP2, RESP3; the specification is redis.io/docs/reference/protocol-spec).
package enum RESPValue: Equatable, Sendable {
  /// `+OK`
  case simple(String)
  /// `-ERR …`, or `!` with a length: what a command failed with.
  case error(String)
  /// `:42`
  case integer(Int64)
  /// `$2`: any bytes.
  case bulk([UInt8])
  /// `_`, and RESP2's `$-1` and `*-1`.
  case null
  /// `#t`
  case boolean(Bool)
  /// `,1.5`, `,inf`, `,nan`
  case double(Double)
  /// `(349…`: an integer of any length, as it was spelled.
  case bigNumber(String)
  /// `=15` `txt:…`: text with three letters that say of what kind.
  case verbatim(format: String, [UInt8])
  /// `*2`
  case array([RESPValue])
  /// `%1`: key, value, key, value, …, as RESP2 sends the same in an array.
  case map([RESPValue])
  /// `~2`
  case set([RESPValue])
  /// `>2`: what nobody asked for.
  case push([RESPValue])
}

/// What callers take out of a reply, whichever version it came in.
extension RESPValue {
  /// The bytes of any kind of text.
  package var text: [UInt8]? {
    switch self {
    case .bulk(let bytes), .verbatim(_, let bytes): bytes
    case .simple(let text), .bigNumber(let text): Array(text.utf8)
    default: nil
    }
  }

  /// The same as a string; bytes that are not UTF-8 are replaced.
  package var string: String? { text.map { String(decoding: $0, as: UTF8.self) } }

  /// An integer.
  package var integer: Int64? { if case .integer(let number) = self { number } else { nil } }

  /// The elements of an array or a set.
  package var elements: [RESPValue]? {
    switch self {
    case .array(let values), .set(let values): values
    default: nil
    }
  }

  /// Keys and values by turns, of a map or of RESP2's array in its place; nil for anything else.
  package var pairs: [(key: RESPValue, value: RESPValue)]? {
    let flat: [RESPValue]
    switch self {
    case .map(let values), .array(let values): flat = values
    default: return nil
    }
    if flat.count % 2 != 0 { return nil }
    return stride(from: 0, to: flat.count, by: 2).map { (flat[$0], flat[$0 + 1]) }
  }

  /// The value of a map's key.
  package func value(of key: String) -> RESPValue? {
    pairs?.first { $0.key.string == key }?.value
  }
}

/// Why what a server sent cannot be read: the connection is of no more use.
package enum RESPFault: Error, Equatable, CustomStringConvertible {
  /// No type begins with this byte.
  case unknownType(UInt8)
  /// A length or a number that is none, or is missing its end.
  case malformed
  /// Longer, deeper or of more elements than `RESPLimits` allow.
  case tooLong

  /// For an operator.
  package var description: String {
    switch self {
    case .unknownType(let byte): "byte \(byte) begins no reply: is this a Redis server?"
    case .malformed: "a reply is malformed"
    case .tooLong: "a reply is larger than any that was asked for"
    }
  }
}

/// How large one reply may be. What is asked for here is small: a series' totals, a cluster's map.
package struct RESPLimits: Sendable {
  /// Bytes of a line without its type and its end.
  package var line = 64 << 10
  /// Bytes of one string.
  package var bulk = 4 << 20
  /// Bytes of a reply, all told.
  package var reply = 32 << 20
  /// Values of a reply, all told: each takes some tens of bytes of memory, however few it came in.
  package var elements = 1 << 18
  /// Aggregates within each other.
  package var depth = 16

  /// Those above.
  package init() {}
}
