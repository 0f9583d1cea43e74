import Bytes

/// Names and texts as Prometheus and OpenMetrics allow them (text format 0.0.4; OpenMetrics 1.0, section "ABNF").
///
///     metric name   [a-zA-Z_:][a-zA-Z0-9_:]*      label name   [a-zA-Z_][a-zA-Z0-9_]*
///
/// A character (one Unicode scalar) that may not stand there becomes one `_`; a digit in front gets `_` before it. The input is
/// UTF-8: the line parser lets nothing else in.
package enum PrometheusName {
  /// Whether a metric's name may stand as it is.
  package static func isPlainMetric(_ name: Span<UInt8>) -> Bool { isPlain(name, colons: true) }

  /// Whether a label's name may stand as it is, but for the prefix that `writeLabel` may add.
  package static func isPlainLabel(_ name: Span<UInt8>) -> Bool { isPlain(name, colons: false) }

  package static func writeMetric(_ name: Span<UInt8>, to writer: inout ByteWriter) {
    write(name, colons: true, to: &writer)
  }

  /// A label's name; what a scraper keeps for itself is moved out of its way to `exported_…`: names that begin with `__` once written,
  /// and on a timer `le` and `quantile`.
  package static func writeLabel(_ name: Span<UInt8>, onTimer: Bool, to writer: inout ByteWriter) {
    let start = writer.count
    write(name, colons: false, to: &writer)
    guard isReserved(writer.bytes.span.extracting(start..<writer.count), onTimer: onTimer) else { return }
    writer.truncate(to: start)
    writer.append("exported_" as StaticString)
    write(name, colons: false, to: &writer)
  }

  private static func isReserved(_ label: Span<UInt8>, onTimer: Bool) -> Bool {
    if onTimer && (label.equals("le") || label.equals("quantile")) { return true }
    return label.count >= 2 && label[0] == UInt8(ascii: "_") && label[1] == UInt8(ascii: "_")
  }

  /// A label's value, or a name that is to be quoted, without its quotes: `\` `"` and LF escaped, in both languages.
  package static func writeLabelValue(_ value: Span<UInt8>, to writer: inout ByteWriter) {
    writeEscaped(value, quotes: true, to: &writer)
  }

  /// The text of a HELP line: `\` and LF escaped, in OpenMetrics `"` too.
  package static func writeHelp(
    _ text: Span<UInt8>, in language: ExpositionFormat.Language, to writer: inout ByteWriter
  ) {
    writeEscaped(text, quotes: language == .openMetrics, to: &writer)
  }

  private static func isPlain(_ name: Span<UInt8>, colons: Bool) -> Bool {
    if name.isEmpty || name[0].isDigit { return false }
    for place in name.indices where !mayStand(name[place], colons: colons) { return false }
    return true
  }

  private static func mayStand(_ byte: UInt8, colons: Bool) -> Bool {
    byte.isLetter || byte.isDigit || byte == UInt8(ascii: "_") || colons && byte == UInt8(ascii: ":")
  }

  private static func write(_ name: Span<UInt8>, colons: Bool, to writer: inout ByteWriter) {
    if isPlain(name, colons: colons) { return writer.append(name) }
    if !name.isEmpty && name[0].isDigit { writer.append(UInt8(ascii: "_")) }
    for place in name.indices {
      let byte = name[place]
      if mayStand(byte, colons: colons) {
        writer.append(byte)
      } else if byte & 0xC0 != 0x80 {
        // A scalar's first byte; its continuation bytes leave no trace.
        writer.append(UInt8(ascii: "_"))
      }
    }
  }

  private static func writeEscaped(_ text: Span<UInt8>, quotes: Bool, to writer: inout ByteWriter) {
    var start = 0
    for place in text.indices {
      let escaped: StaticString
      switch text[place] {
      case UInt8(ascii: "\\"): escaped = "\\\\"
      case .lineFeed: escaped = "\\n"
      case UInt8(ascii: "\"") where quotes: escaped = "\\\""
      default: continue
      }
      writer.append(text.extracting(start..<place))
      writer.append(escaped)
      start = place + 1
    }
    writer.append(text.extracting(start..<text.count))
  }
}
