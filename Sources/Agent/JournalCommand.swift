import Aggregation
import Bytes
import Platform
import Storage

/// `footfall journal dump|verify`: a look into a state directory, whose agent may run meanwhile.
enum JournalCommand {
  /// - Returns: 0; 1 if the journal is damaged; 78 if there is none, or a later version has written it.
  static func run(
    _ action: Invocation.JournalAction, _ configuration: Configuration, environment: [String: String]
  ) -> Int32 {
    guard let place = StatePlace(configuration.stateDirectory, environment) else {
      StandardError.write(Array("footfall: no state directory: set --state-dir\n".utf8))
      return 78
    }
    do throws(StateDirectory.Fault) {
      let inspection = try JournalInspection(place.path)
      switch action {
      case .dump: return dump(inspection)
      case .verify: return verify(inspection, place.path)
      }
    } catch {
      StandardError.write(Array("footfall: \(error)\n".utf8))
      return 78
    }
  }

  // MARK: verify

  /// A line a segment, and one for all of them.
  private static func verify(_ inspection: JournalInspection, _ path: String) -> Int32 {
    let survey = inspection.survey
    var text = ""
    for (place, segment) in survey.segments.enumerated() {
      let state =
        place < survey.base ? "not needed any more" : segment.isDamaged ? "DAMAGED: \(segment.fault)" : "sound"
      text += "\(segment.name) \(segment.bytes) bytes, \(segment.frames) frames, \(state)\n"
    }
    text += "\(path): agent \(inspection.agent.map(\.description) ?? "unknown"), \(survey.frames) frames that count"
    if let wall = survey.lastWall { text += ", the last of \(WallClock.iso8601(wall * 1_000_000_000))" }
    text += "\n"
    if survey.cutBytes > 0 { text += "unfinished at the end, to be cut at the next start: \(survey.cutBytes) bytes\n" }
    if survey.lostFrames > 0 { text += "frames missing between others: \(survey.lostFrames)\n" }
    if !survey.isComplete { text += "the beginning is missing\n" }
    text += survey.isSound ? "sound\n" : "DAMAGED\n"
    StandardOutput.write(Array(text.utf8))
    return survey.isSound ? 0 : 1
  }

  // MARK: dump

  /// One object a record: where it stands, what it is, and what it says.
  private static func dump(_ inspection: JournalInspection) -> Int32 {
    var writer = ByteWriter()
    let failures = inspection.forEachFrame { head, payload in
      if var reader = JournalRecordReader(Array(payload)) {
        while let record = reader.next() {
          let (name, fields) = record.shown
          append(head, name, fields, to: &writer)
          if writer.bytes.count >= 1 << 16 { flush(&writer) }
        }
        if reader.isMalformed { append(head, "malformed", [], to: &writer) }
      } else {
        append(head, "malformed", [], to: &writer)
      }
    }
    flush(&writer)
    for failure in failures { StandardError.write(Array("footfall: \(failure)\n".utf8)) }
    return inspection.survey.isSound && failures.isEmpty ? 0 : 1
  }

  private static func flush(_ writer: inout ByteWriter) {
    StandardOutput.write(writer.bytes)
    writer.removeAll()
  }

  private static func append(
    _ head: FrameHead, _ name: String, _ fields: JournalRecord.Fields, to writer: inout ByteWriter
  ) {
    writer.append("{\"frame\":")
    writer.append(head.sequence)
    writer.append(",\"time\":\"\(WallClock.iso8601(head.wall * 1_000_000_000))\",\"snapshot\":")
    writer.append(head.kind == .snapshot ? "true" : "false" as StaticString)
    writer.append(",\"record\":\"\(name)\"")
    for (name, value) in fields {
      writer.append(",\"\(name)\":")
      switch value {
      case .whole(let number): writer.append(number)
      case .number(let number): writer.appendJSON(number)
      case .text(let bytes): writer.appendJSON(bytes)
      case .numbers(let numbers):
        writer.append("[")
        for (place, number) in numbers.enumerated() {
          if place > 0 { writer.append(",") }
          writer.appendJSON(number)
        }
        writer.append("]")
      }
    }
    writer.append("}\n")
  }
}
