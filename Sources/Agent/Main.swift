import Glibc
import Bytes
import Protocol

@main struct Footfall {
  static func main() {
    guard CommandLine.arguments.dropFirst().first == "explain" else { return }
    let reader = LineReader(strict: CommandLine.arguments.contains("--strict"))
    var writer = ByteWriter()
    while let line = readLineBytes() {
      PaddedText(line).read { explain($0, into: &writer, reader: reader, keyLabels: KeyLabels()) }
      writer.append("\n" as StaticString)
    }
    print(String(decoding: writer.bytes, as: UTF8.self), terminator: "")
  }

  static func readLineBytes() -> [UInt8]? {
    var line: [UInt8] = []
    while true {
      let byte = getchar()
      if byte < 0 { return line.isEmpty ? nil : line }
      if byte == 0x0A { return line }
      line.append(UInt8(byte))
    }
  }
}
