import Bytes

/// What senders offer, rendered before any clock starts: messages in one piece of memory, and what each of them holds.
///
///     | line LF line LF … | line LF … |            a message: one datagram, a train of datagrams, or a stretch of a stream
struct Traffic {
  /// How lines are put into datagrams.
  struct Packing {
    /// Lines are joined up to so many bytes; nil: one line a datagram.
    var bytes: Int?
    /// Datagrams that the kernel cuts out of one message (UDP_SEGMENT); 1: an ordinary sender.
    var segments = 1

    static let single = Packing()
    static let packed = Packing(bytes: 1_432)
    static let singleTrain = Packing(segments: 64)
    static let packedTrain = Packing(bytes: 1_432, segments: 45)
    /// For streams, which have no bounds.
    static let stream = Packing(bytes: 65_536)
  }

  struct Message {
    var start: Int
    var length: Int
    var lines: Int
    var datagrams: Int
  }

  private(set) var text: [UInt8] = []
  private(set) var messages: [Message] = []
  let packing: Packing
  /// Lines of all messages.
  private(set) var lineCount = 0

  /// - Parameters:
  ///   - series: distinct series; each comes at least once, in an order of chance.
  ///   - lines: lines at least; nil: some 65,536, and each series as often as any other.
  init(_ form: LineForm, series: Int, _ packing: Packing, lines: Int? = nil) {
    self.packing = packing
    var random = Xorshift()
    let order = (0..<series).shuffled(using: &random)
    let wanted = lines ?? max(series, 65_536 / series * series)
    let width = packing.segments > 1 ? 7 : 1
    text.reserveCapacity(wanted * 40)
    var line: [UInt8] = []
    for number in 0..<wanted {
      line.removeAll(keepingCapacity: true)
      form.write(series: order[number % series], random: random.next(), width: width, to: &line)
      add(line)
    }
    endMessage()
    if packing.segments > 1 { joinTrains() }
    text += [UInt8](repeating: UInt8(ascii: "\n"), count: 1 + PaddedBytes.slack)
  }

  private mutating func add(_ line: [UInt8]) {
    let room = packing.bytes ?? 0
    if messages.isEmpty || messages[messages.count - 1].length + line.count + 1 > room {
      endMessage()
      messages.append(Message(start: text.count, length: 0, lines: 0, datagrams: 1))
    } else {
      text.append(UInt8(ascii: "\n"))
    }
    text += line
    lineCount += 1
    messages[messages.count - 1].lines += 1
    messages[messages.count - 1].length = text.count - messages[messages.count - 1].start
  }

  /// An LF stands behind each message: part of it in a stream, the parser's sentinel elsewhere.
  private mutating func endMessage() {
    if messages.isEmpty { return }
    text.append(UInt8(ascii: "\n"))
    if packing.bytes == Packing.stream.bytes { messages[messages.count - 1].length += 1 }
  }

  /// Bytes of each datagram of a train: all have one length.
  private(set) var segmentBytes = 0

  /// Joins messages into trains: packed ones are filled up with empty lines to one length. What does not fill a train goes.
  private mutating func joinTrains() {
    segmentBytes = packing.bytes ?? messages.map(\.length).max() ?? 0
    var joined: [UInt8] = []
    var trains: [Message] = []
    var first = 0
    while first + packing.segments <= messages.count {
      var train = Message(start: joined.count, length: 0, lines: 0, datagrams: packing.segments)
      for message in messages[first..<first + packing.segments] {
        joined += text[message.start..<message.start + message.length]
        joined += [UInt8](repeating: UInt8(ascii: "\n"), count: segmentBytes - message.length)
        train.lines += message.lines
      }
      train.length = joined.count - train.start
      trains.append(train)
      first += packing.segments
    }
    precondition(!trains.isEmpty, "too few lines for a train")
    text = joined
    messages = trains
    lineCount = trains.reduce(0) { $0 + $1.lines }
  }
}
