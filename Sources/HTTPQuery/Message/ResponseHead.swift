import Bytes

/// What the loop knows at the moment of an answer, and a pure machine cannot.
package struct AnswerStamp {
  /// Now, on the clock that the connection's deadlines are read from.
  package var nanoseconds: UInt64
  /// How long the answer took to make: `X-Process-Time`.
  package var processNanoseconds: UInt64
  /// The value of `Date` (RFC 9110, section 5.6.7), made once a second for all connections.
  package var date: [UInt8]

  package init(nanoseconds: UInt64, processNanoseconds: UInt64, date: [UInt8]) {
    self.nanoseconds = nanoseconds
    self.processNanoseconds = processNanoseconds
    self.date = date
  }
}

/// The status line and the fields of an answer (RFC 9112, section 4).
///
///     HTTP/1.1 200 OK
///     Date: Thu, 21 Nov 2024 03:57:00 GMT
///     Server: footfall
///     X-Process-Time: 0.000123456
///     Content-Type: application/json
///     Content-Length: 42                     or Transfer-Encoding: chunked, or neither: until the close
///     Connection: close                      or keep-alive for a 1.0 client that asked
struct ResponseHead {
  enum Framing {
    case length(Int)
    case chunked
    case untilClose
  }

  var framing: Framing
  var closes: Bool
  var version: Request.Version

  func write(_ response: borrowing Response, _ stamp: borrowing AnswerStamp, to writer: inout ByteWriter) {
    if response.status == .ok {
      writer.append("HTTP/1.1 200 OK\r\nDate: " as StaticString)
    } else {
      writer.append("HTTP/1.1 " as StaticString)
      writer.append(UInt64(response.status.rawValue))
      writer.append(UInt8.space)
      writer.append(response.status.reason)
      writer.append("\r\nDate: " as StaticString)
    }
    writer.append(stamp.date)
    writer.append("\r\nServer: footfall\r\nX-Process-Time: " as StaticString)
    Self.writeSeconds(stamp.processNanoseconds, to: &writer)
    if let type = response.contentType {
      writer.append("\r\nContent-Type: " as StaticString)
      writer.append(type)
    }
    switch framing {
    case .length(let count) where response.status != .noContent && response.status != .notModified:
      writer.append("\r\nContent-Length: " as StaticString)
      writer.append(Int64(count))
    case .chunked: writer.append("\r\nTransfer-Encoding: chunked" as StaticString)
    case .length, .untilClose: break
    }
    if closes {
      writer.append("\r\nConnection: close" as StaticString)
    } else if version == .http10 {
      writer.append("\r\nConnection: keep-alive" as StaticString)
    }
    if response.isLive { writer.append("\r\nCache-Control: no-store" as StaticString) }
    for field in response.fields {
      writer.append("\r\n" as StaticString)
      writer.append(field.name)
      writer.append(": " as StaticString)
      for byte in field.value.utf8 { writer.append(byte.isFieldContent ? byte : .space) }
    }
    writer.append("\r\n\r\n" as StaticString)
  }

  /// Seconds with nine decimals: exact, and never with an exponent.
  private static func writeSeconds(_ nanoseconds: UInt64, to writer: inout ByteWriter) {
    let (seconds, fraction) = nanoseconds.quotientAndRemainder(dividingBy: 1_000_000_000)
    writer.append(seconds)
    writer.append(UInt8(ascii: "."))
    var place: UInt64 = 100_000_000
    while place > 0 {
      writer.append(UInt8(ascii: "0") + UInt8(fraction / place % 10))
      place /= 10
    }
  }
}
