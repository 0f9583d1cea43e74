import Bytes

/// Renders how one line is read, as a JSON object: its samples, or what is wrong with it and where.
///
///     {"samples":[{"name":"visit","type":"counter","value":1,"tags":{"page":"page1"}}]}
///     {"error":"bad_value","at":6,"message":"…"}
///
/// - Parameter bytes: the line; of several the first.
package func explain(_ bytes: PaddedBytes, into writer: inout ByteWriter, reader: LineReader, keyLabels: KeyLabels) {
  var sample = Sample()
  if bytes.count > 0 { _ = reader.read(bytes, at: 0, into: &sample) }
  let start = writer.count
  let explanation = Explanation(bytes: bytes, reader: reader)
  do throws(LineFault) {
    try explanation.write(sample, keyLabels: keyLabels, into: &writer)
  } catch {
    writer.truncate(to: start)
    explanation.write(error, into: &writer)
  }
}

private struct Explanation {
  let bytes: PaddedBytes
  let reader: LineReader

  func write(_ sample: Sample, keyLabels: KeyLabels, into writer: inout ByteWriter) throws(LineFault) {
    if sample.form == .refused { throw sample.fault }
    writer.append("{\"samples\":[" as StaticString)
    if sample.form != .empty {
      var spelling = SeriesSpelling(keyLabels: keyLabels)
      var scratch: [UInt8] = []
      let line = Line(bytes: bytes, start: sample.lineStart, end: bytes.count)
      try spelling.resolve(
        line, sample.nameStart..<sample.nameEnd, sample.tagsStart..<sample.tagsEnd, sample.kind, into: &scratch)
      if sample.form == .several {
        var separator: StaticString = ""
        reader.forEachSample(in: bytes, of: sample) { one in
          writer.append(separator)
          separator = ","
          writeSample(one, spelling, into: &writer)
        }
      } else {
        writeSample(sample, spelling, into: &writer)
      }
    }
    writer.append("]}" as StaticString)
  }

  private func writeSample(_ sample: Sample, _ spelling: SeriesSpelling, into writer: inout ByteWriter) {
    writer.append("{\"name\":" as StaticString)
    writer.appendJSON(NameBytes(bytes: bytes, head: spelling.name.head, tail: spelling.name.tail))
    writer.append(",\"type\":\"" as StaticString)
    writer.append(sample.kind.label)
    writer.append("\",\"value\":" as StaticString)
    writeValue(sample, into: &writer)
    if sample.isRelative { writer.append(",\"relative\":true" as StaticString) }
    if sample.rate != 1 {
      writer.append(",\"rate\":" as StaticString)
      writer.appendJSON(sample.rate)
    }
    writeTags(spelling, into: &writer)
    if sample.timestamp != Sample.noTimestamp {
      writer.append(",\"timestamp\":" as StaticString)
      writer.append(sample.timestamp)
    }
    if sample.kind == .event || sample.kind == .serviceCheck { writeFields(sample, into: &writer) }
    writer.append("}" as StaticString)
  }

  private func writeValue(_ sample: Sample, into writer: inout ByteWriter) {
    let value = sample.valueStart..<sample.valueEnd
    if sample.kind == .set {
      writer.appendJSON(bytes.copy(value))
    } else if sample.kind == .event {
      writer.appendJSON(Self.withLineFeeds(bytes.copy(value)))
    } else if sample.isInteger {
      writer.append(sample.integer)
    } else {
      writer.appendJSON(sample.double)
    }
  }

  /// An event's text with its `\n` as line feeds.
  private static func withLineFeeds(_ text: [UInt8]) -> [UInt8] {
    var plain: [UInt8] = []
    for byte in text {
      if byte == UInt8(ascii: "n"), plain.last == UInt8(ascii: "\\") {
        plain[plain.count - 1] = 0x0A
      } else {
        plain.append(byte)
      }
    }
    return plain
  }

  private func writeTags(_ spelling: SeriesSpelling, into writer: inout ByteWriter) {
    var separator: StaticString = ",\"tags\":{"
    if let key = spelling.key {
      writer.append(separator)
      separator = ","
      writer.appendJSON(spelling.keyLabel)
      writer.append(":" as StaticString)
      writer.appendJSON(bytes.copy(key))
    }
    var index = 0
    while index < spelling.tags.count {
      let end = spelling.endOfKey(at: index, bytes)
      writer.append(separator)
      separator = ","
      writer.appendJSON(bytes.copy(spelling.tags[index].key))
      writer.append(":" as StaticString)
      if end > index + 1 { writer.append("[" as StaticString) }
      for place in index..<end {
        if place > index { writer.append("," as StaticString) }
        if let value = spelling.tags[place].value {
          writer.appendJSON(bytes.copy(value))
        } else {
          writer.append("null" as StaticString)
        }
      }
      if end > index + 1 { writer.append("]" as StaticString) }
      index = end
    }
    if spelling.key != nil || !spelling.tags.isEmpty { writer.append("}" as StaticString) }
  }

  /// The fields of an event or a service check; of one given twice the last.
  private func writeFields(_ sample: Sample, into writer: inout ByteWriter) {
    let line = Line(bytes: bytes, start: sample.lineStart, end: bytes.lineEnd(from: sample.valueEnd))
    var fields: [DataDogField: Range<Int>] = [:]
    var pipe = sample.valueEnd
    while pipe < line.end {
      let start = pipe + 1
      pipe = line.first(UInt8(ascii: "|"), from: start)
      if let field = DataDogField(line, at: start, of: sample.kind) { fields[field] = start + 2..<pipe }
    }
    var separator: StaticString = ",\"fields\":{"
    for field in DataDogField.allCases {
      guard let text = fields[field] else { continue }
      writer.append(separator)
      separator = ","
      writer.append("\"" as StaticString)
      writer.append(field.label)
      writer.append("\":" as StaticString)
      writer.appendJSON(bytes.copy(text))
    }
    if !fields.isEmpty { writer.append("}" as StaticString) }
  }

  func write(_ fault: LineFault, into writer: inout ByteWriter) {
    writer.append("{\"error\":\"" as StaticString)
    writer.append(fault.reason.label)
    writer.append("\",\"at\":" as StaticString)
    writer.append(Int64(fault.offset))
    writer.append(",\"message\":" as StaticString)
    let line = bytes.copy(0..<bytes.lineEnd(from: 0))
    let message = FaultMessage(fault: fault, line: line, isStrict: reader.strict)
    writer.appendJSON("\(message.text)\n\(FaultPicture(line, at: fault.offset).text)")
    writer.append("}" as StaticString)
  }
}
