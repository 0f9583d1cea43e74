import Aggregation
import Bytes
import Platform

@testable import Protocol

/// A datagram's lines lie within it; each is taken or refused, once, and for the reason that `explain` gives; the books add up; a
/// series' name and labels come back from its normal spelling.
func checkLines(_ datagram: [UInt8]) throws(Broken) {
  for reader in [LineReader(), LineReader(strict: true, signedGaugesAreDeltas: false)] {
    let lines = try readLines(datagram, reader)
    let tally = try countLines(datagram, reader)
    var refused = InlineArray<13, UInt64>(repeating: 0)
    var accepted: UInt64 = 0
    for line in lines {
      switch try explained(line, reader) {
      case .samples(0): break
      case .samples: accepted += 1
      case .refused(let reason): refused[Int(reason.rawValue)] += 1
      }
    }
    let total = Refusal.allCases.reduce(tally.accepted) { $0 + tally.refused[Int($1.rawValue)] }
    try hold(tally.lines == total, "\(tally.lines) lines were read, \(total) are in the books")
    try hold(tally.accepted == accepted, "\(tally.accepted) lines are accepted, \(accepted) explained")
    for reason in Refusal.allCases {
      let index = Int(reason.rawValue)
      try hold(tally.refused[index] == refused[index], "\(tally.refused[index]) \(reason), \(refused[index]) explained")
    }
  }
}

/// Seeds one table of masks for all: a hasher's is never freed.
private let hasher = SpellingHash(seed: 1)

/// What a worker makes of the datagram.
private func countLines(_ datagram: [UInt8], _ reader: LineReader) throws(Broken) -> LineTally {
  // Each line of six bytes makes a series: no limit is met.
  let capacity = datagram.count + 1_024
  do throws(SystemError) {
    let memory = try TableMemory(capacity: capacity)
    var table = try WorkerTable(
      memory: memory, hasher: hasher, reader: reader, keyLabels: KeyLabels(),
      budget: SeriesBudget(limit: capacity, limitPerMetric: capacity))
    table.beginBatch(monotonic: 1_000, wall: 1_700_000_000)
    PaddedText(datagram).read { table.count($0) }
    table.endBatch()
    return table.tally
  } catch {
    throw Broken(description: "no memory: \(error)")
  }
}

/// Reads every line where it stands and checks what was read.
/// - Returns: the lines.
private func readLines(_ datagram: [UInt8], _ reader: LineReader) throws(Broken) -> [ArraySlice<UInt8>] {
  var lines: [ArraySlice<UInt8>] = []
  var spelling = SeriesSpelling(keyLabels: KeyLabels())
  let outcome: Result<Void, Broken> = PaddedText(datagram).read { bytes in
    Result { () throws(Broken) in
      var place = 0
      while place < bytes.count {
        var sample = Sample()
        let next = reader.read(bytes, at: place, into: &sample)
        let feed = datagram[place...].firstIndex(of: 0x0A) ?? datagram.count
        try hold(next == feed + 1, "the line at \(place) ends at \(feed), the next begins at \(next)")
        lines.append(datagram[place..<feed])
        if sample.form == .refused {
          try hold(0...feed - place ~= sample.fault.offset, "a fault at \(sample.fault.offset), outside its line")
        } else if sample.form != .empty {
          try checkSample(sample, in: bytes, place..<feed, reader)
          try checkSpelling(of: sample, in: bytes, place..<feed, &spelling)
        }
        place = next
      }
    }
  }
  try outcome.get()
  return lines
}

private func checkSample(_ sample: Sample, in bytes: PaddedBytes, _ line: Range<Int>, _ reader: LineReader)
  throws(Broken)
{
  try hold(sample.lineStart == line.lowerBound, "a line that begins elsewhere")
  try hold(line.lowerBound <= sample.nameStart && sample.nameStart <= sample.nameEnd, "a name before its line")
  try hold(sample.nameEnd <= line.upperBound && sample.tagsEnd <= line.upperBound, "name or tags behind their line")
  try hold(sample.tagsStart <= sample.tagsEnd && sample.valueStart <= sample.valueEnd, "a range without an end")
  try hold(sample.valueEnd <= line.upperBound, "a value behind its line")
  var each: [Sample] = sample.form == .single ? [sample] : []
  if sample.form == .several { reader.forEachSample(in: bytes, of: sample) { each.append($0) } }
  try hold(!each.isEmpty, "no samples of several")
  for one in each {
    try hold(one.form == .single && one.rate > 0 && one.rate.isFinite, "a sample with the rate \(one.rate)")
    try hold(one.double.isFinite, "a sample with the value \(one.double)")
    try hold(!one.isInteger || one.double == Double(one.integer), "\(one.integer) is not \(one.double)")
  }
}

/// The name and the labels that come out of the normal spelling are those that went in.
private func checkSpelling(
  of sample: Sample, in bytes: PaddedBytes, _ line: Range<Int>, _ spelling: inout SeriesSpelling
) throws(Broken) {
  var normal: [UInt8] = []
  do throws(LineFault) {
    try spelling.normalise(
      bytes, lineStart: sample.lineStart, name: sample.nameStart..<sample.nameEnd,
      tags: sample.tagsStart..<sample.tagsEnd, kind: sample.kind, into: &normal)
  } catch {
    return try hold(0...line.count ~= error.offset, "a fault at \(error.offset), outside its line")
  }
  var expected: [[UInt8]: [UInt8]] = [:]
  if let key = spelling.key { expected[spelling.keyLabel] = bytes.copy(key) }
  for tag in spelling.tags {
    let value = tag.value.map { bytes.copy($0) } ?? Array("true".utf8)
    let key = bytes.copy(tag.key)
    expected[key] = expected[key].map { $0 + [UInt8(ascii: ",")] + value } ?? value
  }
  let labels = SeriesLabels(of: normal.span)
  let name = normal[labels.name].map(SeriesLabels.plain)
  try hold(name == bytes.copy(spelling.name.head) + bytes.copy(spelling.name.tail), "the name came back as \(name)")
  var found: [(key: [UInt8], value: [UInt8])] = []
  labels.forEach(in: normal.span, keyLabels: spelling.keyLabels) { key, value in
    found.append((key.indices.map { SeriesLabels.plain(key[$0]) }, value.indices.map { SeriesLabels.plain(value[$0]) }))
  }
  try hold(
    zip(found, found.dropFirst()).allSatisfy { $0.key.lexicographicallyPrecedes($1.key) }, "labels are not sorted")
  try hold(found.count == expected.count, "\(found.count) labels came back of \(expected.count)")
  for label in found { try hold(expected[label.key] == label.value, "a label came back as another") }
}

private enum Explained {
  case samples(Int)
  case refused(Refusal)
}

/// What `explain` says of a line, which must be JSON.
private func explained(_ line: ArraySlice<UInt8>, _ reader: LineReader) throws(Broken) -> Explained {
  var writer = ByteWriter()
  PaddedText(line).read { explain($0, into: &writer, reader: reader, keyLabels: KeyLabels()) }
  try checkJSON(writer.bytes)
  for reason in Refusal.allCases where writer.bytes.starts(with: "{\"error\":\"\(reason.label)\"".utf8) {
    return .refused(reason)
  }
  try hold(writer.bytes.starts(with: "{\"samples\":[".utf8), "neither samples nor an error")
  return .samples(writer.bytes.count - "{\"samples\":[]}".utf8.count)
}
