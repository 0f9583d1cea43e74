import Bytes

/// JSON with its commas: members and elements come one after the other, and this knows what stands between them.
struct JSONWriter {
  private(set) var text: ByteWriter
  private var needsComma = false

  init(capacity: Int = 512) { text = ByteWriter(capacity: capacity) }

  /// One object, whole.
  static func object(capacity: Int = 512, _ body: (inout JSONWriter) -> Void) -> ByteWriter {
    var writer = JSONWriter(capacity: capacity)
    writer.object(body)
    return writer.text
  }

  mutating func object(_ body: (inout JSONWriter) -> Void) { enclose("{", "}", body) }
  mutating func array(_ body: (inout JSONWriter) -> Void) { enclose("[", "]", body) }

  /// A member's name; its value comes next.
  mutating func key(_ name: StaticString) {
    separate()
    text.append(UInt8(ascii: "\""))
    text.append(name)
    text.append("\":" as StaticString)
    needsComma = false
  }

  mutating func key(_ name: some Sequence<UInt8>) {
    separate()
    text.appendJSON(name)
    text.append(UInt8(ascii: ":"))
    needsComma = false
  }

  mutating func string(_ value: String) { put { $0.appendJSON(value) } }
  mutating func string(_ value: some Sequence<UInt8>) { put { $0.appendJSON(value) } }
  mutating func number(_ value: some BinaryInteger) { put { $0.append(Int64(clamping: value)) } }
  mutating func number(_ value: Double) { put { $0.appendJSON(value) } }
  mutating func bool(_ value: Bool) { put { $0.append(value ? "true" : "false" as StaticString) } }
  mutating func null() { put { $0.append("null" as StaticString) } }

  /// A counter's total: exact while it is whole.
  mutating func number(_ total: (whole: Int64?, value: Double)) {
    if let whole = total.whole { number(whole) } else { number(total.value) }
  }

  mutating func member(_ name: StaticString, _ value: String) {
    key(name)
    string(value)
  }

  mutating func member(_ name: StaticString, _ value: StaticString) {
    key(name)
    string("\(value)")
  }

  mutating func member(_ name: StaticString, _ value: some BinaryInteger) {
    key(name)
    number(value)
  }

  mutating func member(_ name: StaticString, _ value: Double) {
    key(name)
    number(value)
  }

  mutating func member(_ name: StaticString, _ body: (inout JSONWriter) -> Void) {
    key(name)
    object(body)
  }

  /// The members of an object that was written before, if it has any.
  mutating func members(of object: ByteWriter) {
    if object.count > 2 { put { $0.append(object.bytes[1..<object.count - 1]) } }
  }

  private mutating func enclose(_ open: StaticString, _ close: StaticString, _ body: (inout JSONWriter) -> Void) {
    separate()
    text.append(open)
    needsComma = false
    body(&self)
    text.append(close)
    needsComma = true
  }

  private mutating func put(_ write: (inout ByteWriter) -> Void) {
    separate()
    write(&text)
    needsComma = true
  }

  private mutating func separate() {
    if needsComma { text.append(UInt8(ascii: ",")) }
    needsComma = false
  }
}
