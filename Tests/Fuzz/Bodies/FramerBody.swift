@testable import Protocol

/// The same lines come out however the stream is cut, and what is left over stays within its bound.
func checkFramer(_ input: [UInt8]) throws(Broken) {
  guard let stream = CutStream(input) else { return }
  for mayBePrefixed in [false, true] {
    var whole = FramedStream(mayBePrefixed: mayBePrefixed)
    try whole.take(stream.bytes[...])
    try whole.end()
    var cut = FramedStream(mayBePrefixed: mayBePrefixed)
    for piece in stream.pieces { try cut.take(piece) }
    try cut.end()
    try hold(whole.lines == cut.lines, "whole and cut differ: \(whole.lines.count) lines, \(cut.lines.count)")
  }
}

/// What a worker does with its buffer. A line that the framer hands on, and the reader would refuse as too long, is `nil` like one that
/// the framer refused.
private struct FramedStream {
  var framer: StreamFramer
  var rest: [UInt8] = []
  var lines: [ArraySlice<UInt8>?] = []

  init(mayBePrefixed: Bool) { framer = StreamFramer(mayBePrefixed: mayBePrefixed) }

  mutating func take(_ bytes: ArraySlice<UInt8>) throws(Broken) {
    let buffer = rest + bytes
    var start = 0
    // Each step but the last covers a byte, or is the one that refuses a packet.
    for _ in 0...buffer.count + 1 {
      let before = start
      switch framer.next(buffer.span, from: &start) {
      case .lines(let range):
        try hold(start == range.upperBound + 1 && buffer[range.upperBound] == 0x0A, "no LF behind lines")
        try note(buffer, range, from: before)
      case .packet(let range):
        try hold(start == range.upperBound, "a packet's end is not the next one's start")
        try note(buffer, range, from: before)
      case .tooLong: lines.append(nil)
      case .rest(let place):
        try hold(before...buffer.count ~= place, "the rest begins at \(place), outside what was not read")
        rest = Array(buffer[place...])
        return try hold(rest.count <= StreamFramer.longestRest, "\(rest.count) bytes are left over")
      }
    }
    throw Broken(description: "the framer does not come to an end")
  }

  mutating func end() throws(Broken) {
    let left = rest
    guard case .packet(let range)? = framer.finish(left.span, from: 0) else { return }
    try note(left, range, from: 0)
  }

  private mutating func note(_ buffer: [UInt8], _ range: Range<Int>, from start: Int) throws(Broken) {
    try hold(start <= range.lowerBound && range.upperBound <= buffer.count, "lines outside the buffer")
    for line in buffer[range].split(separator: 0x0A) {
      lines.append(line.count > LineReader.longestLine ? nil : line)
    }
  }
}
