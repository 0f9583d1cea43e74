import Bytes
import Platform
import Protocol

/// `footfall explain`: says of each line on standard input how it is read, one JSON object a line, as soon as the line has come.
enum ExplainCommand {
  /// A line that is longer is explained by what is kept of it, which is enough to be too long.
  private static let longestKept = LineReader.longestLine + 16

  /// - Returns: the exit status, always 0: a refused line is an answer.
  static func run(_ configuration: Configuration) -> Int32 {
    let reader = configuration.lineReader
    let keyLabels = configuration.protocolKeyLabels
    var line: [UInt8] = []
    var writer = ByteWriter()
    var hasLine = false
    StandardInput.read { chunk in
      for index in 0..<chunk.count {
        if chunk[index] != UInt8(ascii: "\n") {
          hasLine = true
          if line.count < longestKept { line.append(chunk[index]) }
          continue
        }
        answer(line, reader, keyLabels, &writer)
        line.removeAll(keepingCapacity: true)
        hasLine = false
      }
      StandardOutput.write(writer.bytes)
      writer.removeAll()
    }
    if hasLine {
      answer(line, reader, keyLabels, &writer)
      StandardOutput.write(writer.bytes)
    }
    return 0
  }

  private static func answer(_ line: [UInt8], _ reader: LineReader, _ keyLabels: KeyLabels, _ writer: inout ByteWriter)
  {
    PaddedText(line).read { explain($0, into: &writer, reader: reader, keyLabels: keyLabels) }
    writer.append(UInt8(ascii: "\n"))
  }
}

extension Configuration {
  /// The reader of lines that the options ask for.
  var lineReader: LineReader { LineReader(strict: strict, signedGaugesAreDeltas: gaugeSign == .delta) }

  /// The labels of keyed counts.
  var protocolKeyLabels: KeyLabels {
    var labels = KeyLabels()
    for entry in keyLabels { labels[entry.metric] = entry.label }
    return labels
  }
}
