import Bytes

@testable import Protocol

/// What `explain` says of one line.
func reading(_ line: some Collection<UInt8>, _ reader: LineReader = LineReader(), keyLabels: KeyLabels = KeyLabels())
  -> String
{
  var writer = ByteWriter()
  PaddedText(line).read { explain($0, into: &writer, reader: reader, keyLabels: keyLabels) }
  return String(decoding: writer.bytes, as: UTF8.self)
}

func reading(_ line: String, _ reader: LineReader = LineReader()) -> String { reading(Array(line.utf8), reader) }

/// The samples of all lines of a text, read one after the other; `nil` for a line that is refused.
func samples(of text: String, _ reader: LineReader = LineReader()) -> [Sample] {
  PaddedText(text.utf8).read { bytes in
    var found: [Sample] = []
    var place = 0
    while place < bytes.count {
      var sample = Sample()
      place = reader.read(bytes, at: place, into: &sample)
      found.append(sample)
    }
    return found
  }
}

/// The reason and the place for which `explain` refuses a line.
func fault(_ line: some Collection<UInt8>, _ reader: LineReader = LineReader()) -> LineFault? {
  let text = reading(line, reader)
  return Refusal.allCases.lazy.compactMap { reason -> LineFault? in
    let head = "{\"error\":\"\(reason.label)\",\"at\":"
    guard text.hasPrefix(head) else { return nil }
    return LineFault(reason, at: Int(text.dropFirst(head.count).prefix { $0.isNumber })!)
  }.first
}
