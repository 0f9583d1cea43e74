import Platform
import Testing

@testable import Storage

@Suite struct `a segment` {
  @Test func `is read frame by frame, the longest too`() throws {
    let payloads: [[UInt8]] = [
      [], [1], Array(repeating: 0xF7, count: SegmentFormat.longestPayload), Array(SegmentFormat.frameMagic), [2, 3],
    ]
    var bytes = SegmentHeader(agent: toyAgent, number: 3, first: 9).bytes
    for (place, payload) in payloads.enumerated() {
      FrameHead(kind: .changes, flags: .endsBatch, length: payload.count, sequence: UInt64(9 + place), wall: -1)
        .append(payload, to: &bytes)
    }
    var reader = try SegmentReader("a", in: FaultyFiles(files: ["a": bytes]))
    #expect(reader.header == .sound(SegmentHeader(agent: toyAgent, number: 3, first: 9)))
    for (place, payload) in payloads.enumerated() {
      guard case .frame(let head, _) = try reader.next() else {
        Issue.record("frame \(place) is missing")
        return
      }
      #expect(head.sequence == UInt64(9 + place) && head.wall == -1)
      #expect(Array(reader.payload) == payload)
    }
    guard case .end = try reader.next() else {
      Issue.record("something follows")
      return
    }
  }

  @Test(arguments: [0, 1, 0x2A, UInt64.max])
  func `has its number in its name`(_ number: UInt64) {
    #expect(SegmentFormat.number(of: SegmentFormat.name(of: number)) == number)
  }

  @Test(arguments: [
    "journal-", "journal-1", "journal-000000000000000G", "journal-00000000000000AB", "damaged-journal-0000000000000001",
  ])
  func `is not what has another name`(_ name: String) {
    #expect(SegmentFormat.number(of: name) == nil)
  }

  @Test func `whose header lies about a frame's length is read on behind that frame`() throws {
    var bytes = SegmentHeader(agent: toyAgent, number: 1, first: 1).bytes
    var places: [Int] = []
    for sequence in 1...3 {
      places.append(bytes.count)
      FrameHead(kind: .changes, flags: .endsBatch, length: 10, sequence: UInt64(sequence), wall: 1)
        .append(Array(repeating: 7, count: 10), to: &bytes)
    }
    // Longer than the file, and longer than any frame.
    for high in [UInt8(0x01), 0x80] {
      bytes[places[1] + 10] = high
      var reader = try SegmentReader("a", in: FaultyFiles(files: ["a": bytes]))
      var found: [String] = []
      reading: while true {
        switch try reader.next() {
        case .frame(let head, _): found.append("frame \(head.sequence)")
        case .damage(let offset, let count): found.append("damage \(offset) \(count)")
        case .torn: found.append("torn")
        case .end: break reading
        }
      }
      #expect(found == ["frame 1", "damage \(places[1]) 42", "frame 3"])
    }
  }
}
