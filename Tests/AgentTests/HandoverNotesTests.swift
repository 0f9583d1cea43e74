import Testing

@testable import Agent

@Suite struct `notes for the next process` {
  static let notes: HandoverNotes = {
    var notes = HandoverNotes()
    notes.drops = [1: 0, .max: .max]
    notes.streams = [
      7: .init(mark: "lines", listener: "tcp:[::1]:8125", rest: Array("visit:pa".utf8)),
      8: .init(mark: "undecided", listener: "unix:/tmp/a b\n.sock", rest: []),
      9: .init(mark: "packets", listener: "unix:/s", rest: Array(0...255)),
    ]
    return notes
  }()

  @Test func `are read as they were written`() { #expect(HandoverNotes(Self.notes.bytes) == Self.notes) }

  @Test func `of nothing are a head alone`() {
    #expect(String(decoding: HandoverNotes().bytes, as: UTF8.self) == "footfall-notes 1\n")
  }

  @Test(arguments: ["", "footfall-notes 2\n", "drops 1 2\n"])
  func `of another version, or none, are not read`(_ text: String) { #expect(HandoverNotes(Array(text.utf8)) == nil) }

  @Test(
    arguments: [
      "drops x 1", "drops 1 -1", "drops 1", "stream 1 lines 6", "stream 1 lines 6g -", "stream 1 lines 616 -",
      "later 1 2",
    ])
  func `pass over what they do not know`(_ line: String) {
    let read = HandoverNotes(Array("footfall-notes 1\n\(line)\ndrops 5 6\n".utf8))
    #expect(read?.drops.filter { $0.key == 5 } == [5: 6] && read?.streams.isEmpty == true)
  }

  @Test func `cut anywhere leave whole entries`() throws {
    let bytes = Self.notes.bytes
    for end in 0..<bytes.count {
      guard let read = HandoverNotes(Array(bytes[..<end])) else { continue }
      for (cookie, stream) in read.streams where stream != Self.notes.streams[cookie] {
        // Only the last line may be shorter than it was.
        #expect(bytes[end] != UInt8(ascii: "\n") && Self.notes.streams[cookie]?.rest.starts(with: stream.rest) == true)
      }
    }
  }
}
